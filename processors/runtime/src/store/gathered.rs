//! What was read of one partition of a changelog and is not in the file yet.

use super::{
    changes::{self, Change},
    checkpoint::{Checkpoint, Mark},
    file::{BUCKETS, Bucket},
};
use std::time::Duration;

/// So often a file is told that it is still fresh, though nothing has changed.
pub(crate) const REFRESH: Duration = Duration::from_mins(10);

/// What was read of one partition of a changelog and is not in the file yet.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// By bucket.
    changes: Vec<Vec<u8>>,
    count: u64,
    last: Option<Mark>,
    /// What the file knows, or will know, of its age.
    fresh_at: i64,
    written_fresh_at: i64,
    /// Whether there is anything to write.
    is_due: bool,
    /// Whether this goes on where the file ends, or stands in place of what it has.
    goes_on: bool,
    /// How full the file's buckets are, once one was asked for.
    buckets: Vec<Bucket>,
}

impl Gathered {
    /// Nothing yet, after what the file has.
    pub(crate) fn after(checkpoint: &Checkpoint) -> Self {
        Self {
            last: Some(checkpoint.last),
            fresh_at: checkpoint.fresh_at,
            written_fresh_at: checkpoint.fresh_at,
            goes_on: true,
            ..Self::default()
        }
    }

    /// Takes a change; returns by how many bytes that has grown.
    pub(crate) fn take(&mut self, mark: Mark, change: Change<'_>) -> usize {
        self.changes.resize(BUCKETS, Vec::new());
        let bucket = crc32fast::hash(change.0) as usize % BUCKETS;
        let bucket = &mut self.changes[bucket];
        let before = bucket.len();
        changes::push(bucket, change);
        self.last = Some(mark);
        self.is_due = true;
        self.count += 1;
        bucket.len() - before
    }

    /// The newest record of it, and of the file.
    pub(crate) fn last(&self) -> Option<Mark> {
        self.last
    }

    /// At `now` (milliseconds since the Unix epoch) nothing more was there.
    pub(crate) fn is_whole(&mut self, now: i64) {
        self.fresh_at = now;
        let refresh = i64::try_from(REFRESH.as_millis()).unwrap_or(i64::MAX);
        self.is_due |= now.saturating_sub(self.written_fresh_at) >= refresh;
    }

    /// Whether it waits to be written.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due
    }

    /// Whether this goes on where the file ends, or stands in place of what it has.
    pub(super) fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Up to where the file will be, if there is anything to write. What comes after the newest
    /// record was written no earlier.
    pub(crate) fn checkpoint(&self, now: i64) -> Option<Checkpoint> {
        let last = self.last.filter(|_| self.is_due)?;
        Some(Checkpoint {
            last,
            fresh_at: self.fresh_at.max(last.timestamp.min(now)),
        })
    }

    /// How full the file's buckets are, empty until it is told, and what is to be added to each.
    pub(super) fn buckets(&mut self) -> (&mut Vec<Bucket>, &[Vec<u8>]) {
        (&mut self.buckets, &self.changes)
    }

    /// The file has it now; returns how many changes that were.
    pub(crate) fn written(&mut self) -> u64 {
        self.is_due = false;
        self.goes_on = true;
        self.written_fresh_at = self.fresh_at;
        self.changes.clear();
        std::mem::take(&mut self.count)
    }
}
