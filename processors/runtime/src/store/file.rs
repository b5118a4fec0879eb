//! The file of a store: what each partition of each changelog has come to, and up to where.
//!
//! A table of blocks for each partition, and one of all checkpoints. Both change in one transaction,
//! so that a crash leaves blocks and checkpoint as they belong together. Each key has its bucket,
//! and the blocks of a bucket are put together when they have doubled: writing never costs a
//! search, and the file stays within a small multiple of what it holds.

use super::{
    changes::{self, Change, Damaged},
    checkpoint::Checkpoint,
    gathered::Gathered,
};
use redb::{
    Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, StorageError, Table,
    TableDefinition, TableError,
};
use std::{
    fmt, io,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

pub(crate) const BUCKETS: usize = 32;
/// Dirty pages beyond that are written before their transaction ends.
const CACHE_BYTES: usize = 4 << 20;
/// What a bucket may gather before its blocks are put together, however little it holds.
const LEAST: u64 = 64 << 10;
const CHECKPOINTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("checkpoints");

type Blocks<'a> = TableDefinition<'a, u64, &'static [u8]>;

/// A partition of a changelog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) changelog: Arc<str>,
    pub(crate) partition: i32,
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Making it anew may help.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The disk is full or cannot be written. Waiting may help.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// How full a bucket is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    /// The number of its next block.
    next: u64,
    /// Its bytes when it was put together last.
    whole: u64,
    /// The bytes that came after that.
    more: u64,
}

#[derive(Debug)]
pub(crate) struct File(Database);

