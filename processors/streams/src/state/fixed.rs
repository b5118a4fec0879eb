//! Windows that are the same for every key.

use super::{Key, Saved, Size, WindowResult, idle::Idle, panes::Panes};
use crate::{
    Definition, Emit, Function, Input, Window, Windows,
    aggregate::{Place, Sample},
};
use hashbrown::{
    HashMap,
    hash_map::{EntryRef, OccupiedEntry},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

/// The windows of one stream in one partition: one accumulator for each key and pane, from which
/// windows are made when they are asked for.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) windows: Windows,
    pub(super) emit: Emit,
    pub(super) idle: Idle,
    functions: Vec<Function>,
    windows_of_a_pane: usize,
    pub(super) keys: HashMap<Key, Panes>,
    /// The keys that have a pane with this start, or had one.
    pub(super) starts: BTreeMap<i64, Vec<Key>>,
    pub(super) stream_time: Option<i64>,
    pub(super) size: Size,
    /// Each key that has changed since the last commit, once.
    pub(super) changed: Vec<Key>,
    /// Panes that have gone since the last commit, and are still in the changelog.
    pub(super) gone: Vec<(i64, Key)>,
    /// Results that were due before the next commit.
    pub(super) due: Vec<WindowResult>,
}

impl Fixed {
    /// No window yet.
    pub(super) fn new(definition: &Definition, functions: Vec<Function>) -> Self {
        Self {
            windows: definition.windows.clone(),
            emit: definition.emit,
            idle: Idle::new(definition.idle_timeout),
            functions,
            windows_of_a_pane: definition.windows.overlapping(),
            keys: HashMap::new(),
            starts: BTreeMap::new(),
            stream_time: None,
            size: Size::default(),
            changed: Vec::new(),
            gone: Vec::new(),
            due: Vec::new(),
        }
    }

    /// The event time up to which this partition has come.
    pub(super) fn stream_time(&self) -> Option<i64> {
        self.stream_time
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// About how much a commit would say and change, at most.
    pub(super) fn waiting(&self) -> usize {
        let of_each = if self.emit.says_updates() {
            self.windows_of_a_pane + 1
        } else {
            1
        };
        self.due.len() + self.changed.len() * of_each
    }

    /// Takes a record; returns the windows that refuse it because they have closed, by end.
    pub(super) fn add(&mut self, key: &[u8], place: Place, inputs: &[Input]) -> Vec<Window> {
        let time = place.time;
        self.idle.record();
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
    pub(super) fn open_windows(&self, starts: Range<i64>, key: Option<&[u8]>) -> Vec<WindowResult> {
        let wanted = |window: Window| starts.contains(&window.start) && self.is_open(window);
        let mut results = Vec::new();
        let mut add = |(key, panes): (&Key, &Panes)| {
            for window in panes.windows(&self.windows, |_| true, wanted) {
                results.extend(panes.result(key, window, None));
            }
        };
        match key {
            Some(key) => self.keys.get_key_value(key).into_iter().for_each(add),
            None => self.keys.iter().for_each(&mut add),
        }
        super::emission::sort(&mut results);
        results
    }

    /// Everything counts as changed since the last commit.
    pub(super) fn refill(&mut self) {
        for panes in self.keys.values_mut() {
            panes.refill();
        }
        self.changed = self.keys.keys().cloned().collect();
        self.gone.clear();
        self.idle.refill();
    }

    /// Puts back a pane of an earlier life.
    pub(super) fn restore_pane(&mut self, start: i64, key: &[u8], saved: Option<Saved>) {
        match saved {
            Some(saved) => {
                let mut entry = entry(&mut self.keys, key);
                let (pane, is_new) = entry.get_mut().at(start, &self.functions);
                self.size.change(&mut pane.bytes, saved.bytes);
                pane.restore(saved);
                if is_new {
                    self.size.entries += 1;
                    let keys = self.starts.entry(start).or_default();
                    keys.push(Arc::clone(entry.key()));
                }
            }
            None => {
                if let Some(panes) = self.keys.get_mut(key) {
                    if let Some(mut pane) = panes.remove(start) {
                        self.size.change(&mut pane.bytes, 0);
                        self.size.entries -= 1;
                    }
                    if panes.is_empty() {
                        self.keys.remove(key);
                    }
                }
            }
        }
    }

    /// Puts back the stream time of an earlier life.
    pub(super) fn restore_stream_time(&mut self, time: i64) {
        self.stream_time = Some(time);
    }

    /// Puts back which windows were closed by the clock in an earlier life.
    pub(super) fn restore_idle_closed(&mut self, starts: BTreeSet<i64>) {
        self.idle.restore(starts);
    }

    pub(super) fn functions(&self) -> &[Function] {
        &self.functions
    }

    fn add_to_pane(&mut self, key: &[u8], place: Place, inputs: &[Input]) {
        let start = self.windows.pane(place.time);
        let mut entry = entry(&mut self.keys, key);
        let panes = entry.get_mut();
        let has_changed = std::mem::replace(&mut panes.is_changed, true);
        let (pane, is_new) = panes.at(start, &self.functions);
        pane.is_changed = true;
        pane.newest = pane.newest.max(place.time);
        for (index, accumulator) in pane.accumulators.iter_mut().enumerate() {
            let input = inputs.get(index).unwrap_or(&Input::Missing);
            accumulator.add(Sample { input, place });
        }
        if is_new {
            self.size.entries += 1;
            let keys = self.starts.entry(start).or_default();
            keys.push(Arc::clone(entry.key()));
        }
        if !has_changed {
            self.changed.push(Arc::clone(entry.key()));
        }
    }

    pub(super) fn is_open(&self, window: Window) -> bool {
        let is_over = |time| self.windows.is_closed(window, time);
        !self.stream_time.is_some_and(is_over) && !self.idle.has_closed(window)
    }
}

/// Where a key is, or will be. The key is copied only when it is new.
fn entry<'a>(keys: &'a mut HashMap<Key, Panes>, key: &[u8]) -> OccupiedEntry<'a, Key, Panes> {
    match keys.entry_ref(key) {
        EntryRef::Occupied(entry) => entry,
        EntryRef::Vacant(entry) => entry.insert_entry_with_key(key.into(), Panes::default()),
    }
}
