//! The work on one partition, and others that look at it between two records.

use super::{
    lock,
    seats::{Place, Seats},
    shown,
};
use crate::feed::Feed;
use footfall_streams::StreamsTask;
use footfall_task::{Effects, Offset, Record, RestoreError, Task, Timestamp, Upstream};
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A task that others may look at.
#[derive(Debug)]
pub(crate) struct Watched {
    task: Mutex<StreamsTask>,
    is_at_work: AtomicBool,
}

impl Watched {
    pub(super) fn new(task: StreamsTask) -> Self {
        Self {
            task: Mutex::new(task),
            is_at_work: AtomicBool::new(false),
        }
    }

    /// Whether its state is all there; before that, it comes back from its changelog.
    pub(crate) fn is_at_work(&self) -> bool {
        self.is_at_work.load(Ordering::Acquire)
    }

    /// Holds up the work for as long as the answer is kept.
    pub(crate) fn look(&self) -> MutexGuard<'_, StreamsTask> {
        lock(&self.task)
    }
}

/// The side that works.
#[derive(Debug)]
pub(crate) struct Working {
    pub(super) task: Arc<Watched>,
    pub(super) place: Place,
    pub(super) seats: Arc<Seats>,
    pub(super) tail: Option<Arc<Feed>>,
}

impl Task for Working {
    fn changelogs(&self) -> Vec<Arc<str>> {
        self.task.look().changelogs()
    }

    fn restore(
        &mut self,
        changelog: &str,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), RestoreError> {
        self.task.look().restore(changelog, key, value)
    }

    fn restored(&mut self) -> Result<(), RestoreError> {
        self.task.look().restored()
    }

    fn reads_from(&mut self, reader: &str, offset: Option<Offset>) {
        self.task.look().reads_from(reader, offset);
    }

    fn catch_up(
        &mut self,
        reader: &str,
        record: &Record<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        self.task.look().catch_up(reader, record, now, effects);
    }

    fn process(&mut self, record: &Record<'_>, now: Timestamp, effects: &mut Effects) {
        if let Some(tail) = &self.tail {
            tail.push(shown(record).into());
        }
        self.task.look().process(record, now, effects);
    }

    fn upstream(&self) -> Vec<Arc<str>> {
        self.task.look().upstream()
    }

    fn begin_look(&mut self) -> bool {
        self.task.look().begin_look()
    }

    fn look(&mut self, upstream: &[Upstream]) -> bool {
        self.task.look().look(upstream)
    }

    fn tick(&mut self, clock: Duration) -> bool {
        // The first sign that everything is restored.
        if !self.task.is_at_work.swap(true, Ordering::AcqRel) {
            self.seats.is_there(&self.place);
        }
        self.task.look().tick(clock)
    }

    fn waiting(&self) -> usize {
        self.task.look().waiting()
    }

    fn refill(&mut self, changelog: &str) {
        self.task.look().refill(changelog);
    }

    fn commit(&mut self, effects: &mut Effects) {
        self.task.look().commit(effects);
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.seats.end(&self.place, &self.task);
    }
}
