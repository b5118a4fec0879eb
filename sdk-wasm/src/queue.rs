//! Events that wait to be sent, in the order they happened.

use crate::scan::{cut, split};

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

/// A queue that is bounded in bytes: when it is full, the oldest events go.
#[derive(Debug, Default)]
pub struct Queue {
    batches: Vec<Batch>,
    bytes: usize,
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
}

impl Queue {
    /// An empty queue that holds at most `limit` bytes of events.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Adds an event; returns how many had to go for it, itself included if it is too large.
    pub fn push(&mut self, envelope: &str, event: &str) -> usize {
        if self
            .batches
            .last()
            .is_none_or(|last| last.envelope != envelope)
        {
            self.batches.push(Batch {
                envelope: envelope.to_owned(),
                ..Batch::default()
            });
        }
        if let Some(last) = self.batches.last_mut() {
            last.events.push_str(event);
            last.events.push_str(END);
            last.count += 1;
            self.bytes += event.len() + END.len();
        }
        self.shrink()
    }

    /// Takes out the oldest events that fit one request: at most `count`, and, from the second on,
    /// at most `bytes` together.
    pub fn take(&mut self, count: usize, bytes: usize) -> Option<Batch> {
        let first = self.batches.first_mut()?;
        let taken = first.take(count, bytes);
        self.bytes -= taken.events.len();
        self.batches.retain(|batch| batch.count > 0);
        Some(taken)
    }

    /// Puts a batch back to the front; returns how many events had to go for it.
    pub fn put_back(&mut self, mut batch: Batch) -> usize {
        self.bytes += batch.events.len();
        if let Some(next) = self.batches.first_mut()
            && next.envelope == batch.envelope
        {
            batch.events.push_str(&next.events);
            next.events = batch.events;
            next.count += batch.count;
        } else {
            let mut later = std::mem::replace(&mut self.batches, vec![batch]);
            self.batches.append(&mut later);
        }
        self.shrink()
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

    /// Everything, as lines for storage: an envelope, then its events.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for batch in &self.batches {
            text.push(ENVELOPE);
            text.push_str(&batch.envelope);
            text.push('\n');
            text.push_str(&batch.events);
        }
        text
    }

    /// Adds what [`Queue::to_text`] wrote; returns how many events had to go for it.
    pub fn restore(&mut self, mut text: &str) -> usize {
        let mut envelope = "";
        let mut lost = 0;
        while let Some((line, rest)) = split(text, b'\n') {
            text = rest;
            if let Some(found) = line.strip_prefix(ENVELOPE) {
                envelope = found;
            } else if let Some(event) = line.strip_suffix(',')
                && event.starts_with('{')
                && !envelope.is_empty()
            {
                lost += self.push(envelope, event);
            }
        }
        lost
    }

    fn shrink(&mut self) -> usize {
        let mut gone = 0;
        while self.bytes > self.limit
            && let Some(dropped) = self.take(1, 0)
        {
            gone += dropped.count;
        }
        gone
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
