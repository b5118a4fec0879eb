//! The log's way to disk: what is written next, and which files are done with.

use super::{Disk, Log, Stretch};
use crate::spill::{keys::Keys, ranges::Ranges, segment::HEADER};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long until the disk is tried again after it failed.
const RETRY: Duration = Duration::from_secs(1);

/// What is to be written next.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) frames: Arc<Vec<u8>>,
    /// Begin a new file with this ordinal, or append to the newest.
    pub(crate) begin: Option<u64>,
}

impl Log {
    /// What is to be written now, if anything. It is being written until [`Log::written`] or [`Log::write_failed`].
    pub(crate) fn write(&mut self, now: Instant) -> Option<Write> {
        if self.writing || self.is_gone || self.retry_at.is_some_and(|at| now < at) {
            return None;
        }
        let block = self.tail.front()?;
        let head = u64::try_from(HEADER).unwrap_or(u64::MAX);
        let on_disk = self
            .stored
            .iter()
            .filter(|stretch| stretch.memory.is_none());
        let used: u64 = on_disk.map(|stretch| stretch.bytes).sum();
        let used = used + self.older.map_or(0, |older| older.bytes);
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

    /// The folder is not there any more; `why` in words. Until [`Log::is_back`] nothing is written.
    pub(crate) fn is_lost(&mut self, why: String) {
        self.is_gone = true;
        self.is_open = false;
        self.disk = Disk::Failed(why);
    }

    /// The folder is there, maybe a new one.
    pub(crate) fn is_back(&mut self) {
        self.is_gone = false;
        self.retry_at = None;
        if self.tail.is_empty() {
            self.disk = Disk::Fine;
        }
    }

    /// The newest file was removed, and these are its frames: they are to be written again. `first`: its first ordinal.
    pub(crate) fn recall(&mut self, first: u64, frames: Vec<u8>) {
        self.is_open = false;
        let Some(file) = self.stored.pop_back_if(|file| file.first == first) else {
            return;
        };
        let counted = frames.len();
        self.memory += counted;
        self.tail.push_front(Stretch {
            bytes: u64::try_from(counted).unwrap_or(u64::MAX),
            memory: Some(Arc::new(frames)),
            counted,
            ..file
        });
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
                if !self.is_gone {
                    self.disk = Disk::Fine;
                }
            }
        }
        (files, lost)
    }

    /// The records that need not be replayed after a restart.
    pub(crate) fn checkpoint(&self) -> &Ranges {
        &self.done
    }
}
