//! The windows of one stream in one partition.

mod emission;
mod fixed;
mod idle;
mod panes;
mod progress;
mod sessions;
mod size;

pub(crate) use panes::Pane;
pub(crate) use progress::{Progress, Reached};
pub(crate) use sessions::SavedSession;
pub use size::Size;
pub(crate) use size::of_record;

use crate::{Accumulator, Definition, Function, Input, Window, aggregate::Place};
use fixed::Fixed;
use footfall_task::Upstream;
use sessions::Sessions;
use std::{collections::BTreeSet, ops::Range, sync::Arc, time::Duration};

pub(crate) type Key = Arc<[u8]>;

/// The windows of one stream in one partition.
#[derive(Debug)]
pub struct State {
    held: Held,
    /// How far the source partitions have come, where there are several behind this one.
    progress: Option<Progress>,
}

#[derive(Debug)]
enum Held {
    Fixed(Fixed),
    Sessions(Sessions),
}

/// What one key has gathered in one window.
#[derive(Clone, Debug)]
pub struct WindowResult {
    /// Which window.
    pub window: Window,
    /// Which key.
    pub key: Arc<[u8]>,
    /// The greatest event time that it holds, in milliseconds since the Unix epoch.
    pub newest: i64,
    /// In the order of the stream's definition.
    pub values: Vec<Accumulator>,
    /// What has closed the window, when this is the last word.
    pub closed_by: Option<ClosedBy>,
}

/// What has closed a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClosedBy {
    /// A record with a later event time.
    Time,
    /// The wall clock, because no record came.
    Idle,
}

impl ClosedBy {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Idle => "idle",
        }
    }
}

impl State {
    /// No window yet.
    pub(crate) fn new(definition: &Definition) -> Self {
        let functions = definition.aggregates.iter();
        let functions = functions
            .map(|aggregation| aggregation.function.clone())
            .collect();
        let held = match definition.windows.session_gap() {
            None => Held::Fixed(Fixed::new(definition, functions)),
            Some(gap) => Held::Sessions(Sessions::new(definition, gap.as_millis(), functions)),
        };
        Self {
            held,
            progress: None,
        }
    }

    /// With stream time by the source partitions behind this one.
    pub(crate) fn behind(self, progress: Progress) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// The event time up to which this partition has come: the greatest that it has seen; behind
    /// several source partitions, the least that those have reached.
    #[must_use]
    pub fn stream_time(&self) -> Option<i64> {
        match &self.held {
            Held::Fixed(fixed) => fixed.stream_time(),
            Held::Sessions(sessions) => sessions.stream_time(),
        }
    }

    /// How much it holds.
    #[must_use]
    pub fn size(&self) -> Size {
        match &self.held {
            Held::Fixed(fixed) => fixed.size(),
            Held::Sessions(sessions) => sessions.size(),
        }
    }

    /// About how much a commit would say and change, at most.
    pub(crate) fn waiting(&self) -> usize {
        match &self.held {
            Held::Fixed(fixed) => fixed.waiting(),
            Held::Sessions(sessions) => sessions.waiting(),
        }
    }

    /// A record of this time has come by way of these source partitions, if it has by several.
    /// Stream time goes on, and windows close, before it is added.
    pub(crate) fn reach<'a>(
        &mut self,
        places: impl IntoIterator<Item = (&'a str, i32)>,
        time: i64,
    ) {
        let reached = match &mut self.progress {
            None => Some(time),
            Some(progress) => {
                progress.record(places, time);
                progress.least()
            }
        };
        self.advance(reached);
    }

    fn advance(&mut self, reached: Option<i64>) {
        let Some(time) = reached.filter(|time| Some(*time) > self.stream_time()) else {
            return;
        };
        match &mut self.held {
            Held::Fixed(fixed) => fixed.advance(time),
            Held::Sessions(sessions) => sessions.advance(time),
        }
    }

    /// The source partitions behind this one, if they are several.
    pub(crate) fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// As [`Task::begin_look`](footfall_task::Task::begin_look).
    pub(crate) fn begin_look(&mut self) -> bool {
        self.progress.as_mut().is_some_and(Progress::begin_look)
    }

    /// As [`Task::look`](footfall_task::Task::look).
    pub(crate) fn look(&mut self, upstream: &[Upstream]) -> bool {
        let Some(progress) = &mut self.progress else {
            return false;
        };
        progress.look(upstream);
        let (reached, before) = (progress.least(), self.stream_time());
        self.advance(reached);
        self.stream_time() != before
    }

    /// Whether source partitions have come further since the last call.
    pub(crate) fn has_progressed(&mut self) -> bool {
        self.progress.as_mut().is_some_and(Progress::take_changed)
    }

