//! When a batch is sent: one at a time, by count, bytes and age, and never against the server's will.

use crate::{
    options::Options,
    queue::{Batch, Queue},
    retry::{Backoff, Verdict, judge},
};

/// The first batch of a load waits no longer, so that short visits are seen.
const FIRST_BATCH_MS: u64 = 1_000;

/// What came back for a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer {
    /// The HTTP status, or 0 when there was none.
    pub status: u16,
    /// How long the server asked to be left alone.
    pub asked_ms: Option<u64>,
    /// A random number in `0..1`, for the wait after a failure.
    pub random: f64,
}

/// What is on its way, and what to wait for.
#[derive(Debug, Default)]
pub struct Delivery {
    in_flight: Option<Batch>,
    backoff: Backoff,
    /// Nothing is sent before.
    not_before: u64,
    /// Whether that is the server's wish.
    asked: bool,
    /// Since when the oldest event waits.
    since: Option<u64>,
    /// Whether a batch was sent already.
    started: bool,
    /// Whether all that waits is to be sent at once.
    hurried: bool,
    stopped: bool,
}

impl Delivery {
    /// An event waits from now on.
    pub fn wait_from(&mut self, now: u64) {
        self.since.get_or_insert(now);
    }

    /// When to send the next batch, if nothing is on its way.
    #[must_use]
    pub fn due(&self, queue: &Queue, options: &Options, now: u64) -> Option<u64> {
        if self.stopped || self.in_flight.is_some() || queue.is_empty() {
            return None;
        }
        let full = self.hurried || queue.has_full_batch(options.batch_count, options.batch_bytes);
        let longest = if self.started {
            u64::MAX
        } else {
            FIRST_BATCH_MS
        };
        let age = (options.batch_age as u64).min(longest);
        let ready = match self.since {
            Some(since) if !full => since.saturating_add(age),
            _ => now,
        };
        Some(ready.max(self.not_before))
    }

    /// A batch is on its way.
    pub fn sent(&mut self, batch: Batch, now: u64) {
        self.in_flight = Some(batch);
        self.started = true;
        self.since = Some(now);
    }

    /// The batch that was on its way has been answered. What may be taken later goes back to the
    /// queue; returns how many events are lost.
    pub fn answered(&mut self, answer: Answer, now: u64, queue: &mut Queue) -> usize {
        let batch = self.in_flight.take().unwrap_or_default();
        let count = batch.count;
        let verdict = judge(answer.status);
        let lost = match verdict {
            Verdict::Taken => 0,
            Verdict::Again if count > 0 => queue.put_back(batch),
            Verdict::Again => 0,
            Verdict::Refused => count,
            Verdict::Stop => {
                let waiting = queue.len();
                *queue = Queue::default();
                self.stopped = true;
                count + waiting
            }
        };
        self.asked = false;
        if verdict == Verdict::Again {
            self.asked = answer.asked_ms.is_some();
            let wait = self.backoff.fail(answer.random, answer.asked_ms);
            self.not_before = now.saturating_add(wait);
            self.since = Some(0);
            self.hurried = false;
        } else {
            self.backoff.succeed();
            self.not_before = 0;
        }
        if queue.is_empty() {
            self.since = None;
            self.hurried = false;
        }
        lost
    }

    /// Sends all that waits now, unless the server asked for time.
    pub fn hurry(&mut self, now: u64) {
        self.hurried = true;
        if self.may_send(now) {
            self.not_before = 0;
        }
    }

    /// Whether anything may be sent now: during a backoff yes, while the server asked for time no.
    #[must_use]
    pub fn may_send(&self, now: u64) -> bool {
        !self.stopped && (!self.asked || now >= self.not_before)
    }

    /// Puts what is on its way back to the queue when it may fail as the last one did.
    pub fn recall(&mut self, queue: &mut Queue) {
        if self.backoff.is_failing()
            && let Some(batch) = self.in_flight.take()
        {
            queue.put_back(batch);
        }
        self.since = None;
    }

    /// Whether the last try failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.backoff.is_failing()
    }

    /// Whether the server has refused this page for good.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether a batch is on its way.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.in_flight.is_some()
    }

    /// How many events are on their way.
    #[must_use]
    pub fn sending(&self) -> usize {
        self.in_flight.as_ref().map_or(0, |batch| batch.count)
    }
}
