//! Events that wait to be sent, in the order they happened.

use crate::{
    ledger::{Ledger, Reason},
    scan::{cut, join, split},
    uuid,
};

/// Events that share an envelope: one load, session and user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The members of the request besides `write_key`, `sent_at` and `events`, as JSON.
    pub envelope: String,
    /// Each event as JSON, and [`END`] behind it. JSON as it is written here has no line breaks.
    pub events: String,
    /// How many events there are.
    pub count: usize,
}

/// What ends an event; between two of them it is JSON as well.
pub const END: &str = ",\n";

/// What a line with an envelope starts with; an event's starts with `{`.
const ENVELOPE: &str = "=";

/// What starts the lines that were handed over where nobody reads the answer.
const SENT: &str = "?\n";

/// What starts the line with the ledger.
const LEDGER: &str = "!";

/// What every event starts with; its id follows, and says when it was recorded.
const BEFORE_ID: &str = "{\"id\":\"";

/// A queue that is bounded in bytes: when it is full, the oldest events go.
///
/// It is the text that storage holds: lines with an envelope, each followed by its events.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    waiting: String,
    /// What the last events share.
    envelope: String,
    /// Given to beacons whose answer nobody reads: what is heard of the server next decides.
    sent: String,
    limit: usize,
}

impl Batch {
    fn to_text(&self) -> String {
        join(&[&head(&self.envelope), &self.events])
    }
}

impl Queue {
    /// An empty queue that holds at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Adds an event; what has to go for it is counted.
    pub fn push(&mut self, envelope: &str, event: &str, ledger: &mut Ledger) {
        if envelope.len() + event.len() + 4 > self.limit {
            ledger.add(Reason::TooLarge, 1);
            return;
        }
        if self.waiting.is_empty() || self.envelope != envelope {
            self.waiting.push_str(&head(envelope));
            self.envelope = envelope.to_owned();
        }
        self.waiting.push_str(event);
        self.waiting.push_str(END);
        ledger.add(Reason::QueueFull, self.shrink(self.limit));
    }

    /// Takes out the oldest events that fit one request: at most `count`, and, from the second on,
    /// at most `bytes` together.
    pub fn take(&mut self, count: usize, bytes: usize) -> Option<Batch> {
        while let Some((line, events)) = split(&self.waiting, b'\n') {
            let (taken, length) = measure(events, count, bytes);
            let (events, rest) = events.split_at_checked(length)?;
            let batch = Batch {
                envelope: line.get(1..)?.to_owned(),
                events: events.to_owned(),
                count: taken,
            };
            self.waiting = if rest.starts_with("{") {
                join(&[line, "\n", rest])
            } else {
                rest.to_owned()
            };
            if taken > 0 {
                return Some(batch);
            }
        }
        None
    }

    /// Puts a batch back to the front.
    pub fn put_back(&mut self, batch: &Batch) {
        if self.waiting.is_empty() {
            self.envelope = batch.envelope.clone();
        }
        let head = head(&batch.envelope);
        // What follows under the same envelope needs it only once.
        let rest = self.waiting.strip_prefix(head.as_str());
        let rest = rest.unwrap_or(&self.waiting);
        self.waiting = join(&[&head, &batch.events, rest]);
    }

    /// A batch was handed over, and nobody will read the answer.
    pub fn keep_sent(&mut self, batch: &Batch) {
        self.sent.push_str(&batch.to_text());
    }

    /// The server answers: what was handed over before is taken for delivered if it took what came
    /// after, and waits again if not.
    pub fn judge_sent(&mut self, taken: bool) {
        let sent = std::mem::take(&mut self.sent);
        if !taken {
            self.prepend(&sent);
        }
    }

