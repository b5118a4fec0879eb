//! The spill's state, without any I/O: an append-only log whose oldest part lies in segment files, and whose newest part,
//! the tail, is still in memory. Records leave it in any order, files from the front.

mod disk;
mod older;
mod replay;
mod restore;
#[cfg(test)]
mod tests;

pub(crate) use disk::Write;
pub(crate) use older::Older;
pub(crate) use replay::{Due, Source};
pub(crate) use restore::{Found, Restore};

use super::{frame, keys::Keys, ranges::Ranges};
use crate::outgoing::{Message, Topic};
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// About how long a block is that is written at once.
const BLOCK: usize = 256 << 10;
/// How large the log may grow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// On disk.
    pub(crate) disk: u64,
    /// Of the tail, as long as the disk does not take it.
    pub(crate) memory: usize,
}

impl Limits {
    /// A file is given back when all of it has been replayed, so there should be several of them.
    fn segment(&self) -> u64 {
        (self.disk / 16).clamp(64 << 10, 4 << 20)
    }
}

/// Whether the disk takes what it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    Fine,
    /// `spill.max_bytes` are used, or the file system has no room.
    Full,
    /// In words.
    Failed(String),
}

/// A stretch of the log: a file, or a block in memory.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) first: u64,
    pub(crate) end: u64,
    /// Of the file, or of the block.
    bytes: u64,
    /// Accepted events that wait here, and nowhere else.
    events: usize,
    /// The frames, while they are not on disk.
    memory: Option<Arc<Vec<u8>>>,
    /// Whether it counts against the memory limit: copies of what is still in the queue do not.
    counted: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Log {
    limits: Limits,
    /// The ordinal of the next record.
    next: u64,
    /// What has been written, and blocks that are replayed from memory because they could not be.
    stored: VecDeque<Stretch>,
    /// What is to be written.
    tail: VecDeque<Stretch>,
    /// Whether the newest file can be appended to.
    is_open: bool,
    /// Whether the front of the tail is being written right now.
    writing: bool,
    older: Option<Older>,
    /// Records that need not be replayed any more.
    done: Ranges,
    /// Records that are on their way to Kafka.
    out: Ranges,
    /// Records whose partition takes nothing for now.
    held: Ranges,
    /// Below it there is nothing to be replayed.
    cursor: u64,
    events: usize,
    memory: usize,
    keys: Keys,
    disk: Disk,
    /// The folder is gone: nothing is written until it is back.
    is_gone: bool,
    retry_at: Option<Instant>,
}

impl Log {
    /// Accepted events that wait here, and nowhere else.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// Bytes on disk, and those that are on their way there.
    pub(crate) fn bytes(&self) -> u64 {
        let own = self.stored.iter().chain(&self.tail);
        let own: u64 = own.map(|stretch| stretch.bytes).sum();
        own + self.older.map_or(0, |older| older.bytes)
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether nothing at all lies here.
    pub(crate) fn is_empty(&self) -> bool {
        self.stored.is_empty() && self.tail.is_empty() && !self.is_behind()
    }

    /// Whether everything that lies here is on disk.
    pub(crate) fn is_written(&self) -> bool {
        self.tail.is_empty() && self.stored.iter().all(|stretch| stretch.memory.is_none())
    }

    /// Whether so many bytes more have room.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.memory.saturating_add(bytes) <= self.limits.memory
    }

    /// Whether records with this key wait here, so that newer ones have to wait behind them.
    pub(crate) fn has_key(&self, key: &[u8]) -> bool {
        self.keys.has(key)
    }

    /// The oldest ordinal that lies here.
    pub(crate) fn oldest_file(&self) -> Option<u64> {
        let own = self.stored.front().map(|stretch| stretch.first);
        self.older.map(|older| older.first).or(own)
    }

    /// Appends a record that lies nowhere else.
    pub(crate) fn append(&mut self, message: &Message<'_>) {
        let ordinal = self.push(message, true);
        self.own(ordinal, message.topic, message.key);
    }

    /// Appends a copy of a record that is on its way to Kafka, and says which one it is.
    pub(crate) fn copy(&mut self, message: &Message<'_>) -> u64 {
        let ordinal = self.push(message, false);
        self.out.insert(ordinal, ordinal + 1);
        ordinal
    }

    /// The record of a copy did not reach Kafka: it lies only here now.
    pub(crate) fn adopt(&mut self, ordinal: u64, topic: Topic, key: Option<&[u8]>) {
        self.own(ordinal, topic, key);
        self.give_back(ordinal);
    }

    /// The record of a copy is on Kafka.
    pub(crate) fn copy_done(&mut self, ordinal: u64) {
        self.out.remove(ordinal, ordinal + 1);
        self.done.insert(ordinal, ordinal + 1);
    }

    /// A record that lay only here has met its end, on Kafka or not.
    pub(crate) fn done(&mut self, ordinal: u64, topic: Topic, key: Option<&[u8]>) {
        self.copy_done(ordinal);
        if topic == Topic::Events {
            // Late news of what was abandoned changes nothing.
            self.events = self.events.saturating_sub(1);
            if let Some(stretch) = self.stretch(ordinal) {
                stretch.events = stretch.events.saturating_sub(1);
            }
            if let Some(key) = key {
                self.keys.remove(key);
            }
        }
    }

    /// Gives up what could not be written, and says how many events that were.
    pub(crate) fn abandon(&mut self) -> usize {
        let in_memory = self.stored.iter_mut().chain(&mut self.tail);
        let in_memory = in_memory.filter(|stretch| stretch.memory.is_some());
        let lost: usize = in_memory
            .map(|stretch| std::mem::take(&mut stretch.events))
            .sum();
        self.events -= lost;
        lost
    }

    fn own(&mut self, ordinal: u64, topic: Topic, key: Option<&[u8]>) {
        if topic == Topic::Events {
            self.events += 1;
            if let Some(stretch) = self.stretch(ordinal) {
                stretch.events += 1;
            }
            if let Some(key) = key {
                self.keys.add(key);
            }
        }
    }

    /// Puts a record at the end of the tail.
    fn push(&mut self, message: &Message<'_>, counts: bool) -> u64 {
        let ordinal = self.next;
        self.next += 1;
        let open = self.tail.back_mut().and_then(|block| {
            // A block that is being written is shared, and complete.
            let frames = Arc::get_mut(block.memory.as_mut()?)?;
            (frames.len() < BLOCK).then_some(())?;
            Some(())
        });
        if open.is_none() || (self.writing && self.tail.len() == 1) {
            self.tail.push_back(Stretch {
                first: ordinal,
                end: ordinal,
                bytes: 0,
                events: 0,
                memory: Some(Arc::new(Vec::with_capacity(BLOCK / 4))),
                counted: 0,
            });
        }
        if let Some(block) = self.tail.back_mut()
            && let Some(frames) = block.memory.as_mut().and_then(Arc::get_mut)
        {
            let before = frames.len();
            frame::append(frames, ordinal, message);
            let added = frames.len() - before;
            block.end = ordinal + 1;
            block.bytes += u64::try_from(added).unwrap_or(u64::MAX);
            if counts {
                block.counted += added;
                self.memory += added;
            }
        }
        ordinal
    }

    fn stretch(&mut self, ordinal: u64) -> Option<&mut Stretch> {
        let list = match self.tail.front() {
            Some(front) if front.first <= ordinal => &mut self.tail,
            _ => &mut self.stored,
        };
        let index = list.partition_point(|stretch| stretch.end <= ordinal);
        list.get_mut(index)
    }
}
