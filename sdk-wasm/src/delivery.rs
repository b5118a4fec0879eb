//! When a batch is sent: one at a time, by count, bytes and age, and never against the server's will.

use crate::{
    ledger::{Ledger, Reason},
    options::Options,
    queue::{Batch, Queue},
    retry::{Verdict, Wait, judge},
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
    /// How many of its events the server refused although it took the batch.
    pub rejected: usize,
}

/// What is on its way, and what to wait for.
#[derive(Debug, Default)]
pub struct Delivery {
    in_flight: Option<Batch>,
    /// What all tabs wait for.
    pub wait: Wait,
    /// Since when the oldest event waits.
    since: Option<u64>,
    /// Whether a batch was sent already.
    started: bool,
    /// Whether all that waits is to be sent at once.
    hurried: bool,
    /// How many events the server was found to take at most, once it refused more.
    most: Option<usize>,
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
        if self.hurried && self.wait.may_hurry(now) {
            return Some(now);
        }
        let longest = if self.started {
            u64::MAX
        } else {
            FIRST_BATCH_MS
        };
        let age = (options.batch_age as u64).min(longest);
        let full = queue.has_full_batch(self.most(options), options.batch_bytes);
        let ready = match self.since {
            Some(since) if !full => since.saturating_add(age),
            _ => now,
        };
        Some(ready.max(self.wait.until()))
    }

    /// The oldest events that fit a request.
    pub fn take(&self, queue: &mut Queue, options: &Options) -> Option<Batch> {
        queue.take(self.most(options), options.batch_bytes)
    }

    /// A batch is on its way.
    pub fn sent(&mut self, batch: Batch, now: u64) {
        self.in_flight = Some(batch);
        self.started = true;
        self.since = Some(now);
    }

    /// The batch that was on its way has been answered. What may be taken later goes back to the
    /// queue; what never will is counted.
    pub fn answered(&mut self, answer: Answer, now: u64, queue: &mut Queue, ledger: &mut Ledger) {
        let batch = self.in_flight.take().unwrap_or_default();
        let count = batch.count;
        let verdict = judge(answer.status);
        if verdict == Verdict::Again {
            self.wait.fail(now, answer.random, answer.asked_ms);
            self.hurried = false;
        } else {
            self.wait.succeed(now);
        }
        match verdict {
            Verdict::Taken => ledger.add(Reason::Rejected, answer.rejected),
            Verdict::Again if count > 0 => {
                queue.put_back(&batch);
                self.since = Some(0);
            }
            Verdict::Again => {}
            Verdict::Halve if count > 1 => {
                queue.put_back(&batch);
                self.most = Some(count / 2);
                self.since = Some(0);
            }
            Verdict::Halve => ledger.add(Reason::TooLarge, count),
            Verdict::Refused => ledger.add(Reason::Rejected, count),
            Verdict::Stop => {
                ledger.add(Reason::Rejected, count + queue.len());
                queue.clear();
                self.stopped = true;
            }
        }
        queue.judge_sent(verdict != Verdict::Again);
        if queue.is_empty() {
            self.rest();
        }
    }

    /// Sends all that waits now, if that may be.
    pub fn hurry(&mut self) {
        self.hurried = true;
    }

    /// Nothing waits any more.
    pub fn rest(&mut self) {
        self.since = None;
        self.hurried = false;
    }

    /// What waits, and what is on its way, is somebody else's from now on.
    pub fn forget(&mut self) {
        self.in_flight = None;
        self.rest();
    }

    /// Whether who leaves may send.
    #[must_use]
    pub fn may_hurry(&self, now: u64) -> bool {
        !self.stopped && self.wait.may_hurry(now)
    }

    /// Whether the server has refused this page for good.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// What is on its way.
    #[must_use]
    pub fn in_flight(&self) -> Option<&Batch> {
        self.in_flight.as_ref()
    }

    fn most(&self, options: &Options) -> usize {
        let most = self.most.unwrap_or(options.batch_count);
        most.min(options.batch_count)
    }
}
