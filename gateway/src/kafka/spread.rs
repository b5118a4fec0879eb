use crate::{
    clock,
    hot_key::{HotKeys, Limits},
    outgoing::{Message, Outgoing, Topic},
    pending::Lane,
};
use footfall_service::kafka::partition_of;
use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicI32, AtomicU32, Ordering},
    },
    time::Instant,
};

/// Says to consumers that records with this key are not in one partition.
pub(super) const HEADER: &str = "footfall-resharded";

/// Says which partition a record goes to: that of its key, but events with a hot key, and those without one, go to any that
/// takes them.
#[derive(Debug)]
pub(super) struct Spread {
    /// By their hash: a key that shares one with a hot key only loses its order.
    keys: Mutex<HotKeys<u64>>,
    hasher: RandomState,
    start: Instant,
    /// 0: not known yet.
    partitions: AtomicI32,
    /// The partitions that take nothing.
    stuck: RwLock<Vec<i32>>,
    turn: AtomicU32,
}

/// Where a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) lane: Lane,
    /// Its key is hot: it may lie in any partition.
    pub(super) is_spread: bool,
}

impl Route {
    /// `None`: Kafka's client chooses one.
    pub(super) fn partition(self) -> Option<i32> {
        match self.lane {
            Lane::Events(partition) => partition,
            Lane::Rejected => None,
        }
    }
}

impl Spread {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            keys: Mutex::new(HotKeys::new(limits)),
            hasher: RandomState::new(),
            start: clock::monotonic(),
            partitions: AtomicI32::new(0),
            stuck: RwLock::default(),
            turn: AtomicU32::new(0),
        }
    }

    /// The events topic has so many partitions.
    pub(super) fn set_partitions(&self, partitions: usize) {
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        self.partitions.store(partitions, Ordering::Relaxed);
    }

    /// How many partitions the events topic has; 0: not known yet.
    pub(super) fn partitions(&self) -> usize {
        usize::try_from(self.partitions.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// These partitions take nothing. Says whether they are others than before.
    pub(super) fn set_stuck(&self, stuck: &[i32]) -> bool {
        let mut known = self.stuck.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = *known != stuck;
        if is_new {
            stuck.clone_into(&mut known);
        }
        is_new
    }

    /// Where each record of a request goes.
    pub(super) fn routes(&self, request: &Outgoing) -> Vec<Route> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let route = |message: Message<'_>| match self.hot(&message) {
            Some(partition) => Route {
                lane: Lane::Events(Some(partition)),
                is_spread: true,
            },
            None => self.route(&message, turn),
        };
        request.messages().map(route).collect()
    }

    /// Where a record goes whose key is not hot. A replay is quicker than its visitors were: by its rate every key would be
    /// hot, and lose its order. Of one `turn`, all that have no key go to the same partition.
    pub(super) fn route(&self, message: &Message<'_>, turn: u32) -> Route {
        let count = self.partitions.load(Ordering::Relaxed);
        let partition = match message.key {
            _ if count == 0 => None,
            Some(key) => Some(partition_of(key, count)),
            None => self.any(turn),
        };
        let lane = match message.topic {
            Topic::Events => Lane::Events(partition),
            Topic::Rejected => Lane::Rejected,
        };
        Route {
            lane,
            is_spread: false,
        }
    }

    /// The partition of an event whose key is hot.
    fn hot(&self, message: &Message<'_>) -> Option<i32> {
        let key = message.key.filter(|_| message.topic == Topic::Events)?;
        let hash = self.hasher.hash_one(key);
        let now = self.start.elapsed();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let is_hot = keys.is_hot(hash, now);
        drop(keys);
        if !is_hot || self.partitions.load(Ordering::Relaxed) < 2 {
            return None;
        }
        self.any(self.turn.fetch_add(1, Ordering::Relaxed))
    }

    /// The partition whose turn it is, or the next one that takes what it is given.
    fn any(&self, turn: u32) -> Option<i32> {
        let count = u32::try_from(self.partitions.load(Ordering::Relaxed)).ok()?;
        let stuck = self.stuck.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = (0..count).map(|step| turn.wrapping_add(step) % count);
        let takes = all.find_map(|partition| {
            let partition = i32::try_from(partition).ok()?;
            (!stuck.contains(&partition)).then_some(partition)
        });
        takes.or_else(|| i32::try_from(turn.checked_rem(count)?).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    fn spread(limits: Limits, partitions: usize) -> Spread {
        let spread = Spread::new(limits);
        spread.set_partitions(partitions);
        spread
    }

    #[test]
    fn only_events_beyond_the_burst_of_their_key_are_spread_in_turn() {
        let spread = spread(Limits { rate: 1, burst: 10 }, 3);
        let request = outgoing(1, 1);
        let [event, rejected] = [0, 1].map(|index| request.message(index).unwrap());
        let to: Vec<_> = (0..16).filter_map(|_| spread.hot(&event)).collect();
        assert_eq!(to, [0, 1, 2, 0, 1, 2]);
        spread.set_stuck(&[1]);
        let to: Vec<_> = (0..3).filter_map(|_| spread.hot(&event)).collect();
        assert_eq!(to, [0, 2, 2]);
        let with = |key| Message { key, ..event };
        assert_eq!(spread.hot(&with(Some(b"demo/w"))), None);
        assert!((0..20).all(|_| spread.hot(&with(None)).is_none()));
        assert!((0..20).all(|_| spread.hot(&rejected).is_none()));
    }

    #[test]
    fn without_a_second_partition_nothing_is_spread() {
        let spread = spread(Limits { rate: 1, burst: 1 }, 0);
        let request = outgoing(1, 0);
        let event = request.message(0).unwrap();
        assert!((0..9).all(|_| spread.hot(&event).is_none()));
        assert_eq!(spread.route(&event, 0).partition(), None);
        spread.set_partitions(1);
        assert!((0..9).all(|_| spread.hot(&event).is_none()));
        assert_eq!(spread.route(&event, 0).partition(), Some(0));
    }

    #[test]
    fn a_key_has_its_partition_and_what_has_none_goes_where_it_is_taken() {
        let spread = spread(Limits::default(), 5);
        let request = outgoing(1, 1);
        let [event, rejected] = [0, 1].map(|index| request.message(index).unwrap());
        let own = partition_of(event.key.unwrap(), 5);
        spread.set_stuck(&[3, 4]);
        assert_eq!(spread.route(&event, 3).partition(), Some(own));
        let keyless = Message { key: None, ..event };
        assert_eq!(spread.route(&keyless, 2).partition(), Some(2));
        assert_eq!(spread.route(&keyless, 3).partition(), Some(0));
        spread.set_stuck(&[0, 1, 2, 3, 4]);
        assert_eq!(spread.route(&keyless, 3).partition(), Some(3));
        assert_eq!(spread.route(&rejected, 3).lane, Lane::Rejected);
    }
}
