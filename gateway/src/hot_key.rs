//! Which keys have far more than their share. Pure.

use serde::Deserialize;
use std::{collections::HashMap, hash::Hash, time::Duration};

/// How many keys are remembered before those are looked for that may be forgotten.
const MIN_SWEEP: usize = 1024;
/// How long a key stays hot, at most, once it is slower than the rate.
const COOLING: Duration = Duration::from_secs(1);

/// From when on a key is hot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Limits {
    /// Events per second that a key may have for ever.
    pub rate: u32,
    /// Events that it may have beyond that at a time.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate: 1000,
            burst: 10_000,
        }
    }
}

/// A token bucket for each key: every event takes a token, and a key is hot while it owes some. What it can owe is
/// bounded, so that it is cold again a second after it has slowed down.
///
/// Only keys whose bucket is not full are remembered, so memory is bounded by the traffic: by the events of the time in
/// which a bucket fills, which for a key of few events is a few times `1 / rate`.
#[derive(Clone, Debug)]
pub struct HotKeys<K> {
    limits: Limits,
    buckets: HashMap<K, Bucket>,
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// In events; below zero is what is owed.
    tokens: f64,
    at: Duration,
}

impl<K: Eq + Hash> HotKeys<K> {
    /// No key is hot.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buckets: HashMap::new(),
            sweep_at: MIN_SWEEP,
        }
    }

    /// Counts an event of this key, and says whether the key is hot with it. `now` is the time since any fixed moment.
    pub fn is_hot(&mut self, key: K, now: Duration) -> bool {
        if self.buckets.len() >= self.sweep_at {
            self.sweep(now);
        }
        let limits = self.limits;
        let full = Bucket {
            tokens: f64::from(limits.burst),
            at: now,
        };
        let bucket = self.buckets.entry(key).or_insert(full);
        bucket.refill(limits, now);
        let most_owed = f64::from(limits.rate) * COOLING.as_secs_f64();
        bucket.tokens = (bucket.tokens - 1.0).max(-most_owed);
        bucket.tokens < 0.0
    }

    /// Forgets the keys that are as good as new.
    fn sweep(&mut self, now: Duration) {
        let limits = self.limits;
        self.buckets.retain(|_, bucket| {
            bucket.refill(limits, now);
            bucket.tokens < f64::from(limits.burst)
        });
        self.sweep_at = (self.buckets.len() * 2).max(MIN_SWEEP);
    }
}

impl Bucket {
    fn refill(&mut self, limits: Limits, now: Duration) {
        let gained = now.saturating_sub(self.at).as_secs_f64() * f64::from(limits.rate);
        self.tokens = (self.tokens + gained).min(f64::from(limits.burst));
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits {
        rate: 100,
        burst: 250,
    };

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The first event of a key, out of so many at one time, that finds it hot.
    fn first_hot(keys: &mut HotKeys<&str>, events: usize, now: Duration) -> Option<usize> {
        (1..=events).find(|_| keys.is_hot("hot", now))
    }

    #[test]
    fn a_key_is_hot_with_the_first_event_beyond_its_burst() {
        let mut keys = HotKeys::new(LIMITS);
        assert_eq!(first_hot(&mut keys, 1000, millis(7)), Some(251));
        assert!(!keys.is_hot("cold", millis(7)));
    }

    #[test]
    fn a_key_at_exactly_its_rate_is_never_hot() {
        let mut keys = HotKeys::new(LIMITS);
        assert!((0_u64..5000).all(|event| !keys.is_hot("steady", millis(event * 10))));
    }

    #[test]
    fn a_key_that_is_hot_stays_so_at_twice_its_rate_and_cools_within_a_second_of_silence() {
        let mut keys = HotKeys::new(LIMITS);
        first_hot(&mut keys, 10_000, millis(0));
        let twice = |event: u64| millis(event * 5);
        assert!((1..2000).all(|event| keys.is_hot("hot", twice(event))));
        assert!(!keys.is_hot("hot", twice(2000) + millis(1011)));
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_no_tokens() {
        let mut keys = HotKeys::new(LIMITS);
        first_hot(&mut keys, 251, millis(900));
        assert!(keys.is_hot("hot", millis(100)));
        assert!(keys.is_hot("hot", millis(900)));
    }

    proptest! {
        #[test]
        fn no_more_events_than_burst_and_rate_allow_find_a_key_cold(
            gaps in prop::collection::vec(0_u64..30, 1..800),
        ) {
            let mut keys = HotKeys::new(LIMITS);
            let (mut now, mut cold) = (0, 0_u64);
            for gap in gaps {
                now += gap;
                cold += u64::from(!keys.is_hot("key", millis(now)));
            }
            prop_assert!(cold <= 250 + now / 10 + 1);
        }

        #[test]
        fn a_key_within_its_rate_is_cold_whatever_the_others_do(others in prop::collection::vec(0_u32..5000, 1..60)) {
            let mut keys = HotKeys::new(LIMITS);
            for (second, events) in (0_u64..).zip(others) {
                for event in 0..events {
                    keys.is_hot(event % 7, Duration::from_secs(second));
                }
                prop_assert!((0..100).all(|_| !keys.is_hot(99, Duration::from_secs(second))));
            }
        }

        #[test]
        fn keys_of_one_event_are_forgotten(count in 0_u32..20_000) {
            let mut keys = HotKeys::new(LIMITS);
            for key in 0..count {
                keys.is_hot(key, millis(u64::from(key)));
            }
            prop_assert!(keys.buckets.len() <= MIN_SWEEP + 1);
        }
    }
}
