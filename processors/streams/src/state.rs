//! The windows of one stream in one partition.

mod emission;
mod idle;

use crate::{
    Accumulator, Definition, Emit, Function, Input, Window, Windows,
    aggregate::{Place, Sample},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    ops::Range,
    sync::Arc,
};

use idle::Idle;

pub(crate) type Key = Arc<[u8]>;

/// The windows of one stream in one partition: one accumulator for each key and pane, from which
/// windows are made when they are asked for.
#[derive(Debug)]
pub struct State {
    windows: Windows,
    emit: Emit,
    idle: Idle,
    functions: Vec<Function>,
    panes: BTreeMap<i64, HashMap<Key, Pane>>,
    stream_time: Option<i64>,
    /// Each pane that has changed since the last commit, once.
    changed: Vec<(i64, Key)>,
    /// Panes that have gone since the last commit, and are still in the changelog.
    gone: Vec<(i64, Key)>,
    /// Results that were due before the next commit.
    due: Vec<WindowResult>,
}

/// What one key has gathered in one pane.
#[derive(Clone, Debug)]
pub(crate) struct Pane {
    /// The greatest event time in it.
    pub(crate) newest: i64,
    pub(crate) accumulators: Vec<Accumulator>,
    is_changed: bool,
    is_saved: bool,
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
        Self {
            windows: definition.windows.clone(),
            emit: definition.emit,
            idle: Idle::new(definition.idle_timeout),
            functions: functions
                .map(|aggregation| aggregation.function.clone())
                .collect(),
            panes: BTreeMap::new(),
            stream_time: None,
            changed: Vec::new(),
            gone: Vec::new(),
            due: Vec::new(),
        }
    }

    /// The greatest event time that this partition has seen.
    #[must_use]
    pub fn stream_time(&self) -> Option<i64> {
        self.stream_time
    }

    /// Takes a record; returns the windows that refuse it because they have closed, by end.
    pub(crate) fn add(&mut self, key: &[u8], place: Place, inputs: &[Input]) -> Vec<Window> {
        let time = place.time;
        self.idle.record();
        self.advance(time);
        let mut takers = 0;
        let mut refusing = Vec::new();
        for window in self.windows.containing(time) {
            if self.is_open(window) {
                takers += 1;
            } else {
                refusing.push(window);
            }
        }
        if takers > 0 {
            self.add_to_pane(key, place, inputs);
        }
        refusing
    }

    /// The windows that still take records and start in `starts`, by start, then key.
    pub fn open_windows(&self, starts: Range<i64>, key: Option<&[u8]>) -> Vec<WindowResult> {
        let mut found = BTreeSet::new();
        let end = starts.end.saturating_add(self.windows.size().as_millis());
        for (&pane, keys) in self.panes.range(starts.start..end.max(starts.start)) {
            let windows = self.windows.containing(pane);
            for window in windows.filter(|window| starts.contains(&window.start)) {
                if !self.is_open(window) {
                    continue;
                }
                let wanted: &mut dyn Iterator<Item = &Key> = match key {
                    Some(key) => &mut keys.get_key_value(key).map(|(key, _)| key).into_iter(),
                    None => &mut keys.keys(),
                };
                found.extend(wanted.map(|key| (window.start, Arc::clone(key))));
            }
        }
        let found = found.into_iter();
        found
            .filter_map(|(start, key)| self.result(start, &key))
            .collect()
    }

    /// Puts back a pane of an earlier life.
    pub(crate) fn restore_pane(&mut self, start: i64, key: &[u8], saved: Option<Saved>) {
        let keys = self.panes.entry(start).or_default();
        match saved {
            Some(Saved {
                newest,
                accumulators,
            }) => {
                let pane = Pane {
                    newest,
                    accumulators,
                    is_changed: false,
                    is_saved: true,
                };
                keys.insert(key.into(), pane);
            }
            None => {
                keys.remove(key);
            }
        }
        if keys.is_empty() {
            self.panes.remove(&start);
        }
    }

    /// Puts back the stream time of an earlier life.
    pub(crate) fn restore_stream_time(&mut self, time: i64) {
        self.stream_time = Some(time);
    }

    /// Puts back which windows were closed by the clock in an earlier life.
    pub(crate) fn restore_idle_closed(&mut self, starts: BTreeSet<i64>) {
        self.idle.restore(starts);
    }

    pub(crate) fn functions(&self) -> &[Function] {
        &self.functions
    }

    fn add_to_pane(&mut self, key: &[u8], place: Place, inputs: &[Input]) {
        let time = place.time;
        let start = self.windows.pane(time);
        let keys = self.panes.entry(start).or_default();
        let key: Key = match keys.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None => key.into(),
        };
        let pane = match keys.entry(Arc::clone(&key)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Pane {
                newest: time,
                accumulators: self
                    .functions
                    .iter()
                    .map(|function| function.start())
                    .collect(),
                is_changed: false,
                is_saved: false,
            }),
        };
        pane.newest = pane.newest.max(time);
        for (index, accumulator) in pane.accumulators.iter_mut().enumerate() {
            let input = inputs.get(index).unwrap_or(&Input::Missing);
            accumulator.add(Sample { input, place });
        }
        if !pane.is_changed {
            pane.is_changed = true;
            self.changed.push((start, key));
        }
    }

    fn is_open(&self, window: Window) -> bool {
        let is_over = |time| self.windows.is_closed(window, time);
        !self.stream_time.is_some_and(is_over) && !self.idle.has_closed(window)
    }

    /// Merges a key's panes in one window.
    fn result(&self, start: i64, key: &Key) -> Option<WindowResult> {
        let window = self.windows.at(start);
        let range = self.panes.range(window.start..window.end);
        let mut panes = range.filter_map(|(_, keys)| keys.get(key));
        let mut merged = panes.next()?.clone();
        for pane in panes {
            merged.newest = merged.newest.max(pane.newest);
            for (accumulator, other) in merged.accumulators.iter_mut().zip(&pane.accumulators) {
                accumulator.merge(other);
            }
        }
        Some(WindowResult {
            window,
            key: Arc::clone(key),
            newest: merged.newest,
            values: merged.accumulators,
            closed_by: None,
        })
    }
}

/// A pane as it is in the changelog.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) newest: i64,
    pub(crate) accumulators: Vec<Accumulator>,
}
