//! What is sent when, and what becomes of it.

use super::{Tracker, World};
use crate::{
    delivery::Answer,
    json::Object,
    queue::{Batch, END},
    retry::{Verdict, judge},
    scan::join,
};

/// The most events that a gateway takes at once.
const MOST_EVENTS: usize = 500;

/// What the browser keeps for the page's end shares 64 KiB with whatever else the page has it keep.
const SNAPSHOT_BYTES: usize = 48 << 10;

/// The name of what all tabs wait for in storage.
const WAIT: &str = "wait";

impl Tracker {
    /// When the next batch is due, unless something else happens first.
    #[must_use]
    pub fn due(&self, now: u64) -> Option<u64> {
        self.delivery.due(&self.queue, &self.options, now)
    }

    /// The next batch as a request's body, if one is due. An answer must follow.
    pub fn send(&mut self, now: u64, world: &mut impl World) -> Option<String> {
        self.refresh(now, world);
        let oldest = now.saturating_sub(self.options.max_age as u64);
        self.queue.expire(oldest, &mut self.ledger);
        if self.queue.is_empty() {
            self.delivery.rest();
        }
        if self.due(now)? > now {
            return None;
        }
        self.share(now, world);
        let batch = self.delivery.take(&mut self.queue, &self.options)?;
        let body = self.body(&batch, now);
        self.delivery.sent(batch, now);
        Some(body)
    }

    /// All that waits is due now, even during a backoff, but not while the server asked for time.
    pub fn flush(&mut self) {
        if !self.queue.is_empty() {
            self.delivery.hurry();
        }
    }

    /// Another tab may have heard of the server.
    pub fn refresh(&mut self, now: u64, world: &mut impl World) {
        if let Some(text) = world.stored(WAIT) {
            self.delivery.wait.read(&text, now);
        }
    }

    /// What became of the last batch that was sent. What was lost is told once the server takes
    /// something, for only then will the telling arrive.
    pub fn answered(&mut self, answer: Answer, now: u64, world: &mut impl World) {
        let before = self.delivery.wait.clone();
        let (queue, ledger) = (&mut self.queue, &mut self.ledger);
        self.delivery.answered(answer, now, queue, ledger);
        if self.delivery.wait != before {
            world.store(WAIT, &self.delivery.wait.to_text());
        }
        if judge(answer.status) == Verdict::Taken && !self.ledger.is_empty() {
            let mut lost = Object::default();
            lost.text("type", "lost")
                .number("time", now)
                .json("properties", &self.ledger.to_json());
            self.ledger.clear();
            self.record(&lost.finish(), now, world);
        }
    }

    /// The page may be gone in a moment: hands batches to `beacon` until it takes no more.
    pub fn leave(
        &mut self,
        now: u64,
        world: &mut impl World,
        beacon: &mut dyn FnMut(&str) -> bool,
    ) {
        self.share(now, world);
        self.refresh(now, world);
        // Leaving is announced twice; only what came after the first time is news.
        if self.left_at.replace(self.seq) == Some(self.seq) || !self.delivery.may_hurry(now) {
            return;
        }
        // Nobody reads a beacon's answer. When a failure is near, this one may fail too, so it is
        // sent again, under the same ids.
        let calm = self.delivery.wait.is_calm(now);
        while let Some(batch) = self.delivery.take(&mut self.queue, &self.options) {
            if !beacon(&self.body(&batch, now)) {
                self.queue.put_back(&batch);
                break;
            }
            self.queue.keep_sent(&batch);
        }
        if !calm {
            self.queue.judge_sent(false);
        }
    }

    /// What the browser may send if the page ends without a word: one request, while nothing fails.
    #[must_use]
    pub fn snapshot(&self, now: u64) -> String {
        if self.delivery.wait.is_failing() || !self.delivery.may_hurry(now) {
            return String::new();
        }
        let batch = self.queue.clone().take(MOST_EVENTS, SNAPSHOT_BYTES);
        batch.map_or_else(String::new, |batch| self.body(&batch, now))
    }

    fn body(&self, batch: &Batch, now: u64) -> String {
        let events = batch.events.strip_suffix(END).unwrap_or("");
        let mut body = Object::default();
        body.text("write_key", &self.options.write_key)
            .number("sent_at", now)
            .all(&batch.envelope)
            .json("events", &join(&["[", events, "]"]));
        body.finish()
    }
}

#[cfg(test)]
mod tests;