    /// Takes a record; returns the windows that refuse it because they have closed, by end.
    pub(crate) fn add(&mut self, key: &[u8], place: Place, inputs: &[Input]) -> Vec<Window> {
        match &mut self.held {
            Held::Fixed(fixed) => fixed.add(key, place, inputs),
            Held::Sessions(sessions) => sessions.add(key, place, inputs),
        }
    }

    /// The wall clock has gone on. Returns whether that has closed windows.
    pub(crate) fn tick(&mut self, clock: Duration) -> bool {
        if let Some(progress) = &mut self.progress {
            progress.tick(clock);
        }
        match &mut self.held {
            Held::Fixed(fixed) => fixed.tick(clock),
            Held::Sessions(sessions) => sessions.tick(clock),
        }
    }

    /// Takes what has changed since the last call. Says what is due, and shows each pane or session
    /// that is new or other than before, with its start and its key; `change` returns the bytes of
    /// its record.
    pub(crate) fn commit(
        &mut self,
        say: impl FnMut(Said<'_>),
        mut change: impl FnMut(i64, &[u8], &Changed<'_>) -> u32,
    ) -> Commit {
        match &mut self.held {
            Held::Fixed(fixed) => fixed.commit(say, |start, key, pane| {
                change(start, key, &Changed::Pane(pane))
            }),
            Held::Sessions(sessions) => sessions.commit(say, change),
        }
    }

    /// Everything counts as changed since the last commit.
    pub(crate) fn refill(&mut self) {
        match &mut self.held {
            Held::Fixed(fixed) => fixed.refill(),
            Held::Sessions(sessions) => sessions.refill(),
        }
    }

    /// The windows that still take records and start in `starts`, by start, then key.
    pub fn open_windows(&self, starts: Range<i64>, key: Option<&[u8]>) -> Vec<WindowResult> {
        match &self.held {
            Held::Fixed(fixed) => fixed.open_windows(starts, key),
            Held::Sessions(sessions) => sessions.open(&starts, key),
        }
    }

    /// Puts back a pane of an earlier life.
    pub(crate) fn restore_pane(&mut self, start: i64, key: &[u8], saved: Option<Saved>) {
        if let Held::Fixed(fixed) = &mut self.held {
            fixed.restore_pane(start, key, saved);
        }
    }

    /// Puts back a session of an earlier life.
    pub(crate) fn restore_session(&mut self, start: i64, key: &[u8], saved: Option<SavedSession>) {
        if let Held::Sessions(sessions) = &mut self.held {
            sessions.restore(start, key, saved);
        }
    }

    /// Puts back the stream time of an earlier life.
    pub(crate) fn restore_stream_time(&mut self, time: i64) {
        match &mut self.held {
            Held::Fixed(fixed) => fixed.restore_stream_time(time),
            Held::Sessions(sessions) => sessions.restore_stream_time(time),
        }
    }

    /// Puts back how far the source partitions had come in an earlier life.
    pub(crate) fn restore_reached(&mut self, reached: &Reached) {
        if let Some(progress) = &mut self.progress {
            progress.restore(reached);
        }
    }

    /// Puts back which windows were closed by the clock in an earlier life.
    pub(crate) fn restore_idle_closed(&mut self, starts: BTreeSet<i64>) {
        if let Held::Fixed(fixed) = &mut self.held {
            fixed.restore_idle_closed(starts);
        }
    }

    pub(crate) fn functions(&self) -> &[Function] {
        match &self.held {
            Held::Fixed(fixed) => fixed.functions(),
            Held::Sessions(sessions) => sessions.functions(),
        }
    }
}

/// What is said at a commit.
#[derive(Debug)]
pub(crate) enum Said<'a> {
    /// A result is not true any more. Before all results.
    Retraction(&'a Retraction),
    /// A result is due: those of windows that have closed by their start, then key; of sessions, by
    /// their end.
    Result(&'a WindowResult),
}

/// What else has changed since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    /// Start and key of panes or sessions that have gone.
    pub(crate) gone: Vec<(i64, Key)>,
    /// The windows that the clock has closed, if they are others than before.
    pub(crate) idle_closed: Option<Vec<i64>>,
}

/// What is to be saved.
#[derive(Debug)]
pub(crate) enum Changed<'a> {
    Pane(&'a Pane),
    Session {
        newest: i64,
        /// None when the wall clock has closed it.
        accumulators: Option<&'a [Accumulator]>,
    },
}

/// Takes back the result of a session that has become another one.
#[derive(Clone, Debug)]
pub(crate) struct Retraction {
    pub(crate) window: Window,
    pub(crate) key: Key,
    /// The newest event time of the session that it is now.
    pub(crate) newest: i64,
}

/// A pane as it is in the changelog.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) newest: i64,
    pub(crate) accumulators: Vec<Accumulator>,
    /// Of its record, with the key.
    pub(crate) bytes: u32,
}
