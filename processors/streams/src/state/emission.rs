//! When a window's result is said, and what has changed since the last commit.

use super::{Key, Pane, State, WindowResult};
use crate::{Emit, Window};
use std::{collections::BTreeSet, sync::Arc};

/// What has changed since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Commit<'a> {
    /// Results that are due, by end of their window, then key.
    pub(crate) results: Vec<WindowResult>,
    /// Panes that are new or other than before.
    pub(crate) changed: Vec<(i64, Key, &'a Pane)>,
    /// Panes that have gone.
    pub(crate) gone: Vec<(i64, Key)>,
}

impl State {
    /// Moves stream time on, if `time` is after it, and says what is due because of that before
    /// anything later is added: a pane may go on growing for its later windows.
    pub(super) fn advance(&mut self, time: i64) -> i64 {
        let before = self.stream_time.unwrap_or(time);
        let now = before.max(time);
        self.stream_time = Some(now);
        if self.windows.closed_by(before) != self.windows.closed_by(now) {
            let windows = self.windows;
            let closes = |window: Window| {
                !windows.is_closed(window, before) && windows.is_closed(window, now)
            };
            let results = match self.emit {
                Emit::Updates => self.results_of(self.changed_in(closes), false),
                Emit::Final => self.results_of(self.held_in(closes), true),
            };
            self.due.extend(results);
            self.drop_closed(now);
        }
        now
    }

    /// Takes what has changed since the last call.
    pub(crate) fn commit(&mut self) -> Commit<'_> {
        let mut results = std::mem::take(&mut self.due);
        if self.emit == Emit::Updates {
            let open = self.changed_in(|window| self.is_open(window));
            results.extend(self.results_of(open, false));
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

    fn results_of(&self, windows: BTreeSet<(i64, Key)>, is_final: bool) -> Vec<WindowResult> {
        let results = windows
            .into_iter()
            .filter_map(|(start, key)| self.result(start, &key));
        results
            .map(|result| WindowResult { is_final, ..result })
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
