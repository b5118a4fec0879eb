//! What of the spill goes to Kafka again, and how fast.

use super::{
    Lane, Pending,
    flight::{Flight, Origin},
};
use crate::spill::log::Due;
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
        if pace != self.pace && self.lanes.moving().replayed > 0 {
            return None;
        }
        self.pace = pace;
        Some(Replay { due, budget, pace })
    }

    /// How many bytes may be replayed now. What is on its way to a partition that takes nothing holds up no other.
    fn replay_budget(&self, now: Instant) -> usize {
        let on_its_way = self.lanes.moving().replayed;
        let waits = self.outage
            || self.halted
            || self.is_behind()
            || (self.probing && on_its_way > 0)
            || self.replay_at.is_some_and(|at| now < at);
        if waits {
            0
        } else {
            REPLAY_WINDOW.saturating_sub(on_its_way)
        }
    }

    /// Whether a record of the spill has to wait because its partition takes nothing.
    pub(crate) fn is_held(&self, lane: Lane) -> bool {
        self.lanes.is_stuck(lane)
    }

    /// Records from the spill are about to be sent again: their ordinals, their bytes, and where they go.
    pub(crate) fn replay(
        &mut self,
        records: &[(u64, usize, Lane)],
        pace: Pace,
        now: Instant,
    ) -> usize {
        let (mut ordinals, mut lanes) = (Vec::new(), Vec::new());
        for (ordinal, bytes, lane) in records {
            if let Some(log) = &mut self.log {
                log.send(*ordinal, ordinal + 1);
            }
            self.depth.records += 1;
            self.depth.bytes += bytes;
            self.lanes.enter(*lane, *bytes, true, now);
            ordinals.push(*ordinal);
            lanes.push(*lane);
        }
        self.launch(Flight::new(lanes, now, Origin::Replay { ordinals, pace }))
    }
}
