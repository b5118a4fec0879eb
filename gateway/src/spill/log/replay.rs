//! The log's way to Kafka: where the records lie that are replayed next.

use super::{Disk, Log};
use crate::spill::ranges::Ranges;
use std::sync::Arc;

/// Where the next records to be replayed are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// In the first `len` bytes of the file that begins with `first`.
    File { len: u64 },
    /// In memory.
    Memory(Arc<Vec<u8>>),
}

/// What is to be replayed next.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) source: Source,
    /// The first ordinal of that source.
    pub(crate) first: u64,
    /// The ordinals `from..until` wait, `until` at the latest the end of the source.
    pub(crate) from: u64,
    pub(crate) until: u64,
}

impl Log {
    /// A replayed record did not reach Kafka: it is replayed again.
    pub(crate) fn give_back(&mut self, ordinal: u64) {
        self.out.remove(ordinal, ordinal + 1);
        self.cursor = self.cursor.min(ordinal);
    }

    /// Records of a file that cannot be read any more. Its events are counted when the file goes.
    pub(crate) fn lose(&mut self, first: u64, end: u64) {
        let mut at = self.waiting_from(first);
        while at < end {
            self.done.insert(at, at + 1);
            at = self.waiting_from(at + 1);
        }
    }

    /// `first..end` are on their way to Kafka.
    pub(crate) fn send(&mut self, first: u64, end: u64) {
        self.out.insert(first, end);
    }

    /// A record is passed over, until all that are held are released.
    pub(crate) fn hold(&mut self, ordinal: u64) {
        self.held.insert(ordinal, ordinal + 1);
    }

    /// What was held may go.
    pub(crate) fn release(&mut self) {
        let first = self.held.iter().map(|(first, _)| first).next();
        if let Some(first) = first {
            self.cursor = self.cursor.min(first);
            self.held = Ranges::default();
        }
    }

    /// Where the next records to be replayed are, if any can be read.
    pub(crate) fn due(&mut self) -> Option<Due> {
        self.cursor = self.waiting_from(self.cursor);
        let from = self.cursor;
        let stored_end = self.stored.back().map_or(0, |stretch| stretch.end);
        let is_blocked = self.disk != Disk::Fine && !self.writing;
        if from >= stored_end
            && is_blocked
            && let Some(block) = self.tail.pop_front()
        {
            // The disk does not take it, but Kafka may.
            self.is_open = false;
            self.stored.push_back(block);
        }
        let stretch = self.stored.iter().find(|stretch| from < stretch.end)?;
        let from = from.max(stretch.first);
        let source = match &stretch.memory {
            Some(frames) => Source::Memory(frames.clone()),
            None => Source::File { len: stretch.bytes },
        };
        let (first, end) = (stretch.first, stretch.end);
        let until = self.taken_from(from).map_or(end, |taken| taken.min(end));
        Some(Due {
            source,
            first,
            from,
            until,
        })
    }

    /// The first ordinal from `at` on that is neither done, nor on its way, nor held.
    fn waiting_from(&self, mut at: u64) -> u64 {
        loop {
            let next = self.done.gap_from(at);
            let next = self.held.gap_from(self.out.gap_from(next));
            if next == at {
                return at;
            }
            at = next;
        }
    }

    /// The first ordinal from `at` on that must not be sent, because it is done, on its way or held.
    fn taken_from(&self, at: u64) -> Option<u64> {
        let next = [&self.done, &self.out, &self.held].map(|set| set.next_from(at));
        next.into_iter().flatten().min()
    }
}
