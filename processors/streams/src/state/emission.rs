//! When a window's result is said, and what has changed since the last commit.

use super::{ClosedBy, Commit, Key, Pane, Said, Size, WindowResult, fixed::Fixed};
use crate::Window;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

impl Fixed {
    /// Moves stream time on to a later one, and says what is due because of that before anything
    /// later is added: a pane may go on growing for its later windows.
    pub(super) fn advance(&mut self, now: i64) {
        let before = self.stream_time.replace(now);
        let closed_by = |time| self.windows.closed_by(time);
        if before.map(closed_by) != Some(closed_by(now)) {
            let (windows, idle) = (&self.windows, &self.idle);
            let was_closed =
                |window| before.is_some_and(|before| windows.is_closed(window, before));
            let closes = |window: Window| {
                !was_closed(window) && windows.is_closed(window, now) && !idle.has_closed(window)
            };
            self.due.extend(self.last_results(closes, ClosedBy::Time));
            self.drop_closed(now);
            let windows = &self.windows;
            self.idle
                .forget(|start| windows.is_closed(windows.at(start), now));
        }
    }

    /// The wall clock has gone on. Returns whether that has closed windows.
    pub(super) fn tick(&mut self, clock: Duration) -> bool {
        if !self.idle.is_due(clock) || self.keys.is_empty() {
            return false;
        }
        self.due
            .extend(self.last_results(|window| self.is_open(window), ClosedBy::Idle));
        let held = self.keys.values().flat_map(|panes| {
            panes.windows(&self.windows, |_| true, |window| self.is_open(window))
        });
        let held: BTreeSet<_> = held.map(|window| window.start).collect();
        self.idle.close(held.into_iter());
        self.starts.clear();
        self.changed.clear();
        self.size = Size::default();
        for (key, panes) in self.keys.drain() {
            let saved = panes.iter().filter(|pane| pane.is_saved);
            let gone = saved.map(|pane| (pane.start, Key::clone(&key)));
            self.gone.extend(gone);
        }
        true
    }

    /// What is to be said of windows that close now, by start, then key.
    fn last_results(
        &self,
        closes: impl Fn(Window) -> bool,
        closed_by: ClosedBy,
    ) -> Vec<WindowResult> {
        let mut results = Vec::new();
        if self.emit.says_finals() {
            for (key, panes) in &self.keys {
                for window in panes.windows(&self.windows, |_| true, &closes) {
                    results.extend(panes.result(key, window, Some(closed_by)));
                }
            }
        } else {
            self.updates(closes, |result| results.push(result.clone()));
        }
        sort(&mut results);
        results
    }

    /// Takes what has changed since the last call. Says what is due, and shows each pane that is new
    /// or other than before: its start, its key, and itself; `change` returns the bytes of its
    /// record.
    pub(super) fn commit(
        &mut self,
        mut say: impl FnMut(Said<'_>),
        mut change: impl FnMut(i64, &[u8], &Pane) -> u32,
    ) -> Commit {
        for result in std::mem::take(&mut self.due) {
            say(Said::Result(&result));
        }
        if self.emit.says_updates() {
            let is_open = |window| self.is_open(window);
            self.updates(is_open, |result| say(Said::Result(result)));
        }
        for key in self.changed.drain(..) {
            let Some(panes) = self.keys.get_mut(&key) else {
                continue;
            };
            panes.take_changed(|pane| {
                let bytes = change(pane.start, &key, pane);
                self.size.change(&mut pane.bytes, bytes);
            });
            if panes.is_empty() {
                self.keys.remove(&key);
            }
        }
        Commit {
            gone: std::mem::take(&mut self.gone),
            idle_closed: self.idle.changed(),
        }
    }

    /// Shows what the windows that have changed since the last commit hold.
    fn updates(&self, wanted: impl Fn(Window) -> bool, mut show: impl FnMut(&WindowResult)) {
        // One for all, so that its memory serves again and again.
        let mut result = WindowResult {
            window: Window { start: 0, end: 0 },
            key: Arc::default(),
            newest: i64::MIN,
            values: Vec::new(),
            closed_by: None,
        };
        for key in &self.changed {
            let Some(panes) = self.keys.get(key) else {
                continue;
            };
            result.key = Arc::clone(key);
            for window in panes.windows(&self.windows, |pane| pane.is_changed, &wanted) {
                result.window = window;
                if panes.gather(&mut result) {
                    show(&result);
                }
            }
        }
    }

    /// Forgets the panes whose last window has closed.
    fn drop_closed(&mut self, stream_time: i64) {
        while let Some(entry) = self.starts.first_entry() {
            let start = *entry.key();
            let last = self.windows.last_of_pane(start);
            if !self.windows.is_closed(last, stream_time) {
                break;
            }
            for key in entry.remove() {
                let Some(panes) = self.keys.get_mut(&key) else {
                    continue;
                };
                let removed = panes.remove(start);
                let was_saved = removed.as_ref().is_some_and(|pane| pane.is_saved);
                if let Some(mut pane) = removed {
                    self.size.change(&mut pane.bytes, 0);
                    self.size.entries -= 1;
                }
                // One that has changed stays until the commit, so that it is not noted twice.
                if panes.is_empty() && !panes.is_changed {
                    self.keys.remove(&key);
                }
                if was_saved {
                    self.gone.push((start, key));
                }
            }
        }
    }
}

/// By start of their windows, then key.
pub(super) fn sort(results: &mut [WindowResult]) {
    results.sort_by(|a, b| (a.window.start, &a.key).cmp(&(b.window.start, &b.key)));
}
