//! What waits for each partition, so that one which takes nothing holds up no other.

use crate::outgoing::Topic;
use std::{
    collections::BTreeMap,
    ops::{Add, Sub},
    time::{Duration, Instant},
};

/// Where a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// A partition of the topic of accepted events; `None`: one that Kafka's client chooses.
    Events(Option<i32>),
    /// The topic of rejected events. Nothing ever waits for it but its own records.
    Rejected,
}

impl Lane {
    /// The topic that it belongs to.
    pub(super) fn topic(self) -> Topic {
        match self {
            Self::Events(_) => Topic::Events,
            Self::Rejected => Topic::Rejected,
        }
    }
}

/// What is on its way in a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) records: usize,
    pub(super) bytes: usize,
    /// Of them, what comes from the spill.
    pub(super) replayed: usize,
}

impl Load {
    fn of(bytes: usize, is_replay: bool) -> Self {
        Self {
            records: 1,
            bytes,
            replayed: if is_replay { bytes } else { 0 },
        }
    }
}

impl Add for Load {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            records: self.records + more.records,
            bytes: self.bytes + more.bytes,
            replayed: self.replayed + more.replayed,
        }
    }
}

impl Sub for Load {
    type Output = Self;

    fn sub(self, less: Self) -> Self {
        Self {
            records: self.records.saturating_sub(less.records),
            bytes: self.bytes.saturating_sub(less.bytes),
            replayed: self.replayed.saturating_sub(less.replayed),
        }
    }
}

#[derive(Debug)]
struct State {
    load: Load,
    /// Since when nothing has left the lane, or since when there is something in it.
    since: Instant,
    /// Something has left it since the last look.
    moved: bool,
    stuck: bool,
}

/// What a look has found to be otherwise than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turned {
    /// A lane moves again.
    pub(super) freed: bool,
    /// A lane is stuck.
    pub(super) stuck: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    states: BTreeMap<Lane, State>,
    /// What is on its way in lanes that are stuck.
    stuck: Load,
}

impl Lanes {
    /// A record is sent.
    pub(super) fn enter(&mut self, lane: Lane, bytes: usize, is_replay: bool, now: Instant) {
        let state = self.states.entry(lane).or_insert_with(|| State {
            load: Load::default(),
            since: now,
            moved: false,
            stuck: false,
        });
        if state.load.records == 0 {
            state.since = now;
        }
        let load = Load::of(bytes, is_replay);
        state.load = state.load + load;
        if state.stuck {
            self.stuck = self.stuck + load;
        }
    }

    /// A record has arrived, or was given back.
    pub(super) fn leave(&mut self, lane: Lane, bytes: usize, is_replay: bool) {
        let Some(state) = self.states.get_mut(&lane) else {
            return;
        };
        state.moved = true;
        let load = Load::of(bytes, is_replay);
        state.load = state.load - load;
        if state.stuck {
            self.stuck = self.stuck - load;
        }
    }

    /// Looks which lanes are stuck: records wait in them, and none has left for longer than `patience`.
    pub(super) fn watch(&mut self, patience: Duration, now: Instant) -> Turned {
        let mut turned = Turned::default();
        self.stuck = Load::default();
        for state in self.states.values_mut() {
            if std::mem::take(&mut state.moved) {
                state.since = now;
            }
            let waited = now.saturating_duration_since(state.since);
            let was_stuck = state.stuck;
            state.stuck = state.load.records > 0 && waited > patience;
            turned.freed |= was_stuck && !state.stuck;
            turned.stuck |= state.stuck && !was_stuck;
            if state.stuck {
                self.stuck = self.stuck + state.load;
            }
        }
        turned
    }

    pub(super) fn is_stuck(&self, lane: Lane) -> bool {
        self.states.get(&lane).is_some_and(|state| state.stuck)
    }

    /// The partitions of accepted events that are stuck.
    pub(super) fn stuck_partitions(&self) -> impl Iterator<Item = Option<i32>> {
        self.states.iter().filter_map(|(lane, state)| match lane {
            Lane::Events(partition) if state.stuck => Some(*partition),
            Lane::Events(_) | Lane::Rejected => None,
        })
    }

    /// What is on its way in lanes that are stuck.
    pub(super) fn stuck(&self) -> Load {
        self.stuck
    }

    /// What is on its way in the others.
    pub(super) fn moving(&self) -> Load {
        let states = self.states.values().filter(|state| !state.stuck);
        states.fold(Load::default(), |sum, state| sum + state.load)
    }

    /// What is on its way in one lane.
    pub(super) fn load_of(&self, lane: Lane) -> Load {
        self.states
            .get(&lane)
            .map(|state| state.load)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(500);

    #[test]
    fn a_lane_in_which_nothing_moves_is_stuck_and_the_others_are_not() {
        let start = crate::clock::monotonic();
        let [one, two] = [1, 2].map(|partition| Lane::Events(Some(partition)));
        let mut lanes = Lanes::default();
        for _ in 0..3 {
            lanes.enter(one, 10, false, start);
            lanes.enter(two, 100, true, start);
        }
        lanes.leave(two, 100, true);
        let late = start + PATIENCE + Duration::from_millis(1);
        let turned = |freed, stuck| Turned { freed, stuck };
        assert_eq!(lanes.watch(PATIENCE, late), turned(false, true));
        assert!(lanes.is_stuck(one) && !lanes.is_stuck(two));
        let stuck = Load {
            records: 3,
            bytes: 30,
            replayed: 0,
        };
        let moves = Load {
            records: 2,
            bytes: 200,
            replayed: 200,
        };
        assert_eq!((lanes.stuck(), lanes.moving()), (stuck, moves));
        assert_eq!(lanes.stuck_partitions().collect::<Vec<_>>(), [Some(1)]);

        lanes.leave(one, 10, false);
        assert_eq!(lanes.watch(PATIENCE, late), turned(true, false));
        assert!(!lanes.is_stuck(one));
        lanes.watch(PATIENCE, late + PATIENCE);
        assert!(!lanes.is_stuck(one), "patience begins anew");
    }

    #[test]
    fn an_empty_lane_is_not_stuck_however_long_it_was_empty() {
        let start = crate::clock::monotonic();
        let lane = Lane::Events(None);
        let mut lanes = Lanes::default();
        lanes.enter(lane, 1, false, start);
        lanes.leave(lane, 1, false);
        lanes.watch(PATIENCE, start);
        lanes.enter(lane, 1, false, start + PATIENCE * 4);
        lanes.watch(PATIENCE, start + PATIENCE * 5);
        assert!(!lanes.is_stuck(lane));
    }
}
