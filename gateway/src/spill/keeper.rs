//! The thread that brings the log's tail to disk, and gives back what has been replayed.

use super::{
    Folder,
    folder::{self, Held},
    log::{Disk, Log, Write},
    segment::{self, HEADER, Header},
};
use crate::clock;
use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    time::{Duration, Instant},
};

/// Holds the log, for whoever shares it with requests.
pub(crate) trait Holder: Send + 'static {
    /// Runs `step` on the log, under its lock.
    fn with<T: Default>(&self, step: impl FnOnce(&mut Log) -> T) -> T;

    /// Events in files that could not be read, and will not reach Kafka.
    fn lost(&self, events: usize);
}

/// Writes, syncs, deletes.
#[derive(Debug)]
pub(crate) struct Keeper<H> {
    holder: H,
    folder: std::sync::Arc<Folder>,
    sync_interval: Duration,
    file: Option<Open>,
    /// Since when something written is not synced.
    unsynced: Option<Instant>,
    /// The newest checkpoint on disk, and when it was written.
    checkpoint: Vec<u8>,
    checkpointed: Option<Instant>,
    /// When the folder was last looked for, and why it is not there.
    looked: Option<Instant>,
    gone: Option<String>,
}

#[derive(Debug)]
struct Open {
    file: File,
    first: u64,
    len: u64,
}

impl Open {
    /// What lies in it.
    fn frames(&mut self) -> io::Result<Vec<u8>> {
        let head = u64::try_from(HEADER).unwrap_or(u64::MAX);
        let mut frames = Vec::new();
        self.file.seek(SeekFrom::Start(head))?;
        let rest = &mut self.file;
        rest.take(self.len.saturating_sub(head))
            .read_to_end(&mut frames)?;
        Ok(frames)
    }
}

impl<H: Holder> Keeper<H> {
    pub(crate) fn new(holder: H, folder: std::sync::Arc<Folder>, sync_interval: Duration) -> Self {
        Self {
            holder,
            folder,
            sync_interval,
            file: None,
            unsynced: None,
            checkpoint: Vec::new(),
            checkpointed: None,
            looked: None,
            gone: None,
        }
    }

    /// How long between two turns: what is in memory alone must be much younger than the interval.
    pub(crate) fn pause(&self) -> Duration {
        (self.sync_interval / 4).clamp(Duration::from_millis(1), Duration::from_millis(50))
    }

    /// Writes what waits, syncs and checkpoints when it is time, deletes what is done.
    pub(crate) fn turn(&mut self) {
        let now = clock::monotonic();
        self.look(now);
        while let Some(write) = self.holder.with(|log| log.write(now)) {
            let written = self.write(&write);
            let is_written = written.is_ok();
            self.holder.with(|log| match written {
                Ok(len) => log.written(write.begin.is_some(), len),
                Err(error) => fail(log, &error, now),
            });
            if !is_written {
                break;
            }
            self.unsynced.get_or_insert(now);
            // A long backlog of writes does not put off the sync.
            self.sync_if_due(clock::monotonic());
        }
        self.sync_if_due(now);
        self.retire(now);
    }

    /// The last turn: everything that can be is on disk afterwards.
    pub(crate) fn finish(mut self) {
        self.holder.with(Log::retry_now);
        self.sync_interval = Duration::ZERO;
        self.turn();
    }

    /// Looks, once in an interval, whether the folder and the open file are still there: what is written to a file that was
    /// removed is lost.
    fn look(&mut self, now: Instant) {
        let is_due = |at| now.duration_since(at) >= self.sync_interval.saturating_sub(self.pause());
        if !self.looked.is_none_or(is_due) {
            return;
        }
        self.looked = Some(now);
        match self.folder.hold() {
            Ok(held) => {
                if held == Held::Anew || !self.is_linked() {
                    tracing::error!(
                        "the files of the spill were removed: what is still in memory or in the open file is written again"
                    );
                    self.recall();
                }
                if self.gone.take().is_some() {
                    tracing::info!("the folder of the spill is back");
                    self.holder.with(Log::is_back);
                }
            }
            Err(error) => {
                let why = error.to_string();
                if self.gone.as_ref() != Some(&why) {
                    tracing::error!(
                        error = why,
                        "the folder of the spill is gone: events wait in memory, then are refused"
                    );
                    self.gone = Some(why.clone());
                }
                self.recall();
                self.holder.with(|log| log.is_lost(why));
            }
        }
    }

