//! When a window's result is said, and what has changed since the last commit.

use super::{ClosedBy, Key, Pane, State, WindowResult};
use crate::Window;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// What has changed since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Commit<'a> {
    /// Results that are due, by end of their window, then key.
    pub(crate) results: Vec<WindowResult>,
    /// Panes that are new or other than before.
    pub(crate) changed: Vec<(i64, Key, &'a Pane)>,
    /// Panes that have gone.
    pub(crate) gone: Vec<(i64, Key)>,
    /// The windows that the clock has closed, if they are others than before.
    pub(crate) idle_closed: Option<Vec<i64>>,
}

impl State {
    /// Moves stream time on, if `time` is after it, and says what is due because of that before
    /// anything later is added: a pane may go on growing for its later windows.
    pub(super) fn advance(&mut self, time: i64) {
        let before = self.stream_time.unwrap_or(time);
        let now = before.max(time);
        self.stream_time = Some(now);
        if self.windows.closed_by(before) != self.windows.closed_by(now) {
            let (windows, idle) = (&self.windows, &self.idle);
            let closes = |window: Window| {
                !windows.is_closed(window, before)
                    && windows.is_closed(window, now)
                    && !idle.has_closed(window)
            };
            self.due.extend(self.last_results(closes, ClosedBy::Time));
            self.drop_closed(now);
            let windows = &self.windows;
            self.idle
                .forget(|start| windows.is_closed(windows.at(start), now));
        }
    }

    /// The wall clock has gone on. Returns whether that has closed windows.
    pub(crate) fn tick(&mut self, clock: Duration) -> bool {
        if !self.idle.is_due(clock) || self.panes.is_empty() {
            return false;
        }
        let held = self.held_in(|window| self.is_open(window));
        self.due
            .extend(self.last_results(|window| self.is_open(window), ClosedBy::Idle));
        self.idle.close(held.into_iter().map(|(start, _)| start));
        for (start, keys) in std::mem::take(&mut self.panes) {
            let saved = keys.into_iter().filter(|(_, pane)| pane.is_saved);
            self.gone.extend(saved.map(|(key, _)| (start, key)));
        }
        true
    }

    /// What is to be said of windows that close now.
    fn last_results(
        &self,
        closes: impl Fn(Window) -> bool,
        closed_by: ClosedBy,
    ) -> Vec<WindowResult> {
        if self.emit.says_finals() {
            self.results_of(self.held_in(closes), Some(closed_by))
        } else {
            self.results_of(self.changed_in(closes), None)
        }
    }

    /// Takes what has changed since the last call.
    pub(crate) fn commit(&mut self) -> Commit<'_> {
        let mut results = std::mem::take(&mut self.due);
        if self.emit.says_updates() {
            let open = self.changed_in(|window| self.is_open(window));
            results.extend(self.results_of(open, None));
        }
        let changed = std::mem::take(&mut self.changed);
        for (start, key) in &changed {
            let keys = self.panes.get_mut(start);
            if let Some(pane) = keys.and_then(|keys| keys.get_mut(key)) {
                (pane.is_changed, pane.is_saved) = (false, true);
            }
        }
        let changed = changed.into_iter().filter_map(|(start, key)| {
            let pane = self.panes.get(&start)?.get(&key)?;
            Some((start, key, pane))
        });
        Commit {
            results,
            changed: changed.collect(),
            gone: std::mem::take(&mut self.gone),
            idle_closed: self.idle.changed(),
        }
    }

    /// Windows and keys that have changed since the last commit.
    fn changed_in(&self, wanted: impl Fn(Window) -> bool) -> BTreeSet<(i64, Key)> {
        let panes = self.changed.iter().map(|(start, key)| (*start, key));
        self.windows_of(panes, wanted)
    }

    /// Windows and keys that hold anything.
    fn held_in(&self, wanted: impl Fn(Window) -> bool) -> BTreeSet<(i64, Key)> {
        let panes = self.panes.iter();
        let panes = panes.flat_map(|(start, keys)| keys.keys().map(move |key| (*start, key)));
        self.windows_of(panes, wanted)
    }

    fn windows_of<'a>(
        &self,
        panes: impl Iterator<Item = (i64, &'a Key)>,
        wanted: impl Fn(Window) -> bool,
    ) -> BTreeSet<(i64, Key)> {
        let mut found = BTreeSet::new();
        for (pane, key) in panes {
            let windows = self.windows.containing(pane);
            for window in windows.filter(|window| wanted(*window)) {
                found.insert((window.start, Arc::clone(key)));
            }
        }
        found
    }

    fn results_of(
        &self,
        windows: BTreeSet<(i64, Key)>,
        closed_by: Option<ClosedBy>,
    ) -> Vec<WindowResult> {
        let results = windows
            .into_iter()
            .filter_map(|(start, key)| self.result(start, &key));
        results
            .map(|result| WindowResult {
                closed_by,
                ..result
            })
            .collect()
    }

    /// Forgets the panes whose last window has closed.
    fn drop_closed(&mut self, stream_time: i64) {
        while let Some(entry) = self.panes.first_entry() {
            let start = *entry.key();
            let last = self.windows.last_of_pane(start);
            if !self.windows.is_closed(last, stream_time) {
                break;
            }
            let saved = entry.remove().into_iter().filter(|(_, pane)| pane.is_saved);
            self.gone.extend(saved.map(|(key, _)| (start, key)));
        }
    }
}
