//! The spill's state, without any I/O: an append-only log whose oldest part lies in segment files, and whose newest part,
//! the tail, is still in memory. Records leave it in any order, files from the front.

mod restore;
#[cfg(test)]
mod tests;

pub(crate) use restore::{Found, Restore};

use super::{frame, keys::Keys, ranges::Ranges};
use crate::outgoing::{Message, Topic};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// About how long a block is that is written at once.
const BLOCK: usize = 256 << 10;
/// How long until the disk is tried again after it failed.
const RETRY: Duration = Duration::from_secs(1);

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

/// What is to be written next.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) frames: Arc<Vec<u8>>,
    /// Begin a new file with this ordinal, or append to the newest.
    pub(crate) begin: Option<u64>,
}

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
    /// Records that need not be replayed any more.
    done: Ranges,
    /// Records that are on their way to Kafka.
    out: Ranges,
    /// Below it there is nothing to be replayed.
    cursor: u64,
    events: usize,
    memory: usize,
    keys: Keys,
    disk: Disk,
    retry_at: Option<Instant>,
}

impl Log {
    /// Accepted events that wait here, and nowhere else.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// Bytes on disk, and those that are on their way there.
    pub(crate) fn bytes(&self) -> u64 {
        self.stored
            .iter()
            .chain(&self.tail)
            .map(|stretch| stretch.bytes)
            .sum()
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether nothing at all lies here.
    pub(crate) fn is_empty(&self) -> bool {
        self.stored.is_empty() && self.tail.is_empty()
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
        self.stored.front().map(|stretch| stretch.first)
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

    /// A replayed record did not reach Kafka: it is replayed again.
    pub(crate) fn give_back(&mut self, ordinal: u64) {
        self.out.remove(ordinal, ordinal + 1);
        self.cursor = self.cursor.min(ordinal);
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

    /// The first ordinal from `at` on that is neither done nor on its way.
    fn waiting_from(&self, mut at: u64) -> u64 {
        loop {
            let next = self.out.gap_from(self.done.gap_from(at));
            if next == at {
                return at;
            }
            at = next;
        }
    }

    /// The first ordinal from `at` on that must not be sent, because it is done or on its way.
    fn taken_from(&self, at: u64) -> Option<u64> {
        let next = [&self.done, &self.out].map(|set| set.next_from(at));
        next.into_iter().flatten().min()
    }

    /// What is to be written now, if anything. It is being written until [`Log::written`] or [`Log::write_failed`].
    pub(crate) fn write(&mut self, now: Instant) -> Option<Write> {
        if self.writing || self.retry_at.is_some_and(|at| now < at) {
            return None;
        }
        let block = self.tail.front()?;
        let head = u64::try_from(super::segment::HEADER).unwrap_or(u64::MAX);
        let on_disk = self
            .stored
            .iter()
            .filter(|stretch| stretch.memory.is_none());
        let used: u64 = on_disk.map(|stretch| stretch.bytes).sum();
        if used + head + block.bytes > self.limits.disk {
            self.disk = Disk::Full;
            return None;
        }
        let newest = self.stored.back();
        let appends = self.is_open && newest.is_some_and(|file| file.bytes < self.limits.segment());
        self.writing = true;
        Some(Write {
            frames: block.memory.clone()?,
            begin: (!appends).then_some(block.first),
        })
    }

    /// The front of the tail is on disk; `file_len` is the length of its file.
    pub(crate) fn written(&mut self, begun: bool, file_len: u64) {
        self.writing = false;
        self.retry_at = None;
        self.disk = Disk::Fine;
        let Some(block) = self.tail.pop_front() else {
            return;
        };
        self.memory -= block.counted;
        let block = Stretch {
            memory: None,
            counted: 0,
            bytes: file_len,
            ..block
        };
        self.is_open = true;
        match self.stored.back_mut() {
            Some(file) if !begun => {
                file.end = block.end;
                file.bytes = file_len;
                file.events += block.events;
            }
            _ => self.stored.push_back(block),
        }
    }

    /// The front of the tail is not on disk. The file it was meant for is closed.
    pub(crate) fn write_failed(&mut self, disk: Disk, now: Instant) {
        self.writing = false;
        self.is_open = false;
        self.disk = disk;
        self.retry_at = Some(now + RETRY);
    }

    /// Tries the disk again now, whenever it failed.
    pub(crate) fn retry_now(&mut self) {
        self.retry_at = None;
    }

    /// Files, by their first ordinals, that hold nothing any more, and how many events in them could not be read.
    /// The caller deletes them.
    pub(crate) fn retire(&mut self) -> (Vec<u64>, usize) {
        let (mut files, mut lost) = (Vec::new(), 0);
        while let Some(front) = self.stored.front() {
            let is_done = self.done.gap_from(front.first) >= front.end;
            if !is_done || (self.writing && self.stored.len() == 1) {
                break;
            }
            let Some(front) = self.stored.pop_front() else {
                break;
            };
            match front.memory {
                Some(_) => self.memory -= front.counted,
                None => files.push(front.first),
            }
            lost += front.events;
        }
        self.events -= lost;
        if self.stored.is_empty() {
            self.is_open = false;
            if self.tail.is_empty() {
                // Unreadable records leave their keys behind.
                self.keys = Keys::default();
                self.disk = Disk::Fine;
            }
        }
        (files, lost)
    }

    /// The records that need not be replayed after a restart.
    pub(crate) fn checkpoint(&self) -> &Ranges {
        &self.done
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