    fn is_linked(&self) -> bool {
        let file = self.file.as_ref();
        file.is_none_or(|open| open.file.metadata().is_ok_and(|data| data.nlink() > 0))
    }

    /// Has what lies in the open file written again, to another one.
    fn recall(&mut self) {
        self.checkpoint.clear();
        self.unsynced = None;
        let Some(mut open) = self.file.take() else {
            return;
        };
        match open.frames() {
            Ok(frames) => self.holder.with(|log| log.recall(open.first, frames)),
            Err(error) => tracing::error!(%error, "the removed file of the spill cannot be read"),
        }
    }

    /// Writes a block, and says how long its file is now.
    fn write(&mut self, write: &Write) -> io::Result<u64> {
        if let Some(first) = write.begin {
            self.sync();
            self.file = None;
            let header = Header {
                first,
                begun: clock::now(),
            };
            let len = header.encode().len();
            self.file = Some(Open {
                file: self.folder.begin(&header)?,
                first,
                len: u64::try_from(len).unwrap_or(u64::MAX),
            });
        }
        let Some(open) = &mut self.file else {
            return Err(io::Error::other("no file is open"));
        };
        if let Err(error) = open.file.write_all(&write.frames) {
            // Half a block would be told as damage after a crash; where this fails too, that is what happens.
            let _cut = open.file.set_len(open.len);
            self.file = None;
            return Err(error);
        }
        open.len += u64::try_from(write.frames.len()).unwrap_or(u64::MAX);
        Ok(open.len)
    }

    fn sync_if_due(&mut self, now: Instant) {
        let is_due = |since: Instant| {
            now.duration_since(since) >= self.sync_interval.saturating_sub(self.pause())
        };
        if self.unsynced.is_some_and(is_due) {
            self.sync();
        }
    }

    fn sync(&mut self) {
        self.unsynced = None;
        if let Some(open) = &self.file
            && let Err(error) = open.file.sync_data()
        {
            tracing::error!(%error, "the spill could not be synced: a loss of power would lose events");
        }
    }

    /// First says what is done, then deletes it, so that after a crash nothing that is gone looks lost.
    fn retire(&mut self, now: Instant) {
        let ((files, lost), checkpoint) = self
            .holder
            .with(|log| (log.retire(), segment::encode_checkpoint(log.checkpoint())));
        if lost > 0 {
            tracing::error!(
                events = lost,
                "events in the spill could not be read any more"
            );
            self.holder.lost(lost);
        }
        let is_due = self
            .checkpointed
            .is_none_or(|at| now.duration_since(at) >= self.sync_interval);
        let is_new = checkpoint != self.checkpoint;
        if is_new && (is_due || !files.is_empty()) {
            // Without it more is replayed after a crash, and nothing is lost.
            match self.folder.write_checkpoint(&checkpoint) {
                Ok(()) => self.checkpoint = checkpoint,
                Err(error) => {
                    tracing::debug!(%error, "the spill's checkpoint could not be written")
                }
            }
            self.checkpointed = Some(now);
        }
        for first in files {
            if self.file.as_ref().is_some_and(|open| open.first == first) {
                self.file = None;
                self.unsynced = None;
            }
            if let Err(error) = self.folder.remove(first)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "a file of the spill could not be deleted");
            }
        }
    }
}

fn fail(log: &mut Log, error: &io::Error, now: Instant) {
    let disk = if folder::is_full(error) {
        Disk::Full
    } else {
        Disk::Failed(error.to_string())
    };
    if log.disk() != &disk {
        tracing::error!(%error, "the spill cannot be written: events wait in memory, then are refused");
    }
    log.write_failed(disk, now);
}
