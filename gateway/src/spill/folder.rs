//! The files of the spill.

use super::{
    log::{Found, Limits, Log, Older, Restore},
    ranges::Ranges,
    segment::{self, Header, Unreadable},
};
use anyhow::{Context as _, bail};
use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

const EXTENSION: &str = "spill";
const CHECKPOINT: &str = "checkpoint";
const LOCK: &str = "lock";
const IN_USE: &str = "is in use by another gateway; each needs a folder of its own";
/// How many bytes are read before the gateway listens. What is more is read while it already takes requests.
const AT_ONCE: u64 = 16 << 20;

/// What an earlier run has left.
#[derive(Debug)]
pub(crate) enum Left {
    /// Read, in full.
    Read(Log, Found),
    /// So much that it is still to be read. The log is for newer records meanwhile.
    Unread(Log, Unread),
}

/// Files that an earlier run has left.
#[derive(Debug)]
pub(crate) struct Unread {
    segments: Vec<u64>,
    done: Ranges,
}

/// A folder that this process alone uses.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Held until the process ends, however it ends, or the folder is replaced.
    lock: Mutex<File>,
}

/// Whether the folder is the one that this process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// As before.
    Still,
    /// It was another one, and is this process's from now on. What lay in the old one need not be there.
    Anew,
}

/// Whether a file system has no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Made if it is not there, but open for reading only: a file open for writing would keep its file system from being
/// remounted read-only.
fn lock_file(path: &Path) -> io::Result<File> {
    let path = path.join(LOCK);
    OpenOptions::new().create(true).append(true).open(&path)?;
    File::open(path)
}

impl Folder {
    /// Takes the folder for this process.
    ///
    /// # Errors
    /// When it cannot be written, or another process has it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        fs::create_dir_all(path).with_context(|| format!("make `spill.dir` {shown}"))?;
        let lock = lock_file(path).with_context(|| format!("write to `spill.dir` {shown}"))?;
        if lock.try_lock().is_err() {
            bail!("`spill.dir` {shown} {IN_USE}");
        }
        Ok(Self {
            path: path.into(),
            lock: Mutex::new(lock),
        })
    }

    /// Looks whether the folder is still there and this process's. One that was made again in its place is taken.
    ///
    /// # Errors
    /// When there is none, or it cannot be written, or another process has it.
    pub(crate) fn hold(&self) -> io::Result<Held> {
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |data: &Metadata| (data.dev(), data.ino());
        let own = place(&held.metadata()?);
        match fs::metadata(self.path.join(LOCK)) {
            Ok(found) if place(&found) == own => return Ok(Held::Still),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // It is not made: it may be where a disk should be mounted.
        if !fs::exists(&self.path)? {
            let kind = io::ErrorKind::NotFound;
            return Err(io::Error::new(kind, "its folder was removed"));
        }
        let new = lock_file(&self.path)?;
        new.try_lock().map_err(|_| io::Error::other(IN_USE))?;
        *held = new;
        Ok(Held::Anew)
    }

    /// Finds what an earlier run has left, and reads it if it is not too much.
    ///
    /// # Errors
    /// When a file cannot be read, or is of a later version of the format.
    pub(crate) fn look(&self, limits: Limits) -> anyhow::Result<Left> {
        let left = Unread {
            segments: self.segments()?,
            done: self.checkpoint()?,
        };
        let mut bytes = 0;
        for first in &left.segments {
            bytes += fs::metadata(self.segment(*first))?.len();
        }
        if bytes <= AT_ONCE {
            let (log, found) = self.restore(&left, limits, || false)?;
            return Ok(Left::Read(log, found));
        }
        let mut newest = Restore::new(limits, left.done.clone());
        // When the disk fails, the end of a file may be there again in the next one, which then may hold nothing else.
        let two = left.segments.len().saturating_sub(2);
        self.read_all(&mut newest, &left.segments[two..], || false)?;
        let first = left.segments.first().copied().unwrap_or_default();
        let older = Older { first, bytes };
        let log = Log::behind(older, newest.next(), left.done.clone(), limits);
        Ok(Left::Unread(log, left))
    }

    /// Reads what an earlier run has left, as long as `stops` does not say otherwise.
    ///
    /// # Errors
    /// When a file cannot be read, or is of a later version of the format, and when it was stopped.
    pub(crate) fn restore(
        &self,
        left: &Unread,
        limits: Limits,
        stops: impl Fn() -> bool,
    ) -> anyhow::Result<(Log, Found)> {
        let mut restore = Restore::new(limits, left.done.clone());
        self.read_all(&mut restore, &left.segments, stops)?;
        Ok(restore.finish())
    }

    fn read_all(
        &self,
        restore: &mut Restore,
        segments: &[u64],
        stops: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        for &first in segments {
            if stops() {
                bail!("the gateway stops");
            }
            let path = self.segment(first);
            let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            match Header::read(&bytes) {
                Err(newer @ Unreadable::Newer(_)) => bail!("{}: {newer}", path.display()),
                // The name says where it begins, and each frame proves itself.
                Err(Unreadable::Damaged) | Ok(_) => restore.add(first, &bytes),
            }
        }
        Ok(())
    }

    fn checkpoint(&self) -> anyhow::Result<Ranges> {
        let path = self.path.join(CHECKPOINT);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ranges::default()),
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        match segment::read_checkpoint(&bytes) {
            Ok(done) => Ok(done),
            Err(newer @ Unreadable::Newer(_)) => bail!("{}: {newer}", path.display()),
            Err(Unreadable::Damaged) => {
                let path = path.display();
                tracing::warn!(%path, "the spill's checkpoint is damaged: some events may reach kafka a second time");
                Ok(Ranges::default())
            }
        }
    }

    fn segments(&self) -> anyhow::Result<Vec<u64>> {
        let listed = fs::read_dir(&self.path).context("list the files of `spill.dir`")?;
        let mut segments = Vec::new();
        for file in listed {
            let path = file?.path();
            let stem = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            if let (Some(first), Some(EXTENSION)) =
                (stem, path.extension().and_then(|e| e.to_str()))
            {
                segments.push(first);
            }
        }
        segments.sort_unstable();
        Ok(segments)
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn begin(&self, header: &Header) -> io::Result<File> {
        // It is read, too: when it is removed, what lies in it is only to be had from here.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let mut file = options.open(self.segment(header.first))?;
        file.write_all(&header.encode())?;
        // Without this the file could be gone after a loss of power.
        File::open(&self.path)?.sync_all()?;
        Ok(file)
    }

    /// The bytes of a file from `offset` to `len`.
    ///
    /// # Errors
    /// When there are fewer.
    pub(crate) fn read(&self, first: u64, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.segment(first))?;
        file.seek(SeekFrom::Start(offset))?;
        let wanted = len.saturating_sub(offset);
        let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        file.take(wanted).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// When a file was begun, in milliseconds since the Unix epoch.
    pub(crate) fn begun(&self, first: u64) -> Option<i64> {
        let head = u64::try_from(segment::HEADER).ok()?;
        let header = Header::read(&self.read(first, 0, head).ok()?).ok()?;
        Some(header.begun.as_millis())
    }

    /// Deletes a file.
    ///
    /// # Errors
    /// When it stays.
    pub(crate) fn remove(&self, first: u64) -> io::Result<()> {
        fs::remove_file(self.segment(first))
    }

    /// Replaces the checkpoint, as a whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write_checkpoint(&self, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.join("checkpoint.new");
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(new, self.path.join(CHECKPOINT))
    }

    fn segment(&self, first: u64) -> PathBuf {
        self.path.join(format!("{first:020}.{EXTENSION}"))
    }
}
