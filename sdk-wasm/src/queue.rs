//! Events that wait to be sent, in the order they happened.

use std::collections::VecDeque;

/// Events that share an envelope: one load, session and user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The members of the request besides `write_key`, `sent_at` and `events`, as JSON.
    pub envelope: String,
    /// Each event as JSON.
    pub events: VecDeque<String>,
}

/// A queue that is bounded in bytes: when it is full, the oldest events go.
#[derive(Debug, Default)]
pub struct Queue {
    batches: VecDeque<Batch>,
    bytes: usize,
    limit: usize,
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
    pub fn push(&mut self, envelope: &str, event: String) -> u64 {
        self.bytes += event.len();
        match self.batches.back_mut() {
            Some(last) if last.envelope == envelope => last.events.push_back(event),
            _ => self.batches.push_back(Batch {
                envelope: envelope.to_owned(),
                events: VecDeque::from([event]),
            }),
        }
        self.shrink()
    }

    /// Takes out the oldest events that fit one request: at most `count`, and, from the second on,
    /// at most `bytes` together.
    pub fn take(&mut self, count: usize, bytes: usize) -> Option<Batch> {
        let first = self.batches.front_mut()?;
        let mut taken = Batch {
            envelope: first.envelope.clone(),
            events: VecDeque::new(),
        };
        let mut size = 0;
        while let Some(event) = first.events.front() {
            size += event.len();
            let full = taken.events.len() >= count || size > bytes;
            if full && !taken.events.is_empty() {
                break;
            }
            self.bytes -= event.len();
            taken.events.extend(first.events.pop_front());
        }
        if first.events.is_empty() {
            self.batches.pop_front();
        }
        Some(taken)
    }

    /// Puts a batch back to the front; returns how many events had to go for it.
    pub fn put_back(&mut self, batch: Batch) -> u64 {
        self.bytes += batch.events.iter().map(String::len).sum::<usize>();
        self.batches.push_front(batch);
        self.shrink()
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.iter().map(|batch| batch.events.len()).sum()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// How many bytes of events wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many events may go into the next request: those that share the first envelope.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.batches.front().map_or(0, |batch| batch.events.len())
    }

    /// Whether more than one envelope is waiting, so that the first one is complete.
    #[must_use]
    pub fn first_is_complete(&self) -> bool {
        self.batches.len() > 1
    }

    /// Everything, as lines for storage: an envelope, then its events. JSON written here has no
    /// line breaks.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for batch in &self.batches {
            text.push(ENVELOPE);
            text.push_str(&batch.envelope);
            text.push('\n');
            for event in &batch.events {
                text.push_str(event);
                text.push('\n');
            }
        }
        text
    }

    /// Adds what [`Queue::to_text`] wrote; returns how many events had to go for it.
    pub fn restore(&mut self, text: &str) -> u64 {
        let mut envelope = None;
        let mut lost = 0;
        for line in text.lines() {
            match (line.strip_prefix(ENVELOPE), envelope) {
                (Some(found), _) => envelope = Some(found),
                (None, Some(envelope)) if line.starts_with('{') && line.ends_with('}') => {
                    lost += self.push(envelope, line.to_owned());
                }
                (None, _) => {}
            }
        }
        lost
    }

    fn shrink(&mut self) -> u64 {
        let mut gone = 0;
        while self.bytes > self.limit {
            let Some(first) = self.batches.front_mut() else {
                break;
            };
            if let Some(event) = first.events.pop_front() {
                self.bytes -= event.len();
                gone += 1;
            }
            if first.events.is_empty() {
                self.batches.pop_front();
            }
        }
        gone
    }
}

/// What a line of storage with an envelope starts with; an event's starts with `{`.
const ENVELOPE: char = '=';

#[cfg(test)]
mod tests;
