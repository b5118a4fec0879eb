//! What an earlier run has left and is still being read: newer records are already taken, in files of their own.

use super::{Limits, Log, Restore};
use crate::spill::ranges::Ranges;

/// Files that are still to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Older {
    /// The ordinal of the first one.
    pub(crate) first: u64,
    /// Of all of them.
    pub(crate) bytes: u64,
}

impl Log {
    /// A log for newer records alone. `next`: no older record has this ordinal or one above it. `done`: the newest
    /// checkpoint.
    pub(crate) fn behind(older: Older, next: u64, mut done: Ranges, limits: Limits) -> Self {
        // The older ones may end one ordinal earlier or later, where their end is damaged.
        done.insert(next, next + 1);
        let (mut log, _) = Restore::new(limits, done).finish();
        log.cursor = log.next;
        log.older = Some(older);
        log
    }

    /// Whether older records are still to be read. Until then nothing is replayed, and every request has to wait behind
    /// them.
    pub(crate) fn is_behind(&self) -> bool {
        self.older.is_some()
    }

    /// The older records have been read.
    pub(crate) fn join(&mut self, mut older: Self) {
        let newer = self.stored.front().or(self.tail.front());
        let newer = newer.map_or(self.next, |stretch| stretch.first);
        older.done.insert(older.next, newer);
        for (start, end) in self.done.iter() {
            older.done.insert(start, end);
        }
        self.done = older.done;
        older.stored.append(&mut self.stored);
        self.stored = older.stored;
        self.events += older.events;
        self.keys.join(&older.keys);
        self.cursor = 0;
        self.older = None;
    }
}
