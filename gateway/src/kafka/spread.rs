use crate::{
    clock,
    hot_key::{HotKeys, Limits},
    outgoing::{Message, Topic},
};
use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI32, AtomicU32, Ordering},
    },
    time::Instant,
};

/// Says to consumers that records with this key are not in one partition.
pub(super) const HEADER: &str = "footfall-resharded";

/// Spreads events with a hot key over the partitions.
#[derive(Debug)]
pub(super) struct Spread {
    /// By their hash: a key that shares one with a hot key only loses its order.
    keys: Mutex<HotKeys<u64>>,
    hasher: RandomState,
    start: Instant,
    /// 0: not known yet.
    partitions: AtomicI32,
    turn: AtomicU32,
}

impl Spread {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            keys: Mutex::new(HotKeys::new(limits)),
            hasher: RandomState::new(),
            start: clock::monotonic(),
            partitions: AtomicI32::new(0),
            turn: AtomicU32::new(0),
        }
    }

    /// The events topic has so many partitions.
    pub(super) fn partitions(&self, partitions: usize) {
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        self.partitions.store(partitions, Ordering::Relaxed);
    }

    /// The partition of an event whose key is hot; `None`: the one that its key says.
    pub(super) fn partition(&self, message: &Message<'_>) -> Option<i32> {
        let key = message.key.filter(|_| message.topic == Topic::Events)?;
        let hash = self.hasher.hash_one(key);
        let now = self.start.elapsed();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let is_hot = keys.is_hot(hash, now);
        drop(keys);
        let partitions = u32::try_from(self.partitions.load(Ordering::Relaxed)).unwrap_or(0);
        if !is_hot || partitions < 2 {
            return None;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        i32::try_from(turn % partitions).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    #[test]
    fn only_events_beyond_the_burst_of_their_key_are_spread_in_turn() {
        let spread = Spread::new(Limits { rate: 1, burst: 10 });
        spread.partitions(3);
        let request = outgoing(1, 1);
        let [event, rejected] = [0, 1].map(|index| request.messages().nth(index).unwrap());
        let to: Vec<_> = (0..16).filter_map(|_| spread.partition(&event)).collect();
        assert_eq!(to, [0, 1, 2, 0, 1, 2]);
        let with = |key| Message { key, ..event };
        assert_eq!(spread.partition(&with(Some(b"demo/w"))), None);
        assert!((0..20).all(|_| spread.partition(&with(None)).is_none()));
        assert!((0..20).all(|_| spread.partition(&rejected).is_none()));
    }

    #[test]
    fn without_a_second_partition_nothing_is_spread() {
        let spread = Spread::new(Limits { rate: 1, burst: 1 });
        let request = outgoing(1, 0);
        let event = request.messages().next().unwrap();
        assert!((0..9).all(|_| spread.partition(&event).is_none()));
        spread.partitions(1);
        assert!((0..9).all(|_| spread.partition(&event).is_none()));
    }
}