impl File {
    /// Opens it, or makes it. Every page is checked first.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        guarded(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES);
            builder.set_check_integrity_on_open(true);
            let database = builder.create(path)?;
            let transaction = database.begin_write()?;
            transaction.open_table(CHECKPOINTS)?;
            transaction.commit()?;
            Ok(Self(database))
        })
    }

    /// What it has of a partition, if anything.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn snapshot(&self, place: &Place) -> Result<Option<Snapshot>, Error> {
        let name = place.to_string();
        guarded(|| {
            let transaction = self.0.begin_read()?;
            let found = transaction.open_table(CHECKPOINTS)?.get(&*name)?;
            let Some(found) = found.map(|bytes| Checkpoint::from_bytes(bytes.value())) else {
                return Ok(None);
            };
            let checkpoint = found.ok_or_else(|| damaged("a checkpoint is none"))?;
            Ok(Some(Snapshot {
                transaction,
                name,
                checkpoint,
            }))
        })
    }

    /// Writes what has gathered at `now` (milliseconds since the Unix epoch), all or nothing.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn write(
        &self,
        gathered: &mut [(Place, &mut Gathered)],
        now: i64,
    ) -> Result<(), Error> {
        guarded(|| {
            let transaction = self.0.begin_write()?;
            for (place, gathered) in gathered {
                let Some(checkpoint) = gathered.checkpoint(now) else {
                    continue;
                };
                let name = place.to_string();
                if !gathered.goes_on() {
                    transaction.delete_table(Blocks::new(&name))?;
                }
                let mut checkpoints = transaction.open_table(CHECKPOINTS)?;
                checkpoints.insert(&*name, &checkpoint.to_bytes()[..])?;
                let mut table = transaction.open_table(Blocks::new(&name))?;
                let (buckets, changes) = gathered.buckets();
                if buckets.is_empty() {
                    *buckets = find_buckets(&table)?;
                }
                for (number, (bucket, changes)) in (0..).zip(buckets.iter_mut().zip(changes)) {
                    add(&mut table, number, bucket, changes)?;
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Forgets the partitions that cannot be built on any more, at `now` (milliseconds since the
    /// Unix epoch).
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn remove_old(&self, now: i64) -> Result<(), Error> {
        let old = guarded(|| {
            let checkpoints = self.0.begin_read()?.open_table(CHECKPOINTS)?;
            let mut old = Vec::new();
            for found in checkpoints.iter()? {
                let (name, checkpoint) = found?;
                let checkpoint = Checkpoint::from_bytes(checkpoint.value());
                if checkpoint.is_none_or(|checkpoint| checkpoint.check_age(now).is_err()) {
                    old.push(name.value().to_owned());
                }
            }
            Ok(old)
        })?;
        if old.is_empty() {
            return Ok(());
        }
        guarded(|| {
            let transaction = self.0.begin_write()?;
            for name in &old {
                transaction.open_table(CHECKPOINTS)?.remove(&**name)?;
                transaction.delete_table(Blocks::new(name))?;
            }
            transaction.commit()?;
            Ok(())
        })
    }
}

/// A partition as it was when it was asked for; what is written since does not show.
pub(crate) struct Snapshot {
    transaction: ReadTransaction,
    name: String,
    checkpoint: Checkpoint,
}

impl Snapshot {
    pub(crate) fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Hands each change to `take`; one key may come more than once, the newest last.
    ///
    /// # Errors
    /// [`Error`], or that of `take`.
    pub(crate) fn read(
        &self,
        mut take: impl FnMut(Change<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut blocks = guarded(|| {
            let table = self.transaction.open_table(Blocks::new(&self.name))?;
            Ok(table.range::<u64>(..)?)
        })?;
        while let Some(block) = guarded(|| Ok(blocks.next().transpose()?))? {
            let inside = changes::inside(block.1.value()).map_err(Error::from)?;
            for change in changes::read(inside) {
                take(change.map_err(Error::from)?)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    /// No topic has a slash in its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.changelog, self.partition)
    }
}

fn numbers(bucket: u64) -> Range<u64> {
    (bucket << 48)..((bucket + 1) << 48)
}

fn find_buckets(table: &Table<'_, u64, &'static [u8]>) -> Result<Vec<Bucket>, Error> {
    let mut buckets = vec![Bucket::default(); BUCKETS];
    for found in table.iter()? {
        let (number, block) = found?;
        let (number, length) = (number.value(), block.value().len());
        let bucket = usize::try_from(number >> 48).ok();
        let bucket = bucket.and_then(|bucket| buckets.get_mut(bucket));
        let bucket = bucket.ok_or_else(|| damaged("a block is in no bucket"))?;
        bucket.next = (number & ((1 << 48) - 1)) + 1;
        bucket.whole += length as u64;
    }
    Ok(buckets)
}

/// Adds changes to a bucket, and puts it together when it is due.
fn add(
    table: &mut Table<'_, u64, &'static [u8]>,
    number: u64,
    bucket: &mut Bucket,
    changes: &[u8],
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    bucket.more += changes.len() as u64;
    if bucket.more <= bucket.whole.max(LEAST) {
        return insert(table, number, bucket, changes).map(|_| ());
    }
    let mut all = Vec::new();
    for found in table.range(numbers(number))? {
        all.extend_from_slice(changes::inside(found?.1.value())?);
    }
    all.extend_from_slice(changes);
    table.retain_in(numbers(number), |_, _| false)?;
    *bucket = Bucket::default();
    bucket.whole = insert(table, number, bucket, &changes::newest(&all)?)?;
    Ok(())
}

/// Returns how many bytes it has put in.
fn insert(
    table: &mut Table<'_, u64, &'static [u8]>,
    number: u64,
    bucket: &mut Bucket,
    changes: &[u8],
) -> Result<u64, Error> {
    let mut bytes = 0;
    for block in changes::blocks(changes)? {
        table.insert(numbers(number).start + bucket.next, &*block)?;
        bucket.next += 1;
        bytes += block.len() as u64;
    }
    Ok(bytes)
}

/// A file that was changed by somebody else may make the library panic.
fn guarded<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(damaged("see the log")))
}

fn damaged(what: &str) -> Error {
    Error::Damaged(what.into())
}

impl From<Damaged> for Error {
    fn from(error: Damaged) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<redb::Error> for Error {
    fn from(error: redb::Error) -> Self {
        // A file that ends before it should, or begins with something else, is damaged.
        let by_itself = [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData];
        if let redb::Error::Io(error) = &error
            && !by_itself.contains(&error.kind())
        {
            return Self::Io(io::Error::new(error.kind(), error.to_string()));
        }
        let is_passing = matches!(
            error,
            redb::Error::DatabaseAlreadyOpen | redb::Error::PreviousIo
        );
        if is_passing {
            Self::Io(io::Error::other(error))
        } else {
            Self::Damaged(error.to_string())
        }
    }
}

/// All errors of the library come to one.
macro_rules! from_each {
    ($($error:ty),*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

from_each!(
    StorageError,
    TableError,
    redb::DatabaseError,
    redb::TransactionError,
    redb::CommitError
);
