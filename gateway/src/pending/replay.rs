//! What of the spill goes to Kafka again, and how fast.

use super::{
    Pending,
    flight::{Flight, Origin},
};
use crate::{outgoing::Topic, spill::log::Due};
use std::time::Instant;

/// The most bytes of replayed records on their way at once: live ones queue behind them.
const REPLAY_WINDOW: usize = 1 << 20;

/// How records are replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// In batches, which Kafka takes or refuses whole.
    Together,
    /// Each in a batch of its own, so that it is known which one is at fault.
    Alone,
}

/// What is to be replayed next.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) due: Due,
    /// In bytes.
    pub(crate) budget: usize,
    pub(crate) pace: Pace,
}

impl Pending {
    /// What is to be replayed now, if anything.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Replay> {
        let budget = self.replay_budget(now);
        if budget == 0 {
            return None;
        }
        let mut due = self.log.as_mut()?.due()?;
        let pace = if due.from < self.alone_until {
            due.until = due.until.min(self.alone_until);
            Pace::Alone
        } else {
            Pace::Together
        };
        // Two ways at a time would lose the order of keys.
        if pace != self.pace && self.replaying > 0 {
            return None;
        }
        self.pace = pace;
        Some(Replay { due, budget, pace })
    }

    /// How many bytes may be replayed now.
    fn replay_budget(&self, now: Instant) -> usize {
        let waits = self.outage
            || self.halted
            || self.is_behind()
            || self.replay_at.is_some_and(|at| now < at);
        if waits {
            0
        } else {
            REPLAY_WINDOW.saturating_sub(self.replaying)
        }
    }

    /// Records of one topic, with ordinals from `first` on, are about to be sent again.
    pub(crate) fn replay(
        &mut self,
        first: u64,
        records: usize,
        topic: Topic,
        bytes: usize,
        pace: Pace,
        now: Instant,
    ) -> usize {
        if let Some(log) = &mut self.log {
            log.send(first, first + records as u64);
        }
        self.depth.records += records;
        self.depth.bytes += bytes;
        self.replaying += bytes;
        let events = if topic == Topic::Events { records } else { 0 };
        let origin = Origin::Replay { first, pace };
        self.launch(Flight::new(records, events, now, origin))
    }
}
