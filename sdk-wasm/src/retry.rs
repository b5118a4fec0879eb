//! What becomes of a batch after an answer, and how long to wait before the next try.

/// The first wait is at most this long; every further one may be twice as long as the one before.
const FIRST_MS: u64 = 1_000;

/// No wait is longer.
const LONGEST_MS: u64 = 5 * 60_000;

/// A server may ask for more, up to this: longer does not fit a timer.
const LONGEST_ASKED_MS: u64 = 24 * 60 * 60_000;

/// What an answer says about the batch that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server has it.
    Taken,
    /// It may be taken later.
    Again,
    /// It will never be taken.
    Refused,
    /// Nothing of this page will ever be taken.
    Stop,
}

/// Judges an HTTP status; 0 stands for a network error.
#[must_use]
pub fn judge(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Taken,
        0 | 408 | 429 | 500..=599 => Verdict::Again,
        401 | 403 => Verdict::Stop,
        _ => Verdict::Refused,
    }
}

/// Counts failures in a row, and waits longer after each of them.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How many milliseconds to wait after one more failure: full jitter, from a random number in
    /// `0..1`, unless the server asked for a time of its own.
    pub fn fail(&mut self, random: f64, asked_ms: Option<u64>) -> u64 {
        let longest = FIRST_MS
            .saturating_mul(1 << self.failures.min(20))
            .min(LONGEST_MS);
        self.failures = self.failures.saturating_add(1);
        match asked_ms {
            Some(asked) => asked.min(LONGEST_ASKED_MS),
            None => share(longest, random),
        }
    }

    /// The server took something: the next failure is the first one.
    pub fn succeed(&mut self) {
        self.failures = 0;
    }

    /// Whether the last try failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "casts saturate, and waits are far below 2^52 ms"
)]
fn share(longest: u64, random: f64) -> u64 {
    ((longest as f64 * random) as u64).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_wait_doubles_from_one_second_to_five_minutes() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..11).map(|_| backoff.fail(1.0, None)).collect();
        let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(|seconds| seconds * 1000);
        assert_eq!(waits, expected);
    }

    #[test]
    fn after_a_success_the_waits_start_again() {
        let mut backoff = Backoff::default();
        backoff.fail(1.0, None);
        backoff.fail(1.0, None);
        backoff.succeed();
        assert!(!backoff.is_failing());
        assert_eq!(backoff.fail(1.0, None), 1000);
    }

    #[test]
    fn what_the_server_asks_for_is_obeyed() {
        assert_eq!(Backoff::default().fail(0.1, Some(7_000)), 7_000);
        assert_eq!(Backoff::default().fail(0.1, Some(u64::MAX)), 86_400_000);
    }

    #[test]
    fn only_what_may_change_is_tried_again() {
        for status in [0, 408, 429, 500, 503, 599] {
            assert_eq!(judge(status), Verdict::Again, "{status}");
        }
        for status in [301, 400, 404, 413, 415, 431] {
            assert_eq!(judge(status), Verdict::Refused, "{status}");
        }
        assert_eq!(judge(202), Verdict::Taken);
        assert_eq!(judge(401), Verdict::Stop);
        assert_eq!(judge(403), Verdict::Stop);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_five_minutes(randoms in prop::collection::vec(0.0f64..1.0, 1..60)) {
            let mut backoff = Backoff::default();
            for random in randoms {
                prop_assert!(backoff.fail(random, None) <= LONGEST_MS);
            }
        }
    }
}
