use crate::{Span, Window};
use std::{collections::BTreeSet, time::Duration};

/// When the wall clock closes windows, and which ones it has closed.
///
/// It closes the windows that have state and does not move stream time, so that a window without
/// state still takes its records. Those it has closed are remembered until event time has closed
/// them, too.
#[derive(Debug)]
pub(super) struct Idle {
    timeout: Option<Duration>,
    /// When the clock was last looked at with a record since the time before; a record is not
    /// timed by itself, for that would cost a look at the clock.
    since: Option<Duration>,
    has_record: bool,
    closed: BTreeSet<i64>,
    is_changed: bool,
}

impl Idle {
    pub(super) fn new(timeout: Option<Span>) -> Self {
        Self {
            timeout: timeout.map(Span::as_duration),
            since: None,
            has_record: false,
            closed: BTreeSet::new(),
            is_changed: false,
        }
    }

    /// A record has come.
    pub(super) fn record(&mut self) {
        self.has_record = true;
    }

    /// Whether none has come for so long that windows are to close.
    pub(super) fn is_due(&mut self, now: Duration) -> bool {
        let Some(timeout) = self.timeout else {
            return false;
        };
        if std::mem::take(&mut self.has_record) {
            self.since = Some(now);
        }
        // After a restart nobody knows how long it has been quiet.
        let since = *self.since.get_or_insert(now);
        now.saturating_sub(since) >= timeout
    }

    pub(super) fn close(&mut self, starts: impl Iterator<Item = i64>) {
        self.closed.extend(starts);
        self.is_changed = true;
    }

    pub(super) fn has_closed(&self, window: Window) -> bool {
        self.closed.contains(&window.start)
    }

    /// Forgets the windows that are closed by event time.
    pub(super) fn forget(&mut self, is_over: impl Fn(i64) -> bool) {
        while let Some(start) = self.closed.first().copied()
            && is_over(start)
        {
            self.closed.remove(&start);
            self.is_changed = true;
        }
    }

    /// All that are closed, if they are others than at the last call.
    pub(super) fn changed(&mut self) -> Option<Vec<i64>> {
        let is_changed = std::mem::take(&mut self.is_changed);
        is_changed.then(|| self.closed.iter().copied().collect())
    }

    /// Those that are closed count as other than at the last call.
    pub(super) fn refill(&mut self) {
        self.is_changed |= !self.closed.is_empty();
    }

    pub(super) fn restore(&mut self, starts: BTreeSet<i64>) {
        self.closed = starts;
    }
}
