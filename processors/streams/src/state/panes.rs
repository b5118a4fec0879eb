use super::{ClosedBy, Key, Saved, WindowResult};
use crate::{Accumulator, Function, Window, Windows};
use std::sync::Arc;

/// What one key has gathered, by pane.
#[derive(Debug, Default)]
pub(super) struct Panes {
    /// By start. There are few: those of the windows that are open.
    panes: Vec<Pane>,
    /// Whether one has changed since the last commit.
    pub(super) is_changed: bool,
}

/// What one key has gathered in one pane.
#[derive(Debug)]
pub(crate) struct Pane {
    pub(super) start: i64,
    /// The greatest event time in it.
    pub(crate) newest: i64,
    pub(crate) accumulators: Vec<Accumulator>,
    pub(super) is_changed: bool,
    /// Whether it is in the changelog.
    pub(super) is_saved: bool,
    /// What it takes there, with its key.
    pub(super) bytes: u32,
}

impl Panes {
    pub(super) fn is_empty(&self) -> bool {
        self.panes.is_empty()
    }

    /// The pane that begins at `start`, and whether it is new.
    pub(super) fn at(&mut self, start: i64, functions: &[Function]) -> (&mut Pane, bool) {
        // From the end, where most records are.
        let earlier = self.panes.iter().rposition(|pane| pane.start <= start);
        let (index, is_new) = match earlier {
            Some(index) if self.panes[index].start == start => (index, false),
            Some(index) => (index + 1, true),
            None => (0, true),
        };
        if is_new {
            let pane = Pane {
                start,
                newest: i64::MIN,
                accumulators: functions.iter().map(Function::start).collect(),
                is_changed: false,
                is_saved: false,
                bytes: 0,
            };
            // Most keys have one or two, and there may be millions of keys.
            self.panes.reserve_exact(1);
            self.panes.insert(index, pane);
        }
        (&mut self.panes[index], is_new)
    }

    pub(super) fn remove(&mut self, start: i64) -> Option<Pane> {
        let index = self.panes.iter().position(|pane| pane.start == start)?;
        Some(self.panes.remove(index))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Pane> {
        self.panes.iter()
    }

    /// All of them count as changed.
    pub(super) fn refill(&mut self) {
        self.is_changed = true;
        for pane in &mut self.panes {
            pane.is_changed = true;
        }
    }

    /// Shows the panes that have changed since the last call.
    pub(super) fn take_changed(&mut self, mut show: impl FnMut(&mut Pane)) {
        self.is_changed = false;
        for pane in self.panes.iter_mut().filter(|pane| pane.is_changed) {
            (pane.is_changed, pane.is_saved) = (false, true);
            show(pane);
        }
    }

    /// The windows that are made of the `chosen` panes and are `wanted`, by start, each once.
    pub(super) fn windows(
        &self,
        windows: &Windows,
        chosen: impl Fn(&Pane) -> bool,
        wanted: impl Fn(Window) -> bool,
    ) -> impl Iterator<Item = Window> {
        let chosen = self.panes.iter().filter(move |pane| chosen(pane));
        let mut newest = None;
        let all = chosen.flat_map(|pane| windows.containing(pane.start));
        // What a pane shares with an earlier one begins no later than that one's last window.
        let each_once = all.filter(move |window| {
            let is_new = newest.is_none_or(|newest| window.start > newest);
            if is_new {
                newest = Some(window.start);
            }
            is_new
        });
        each_once.filter(move |window| wanted(*window))
    }

    /// What a window has gathered, if anything.
    pub(super) fn result(
        &self,
        key: &Key,
        window: Window,
        closed_by: Option<ClosedBy>,
    ) -> Option<WindowResult> {
        let mut result = WindowResult {
            window,
            key: Arc::clone(key),
            newest: i64::MIN,
            values: Vec::new(),
            closed_by,
        };
        self.gather(&mut result).then_some(result)
    }

    /// Fills in what the window of a result has gathered; whether that is anything.
    pub(super) fn gather(&self, result: &mut WindowResult) -> bool {
        let window = result.window;
        let within = |pane: &&Pane| window.start <= pane.start && pane.start < window.end;
        let mut panes = self.panes.iter().filter(within);
        let Some(first) = panes.next() else {
            return false;
        };
        result.newest = first.newest;
        result.values.clone_from(&first.accumulators);
        for pane in panes {
            result.newest = result.newest.max(pane.newest);
            for (value, other) in result.values.iter_mut().zip(&pane.accumulators) {
                value.merge(other);
            }
        }
        true
    }
}

impl Pane {
    /// Becomes what it was in an earlier life.
    pub(super) fn restore(&mut self, saved: Saved) {
        self.newest = saved.newest;
        self.accumulators = saved.accumulators;
        self.is_saved = true;
    }
}
