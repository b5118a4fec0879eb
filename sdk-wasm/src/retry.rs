//! What becomes of a batch after an answer, and how long to wait before the next try.

use crate::{json::push_number, scan::number};

/// The first wait is at most this long; every further one may be twice as long as the one before.
const FIRST_MS: u64 = 1_000;

/// No wait is longer.
const LONGEST_MS: u64 = 5 * 60_000;

/// A server may ask for more, up to this: longer does not fit a timer.
const LONGEST_ASKED_MS: u64 = 24 * 60 * 60_000;

/// After so many failures in a row nobody tries before the wait is over, not even who leaves.
const BREAKER: u64 = 5;

/// For so long after a failure, what nobody reads the answer of counts as not delivered.
const DOUBT_MS: u64 = 10 * 60_000;

/// What an answer says about the batch that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server has it.
    Taken,
    /// It may be taken later.
    Again,
    /// It may be taken in parts.
    Halve,
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
        413 => Verdict::Halve,
        401 | 403 => Verdict::Stop,
        _ => Verdict::Refused,
    }
}

/// The wait after failures, which all tabs of an origin share: it is kept in storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// How many there were in a row.
    failures: u64,
    /// When it ends or ended, in milliseconds since the Unix epoch.
    until: u64,
    /// Whether the server asked for it.
    asked: bool,
}

impl Wait {
    /// Waits after one more failure: full jitter, from a random number in `0..1`, unless the server
    /// asked for a time of its own.
    pub fn fail(&mut self, now: u64, random: f64, asked_ms: Option<u64>) {
        let longest = (FIRST_MS << self.failures.min(20)).min(LONGEST_MS);
        self.failures = self.failures.saturating_add(1);
        self.asked = asked_ms.is_some();
        let wait = asked_ms.unwrap_or_else(|| share(longest, random));
        self.until = now.saturating_add(wait.min(LONGEST_ASKED_MS));
    }

    /// The server answers: the next failure is the first one.
    pub fn succeed(&mut self, now: u64) {
        self.failures = 0;
        self.asked = false;
        self.until = self.until.min(now);
    }

    /// Nothing is sent by itself before, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn until(&self) -> u64 {
        self.until
    }

    /// Whether the last try failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether who leaves, flushes or comes online may send: not while the server asked for time,
    /// nor after too many failures.
    #[must_use]
    pub fn may_hurry(&self, now: u64) -> bool {
        now >= self.until || (!self.asked && self.failures < BREAKER)
    }

    /// Whether no failure is near, so that what was sent has most likely arrived.
    #[must_use]
    pub fn is_calm(&self, now: u64) -> bool {
        self.failures == 0 && (self.until == 0 || now >= self.until + DOUBT_MS)
    }

    /// Takes over what a tab has stored by [`Wait::to_text`]. No clock that was set back makes the
    /// wait longer than a server may ask for.
    pub fn read(&mut self, text: &str, now: u64) {
        if let Some((failures, rest)) = number(text)
            && let Some((until, rest)) = rest.strip_prefix(" ").and_then(number)
        {
            self.failures = failures;
            self.until = until.min(now.saturating_add(LONGEST_ASKED_MS));
            self.asked = !rest.is_empty();
        }
    }

    /// For storage.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        push_number(&mut text, self.failures);
        text.push_str(" ");
        push_number(&mut text, self.until);
        if self.asked {
            text.push_str("!");
        }
        text
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
mod tests;
