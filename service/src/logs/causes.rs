//! Which lines have the same cause, and when it may be told again. Pure.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::{Duration, Instant},
};

/// A cause is told at most once in this time.
const INTERVAL: Duration = Duration::from_secs(10);
/// The most causes that are remembered; what is beyond has one cause.
const MAX_CAUSES: usize = 1000;

/// What has been told lately.
#[derive(Debug, Default)]
pub(super) struct Causes {
    told: HashMap<u64, Told>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    at: Instant,
    /// How often it came since, without being told.
    since: u64,
}

impl Causes {
    /// Whether a line may be told now; if so, how often its cause came since it was told last. Lines that differ only in
    /// their numbers have the same cause.
    pub(super) fn tell(&mut self, line: &[u8], now: Instant) -> Option<u64> {
        let mut cause = self.cause(line);
        if self.told.len() >= MAX_CAUSES && !self.told.contains_key(&cause) {
            self.told
                .retain(|_, told| now.saturating_duration_since(told.at) < INTERVAL);
            if self.told.len() >= MAX_CAUSES {
                cause = 0;
            }
        }
        let fresh = Told { at: now, since: 0 };
        let Some(told) = self.told.get_mut(&cause) else {
            self.told.insert(cause, fresh);
            return Some(0);
        };
        if now.saturating_duration_since(told.at) < INTERVAL {
            told.since += 1;
            return None;
        }
        let since = told.since;
        *told = fresh;
        Some(since)
    }

    fn cause(&self, line: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        let (mut is_in_word, mut was_number) = (false, false);
        for byte in line {
            // A digit within a word, as in a topic's name, tells it from another one.
            is_in_word = byte.is_ascii_alphabetic() || (is_in_word && byte.is_ascii_digit());
            let is_number = byte.is_ascii_digit() && !is_in_word;
            if !is_number {
                hasher.write_u8(*byte);
            } else if !was_number {
                hasher.write_u8(b'0');
            }
            was_number = is_number;
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_cause_is_told_once_in_ten_seconds_with_the_number_of_times() {
        let (mut causes, start) = (Causes::default(), start());
        let line =
            |second: u64| format!("2026-11-30T23:17:{second:02}Z WARN failed {second} times");
        assert_eq!(causes.tell(line(0).as_bytes(), start), Some(0));
        for second in 1..10 {
            let now = start + Duration::from_secs(second);
            assert_eq!(causes.tell(line(second).as_bytes(), now), None);
        }
        let now = start + INTERVAL;
        assert_eq!(causes.tell(line(10).as_bytes(), now), Some(9));
        assert_eq!(causes.tell(line(11).as_bytes(), now), None);
    }

    #[test]
    fn other_words_are_another_cause_and_so_are_other_names() {
        let (mut causes, start) = (Causes::default(), start());
        for line in [
            "a failed",
            "b failed",
            "topic t11 is missing",
            "topic t12 is missing",
        ] {
            assert_eq!(causes.tell(line.as_bytes(), start), Some(0), "{line}");
        }
        assert_eq!(causes.tell(b"topic t12 is missing", start), None);
    }

    #[test]
    fn however_many_causes_there_are_few_are_remembered_and_few_are_told() {
        let (mut causes, start) = (Causes::default(), start());
        let told = (0..5000).filter(|n| {
            let line = format!("x{n} failed");
            causes.tell(line.as_bytes(), start).is_some()
        });
        assert_eq!(told.count(), MAX_CAUSES + 1);
        assert!(causes.told.len() <= MAX_CAUSES + 1);
    }
}
