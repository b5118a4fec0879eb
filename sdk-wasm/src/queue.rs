//! Events that wait to be sent, in the order they happened.

use crate::{
    ledger::{Ledger, Reason},
    scan::{cut, split},
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

/// What a line of storage with an envelope starts with; an event's starts with `{`.
const ENVELOPE: char = '=';

/// The same for events that were handed over where nobody reads the answer.
const ENVELOPE_SENT: char = '?';

/// What the line with the ledger starts with.
const LEDGER: char = '!';

/// What every event starts with; its id follows, and says when it was recorded.
const BEFORE_ID: &str = "{\"id\":\"";

/// A queue that is bounded in bytes, as storage will hold them: when it is full, the oldest events go.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    batches: Vec<Batch>,
    /// Given to beacons whose answer nobody reads: what is heard of the server next decides.
    sent: Vec<Batch>,
    limit: usize,
}

impl Batch {
    /// Takes out the oldest events: `count` at most and, from the second on, `bytes` together.
    fn take(&mut self, count: usize, bytes: usize) -> Batch {
        let mut taken = Batch {
            envelope: self.envelope.clone(),
            ..Batch::default()
        };
        let mut end = 0;
        while let Some(length) = line_length(&self.events, end) {
            let full = taken.count >= count || end + length > bytes;
            if full && taken.count > 0 {
                break;
            }
            end += length;
            taken.count += 1;
        }
        self.count -= taken.count;
        if let Some((events, rest)) = self.events.split_at_checked(end) {
            taken.events = events.to_owned();
            self.events = rest.to_owned();
        }
        taken
    }

    /// How long it is in storage.
    fn len(&self) -> usize {
        self.envelope.len() + self.events.len() + 2
    }

    fn write(&self, mark: char, text: &mut String) {
        text.push(mark);
        text.push_str(&self.envelope);
        text.push('\n');
        text.push_str(&self.events);
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
        append(&mut self.batches, envelope, event);
        ledger.add(Reason::QueueFull, self.shrink(self.limit));
    }

    /// Takes out the oldest events that fit one request: at most `count`, and, from the second on,
    /// at most `bytes` together.
    pub fn take(&mut self, count: usize, bytes: usize) -> Option<Batch> {
        let first = self.batches.first_mut()?;
        let taken = first.take(count, bytes);
        self.batches.retain(|batch| batch.count > 0);
        Some(taken)
    }

    /// Puts a batch back to the front.
    pub fn put_back(&mut self, mut batch: Batch) {
        if let Some(next) = self.batches.first_mut()
            && next.envelope == batch.envelope
        {
            batch.events.push_str(&next.events);
            next.events = batch.events;
            next.count += batch.count;
        } else if batch.count > 0 {
            self.prepend(vec![batch]);
        }
    }

    /// A batch was handed over, and nobody will read the answer.
    pub fn keep_sent(&mut self, batch: Batch) {
        self.sent.push(batch);
    }

    /// The server answers: what was handed over before is taken for delivered if it took what came
    /// after, and waits again if not.
    pub fn judge_sent(&mut self, taken: bool) {
        let sent = std::mem::take(&mut self.sent);
        if !taken {
            self.prepend(sent);
        }
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.iter().map(|batch| batch.count).sum()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Whether the oldest events make a whole batch, or no more can join them.
    #[must_use]
    pub fn has_full_batch(&self, count: usize, bytes: usize) -> bool {
        match self.batches.as_slice() {
            [] => false,
            [only] => only.count >= count || only.events.len() >= bytes,
            _ => true,
        }
    }

    /// Drops and counts the events that were recorded before a time.
    pub fn expire(&mut self, before: u64, ledger: &mut Ledger) {
        let is_old = |batch: &Batch| {
            let id = batch.events.strip_prefix(BEFORE_ID);
            id.and_then(uuid::time).is_some_and(|time| time < before)
        };
        while self.batches.first().is_some_and(is_old) {
            let gone = self.take(1, 0).map_or(0, |batch| batch.count);
            ledger.add(Reason::Expired, gone);
        }
    }

    /// Everything and the ledger, as lines for storage: an envelope, then its events.
    #[must_use]
    pub fn to_text(&self, ledger: &Ledger) -> String {
        let mut text = String::new();
        if !ledger.is_empty() {
            text.push(LEDGER);
            text.push_str(&ledger.to_text());
            text.push('\n');
        }
        for batch in &self.sent {
            batch.write(ENVELOPE_SENT, &mut text);
        }
        for batch in &self.batches {
            batch.write(ENVELOPE, &mut text);
        }
        text
    }

    /// Puts what [`Queue::to_text`] wrote to the front; lines that storage has spoilt are counted.
    pub fn restore(&mut self, mut text: &str, ledger: &mut Ledger) {
        let mut waiting = Vec::new();
        let mut envelope = "";
        let mut sent = false;
        while !text.is_empty() {
            let (line, rest) = split(text, b'\n').unwrap_or((text, ""));
            text = rest;
            if let Some(counts) = line.strip_prefix(LEDGER) {
                ledger.read(counts);
            } else if let Some(found) = line.strip_prefix(ENVELOPE) {
                (envelope, sent) = (found, false);
            } else if let Some(found) = line.strip_prefix(ENVELOPE_SENT) {
                (envelope, sent) = (found, true);
            } else if let Some(event) = line.strip_suffix(',')
                && event.starts_with('{')
                && !envelope.is_empty()
            {
                let batches = if sent { &mut self.sent } else { &mut waiting };
                append(batches, envelope, event);
            } else {
                ledger.add(Reason::StorageLost, 1);
            }
        }
        self.prepend(waiting);
        ledger.add(Reason::QueueFull, self.shrink(self.limit));
    }

    /// Drops the oldest events until so many bytes hold the rest; returns how many had to go.
    pub fn shrink(&mut self, limit: usize) -> usize {
        let mut gone = 0;
        while self.bytes() > limit {
            // These have most likely arrived, so that nothing is lost with them.
            if self.sent.pop().is_none() {
                let Some(dropped) = self.take(1, 0) else {
                    break;
                };
                gone += dropped.count;
            }
        }
        gone
    }

    fn prepend(&mut self, mut batches: Vec<Batch>) {
        batches.append(&mut self.batches);
        self.batches = batches;
    }

    fn bytes(&self) -> usize {
        let all = self.sent.iter().chain(&self.batches);
        all.map(Batch::len).sum()
    }
}

fn append(batches: &mut Vec<Batch>, envelope: &str, event: &str) {
    if batches.last().is_none_or(|last| last.envelope != envelope) {
        batches.push(Batch {
            envelope: envelope.to_owned(),
            ..Batch::default()
        });
    }
    if let Some(last) = batches.last_mut() {
        last.events.push_str(event);
        last.events.push_str(END);
        last.count += 1;
    }
}

/// The length of the line at an index, with its end.
fn line_length(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let line = cut(rest, b'\n').0;
    (line.len() < rest.len()).then_some(line.len() + 1)
}

#[cfg(test)]
mod tests;
