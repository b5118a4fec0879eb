use super::{Disk, Limits, Log, Stretch};
use crate::{
    outgoing::Topic,
    spill::{
        frame::{self, Item},
        keys::Keys,
        ranges::Ranges,
        segment::HEADER,
    },
};
use std::collections::VecDeque;

/// Makes a log from the files that an earlier run has left, oldest first.
#[derive(Debug)]
pub(crate) struct Restore {
    log: Log,
    found: Found,
    /// Whether what was read last is damage, whose extent only the next frame shows.
    damaged: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Accepted events that will be replayed.
    pub(crate) events: usize,
    /// Records that were damaged. What they were can no longer be told, so each counts as an event.
    pub(crate) lost: usize,
    /// Bytes that are no frame.
    pub(crate) damage: usize,
}

impl Restore {
    /// `done`: the newest checkpoint.
    pub(crate) fn new(limits: Limits, done: Ranges) -> Self {
        let next = done.iter().last().map_or(0, |(_, end)| end);
        let log = Log {
            limits,
            next: 0,
            stored: VecDeque::new(),
            tail: VecDeque::new(),
            is_open: false,
            writing: false,
            older: None,
            done,
            out: Ranges::default(),
            held: Ranges::default(),
            cursor: 0,
            events: 0,
            memory: 0,
            keys: Keys::default(),
            disk: Disk::Fine,
            is_gone: false,
            retry_at: None,
        };
        let mut restore = Self {
            log,
            found: Found::default(),
            damaged: false,
        };
        restore.log.next = next;
        restore
    }

    /// The next file: the ordinal in its name, and its bytes.
    pub(crate) fn add(&mut self, first: u64, bytes: &[u8]) {
        let is_first = self.log.stored.is_empty();
        let mut stretch = Stretch {
            first,
            end: first,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            events: 0,
            memory: None,
            counted: 0,
        };
        if is_first {
            // Files go from the front, once all of them is done.
            self.log.done.insert(0, first);
            self.log.next = first;
        }
        for item in frame::read(bytes.get(HEADER..).unwrap_or_default()) {
            match item {
                Item::Damage(len) => {
                    self.found.damage += len;
                    self.damaged = true;
                }
                // A block that was half written when the disk failed was written again to the next file.
                Item::Frame(frame) if frame.ordinal < self.log.next => {}
                Item::Frame(frame) => {
                    self.miss(self.log.next, frame.ordinal);
                    let is_done = self.log.done.gap_from(frame.ordinal) > frame.ordinal;
                    let message = &frame.message;
                    if !is_done && message.topic == Topic::Events {
                        stretch.events += 1;
                        self.found.events += 1;
                        message
                            .key
                            .into_iter()
                            .for_each(|key| self.log.keys.add(key));
                    }
                    self.log.next = frame.ordinal + 1;
                    self.damaged = false;
                }
            }
        }
        stretch.end = self.log.next.max(first);
        self.log.events += stretch.events;
        self.log.stored.push_back(stretch);
    }

    /// No record that was read has this ordinal, or one above it.
    pub(crate) fn next(&self) -> u64 {
        let checkpointed = self.log.done.iter().last().map_or(0, |(_, end)| end);
        // One above, in case what was read last is damage.
        self.log.next.max(checkpointed) + 1
    }

    /// The log, ready to be replayed from its beginning.
    pub(crate) fn finish(mut self) -> (Log, Found) {
        if self.damaged {
            // Nobody knows how many there were; one at least.
            self.miss(self.log.next, self.log.next + 1);
            self.log.next += 1;
            if let Some(last) = self.log.stored.back_mut() {
                last.end = self.log.next;
            }
        }
        let checkpointed = self.log.done.iter().last().map_or(0, |(_, end)| end);
        self.log.next = self.log.next.max(checkpointed);
        (self.log, self.found)
    }

    /// `start..end` should be there, and are not.
    fn miss(&mut self, start: u64, end: u64) {
        let missing = (end - start) - self.log.done.count(start, end);
        self.found.lost += usize::try_from(missing).unwrap_or(usize::MAX);
        self.log.done.insert(start, end);
    }
}