    /// What waits under one envelope goes under another one.
    pub fn rename(&mut self, before: &str, after: &str) {
        let mut waiting = String::new();
        let mut text = self.waiting.as_str();
        while let Some((line, rest)) = split(text, b'\n') {
            if line.strip_prefix(ENVELOPE) == Some(before) {
                waiting.push_str(&head(after));
            } else {
                waiting.push_str(line);
                waiting.push_str("\n");
            }
            text = rest;
        }
        self.waiting = waiting;
        if self.envelope == before {
            self.envelope = after.to_owned();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut text = self.waiting.as_str();
        let mut count = 0;
        while let Some((line, rest)) = split(text, b'\n') {
            count += usize::from(line.starts_with("{"));
            text = rest;
        }
        count
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the oldest events make a whole batch, or no more can join them.
    #[must_use]
    pub fn has_full_batch(&self, count: usize, bytes: usize) -> bool {
        let events = cut(&self.waiting, b'\n').1;
        let (taken, length) = measure(events, count, bytes);
        taken >= count || length >= bytes || length < events.len()
    }

    /// Drops and counts the events that were recorded before a time.
    pub fn expire(&mut self, before: u64, ledger: &mut Ledger) {
        let is_old = |text: &String| {
            let event = cut(text, b'\n').1.strip_prefix(BEFORE_ID);
            event.and_then(uuid::time).is_some_and(|time| time < before)
        };
        while is_old(&self.waiting) {
            self.take(1, 0);
            ledger.add(Reason::Expired, 1);
        }
    }

    /// Everything and the ledger, as text for storage.
    #[must_use]
    pub fn to_text(&self, ledger: &Ledger) -> String {
        let mut text = String::new();
        if !ledger.is_empty() {
            text = join(&[LEDGER, &ledger.to_text(), "\n"]);
        }
        text.push_str(&self.waiting);
        if !self.sent.is_empty() {
            text.push_str(SENT);
            text.push_str(&self.sent);
        }
        text
    }

    /// Puts what [`Queue::to_text`] wrote to the front; lines that storage has spoilt are counted.
    pub fn restore(&mut self, mut text: &str, ledger: &mut Ledger) {
        let (mut waiting, mut sent) = (String::new(), String::new());
        let mut list = &mut waiting;
        while !text.is_empty() {
            let (line, rest) = cut(text, b'\n');
            let is_event = line.starts_with("{") && line.ends_with(",") && !list.is_empty();
            if let Some(counts) = line.strip_prefix(LEDGER) {
                ledger.read(counts);
            } else if line == "?" {
                list = &mut sent;
            } else if is_event || line.len() > 1 && line.starts_with(ENVELOPE) {
                list.push_str(line);
                list.push_str("\n");
            } else {
                ledger.add(Reason::StorageLost, 1);
            }
            text = rest;
        }
        self.sent.push_str(&sent);
        self.prepend(&waiting);
        ledger.add(Reason::QueueFull, self.shrink(self.limit));
    }

    /// Drops the oldest events until so many bytes hold the rest; returns how many had to go.
    pub fn shrink(&mut self, limit: usize) -> usize {
        let mut gone = 0;
        if self.bytes() > limit {
            // These have most likely arrived, so that nothing is lost with them.
            self.sent = String::new();
        }
        while self.bytes() > limit {
            let Some(dropped) = self.take(1, 0) else {
                break;
            };
            gone += dropped.count;
        }
        gone
    }

    fn prepend(&mut self, text: &str) {
        if self.waiting.is_empty() {
            self.envelope.clear();
        }
        self.waiting = join(&[text, &self.waiting]);
    }

    fn bytes(&self) -> usize {
        self.sent.len() + self.waiting.len()
    }
}

/// The line that events stand below.
fn head(envelope: &str) -> String {
    join(&[ENVELOPE, envelope, "\n"])
}

/// How many events at the start of a text fit one request, and their length.
fn measure(text: &str, most: usize, bytes: usize) -> (usize, usize) {
    let (mut count, mut end) = (0, 0);
    let mut rest = text;
    while rest.starts_with("{")
        && let Some((line, after)) = split(rest, b'\n')
    {
        let length = line.len() + 1;
        if count > 0 && (count >= most || end + length > bytes) {
            break;
        }
        end += length;
        count += 1;
        rest = after;
    }
    (count, end)
}

#[cfg(test)]
mod tests;
