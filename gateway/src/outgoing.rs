//! What one request puts on Kafka, encoded.

use crate::admission::Admitted;
use footfall_protocol::{Timestamp, batch::Batch, rejected::Rejected};
use std::{fmt::Write as _, ops::Range};

/// What a record usually holds besides its event as sent and the context, in bytes. Only speed depends on it.
const USUAL_OVERHEAD: usize = 640;

/// The two topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Of accepted events.
    Events,
    /// Of rejected ones.
    Rejected,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Where it goes.
    pub topic: Topic,
    /// `None`: any partition.
    pub key: Option<&'a [u8]>,
    /// JSON.
    pub value: &'a [u8],
    /// The record's timestamp.
    pub timestamp: Timestamp,
    /// A valid W3C `traceparent`, for the record's header of that name.
    pub traceparent: Option<&'a str>,
}

impl Message<'_> {
    /// Of key and value.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.value.len() + self.key.map_or(0, <[u8]>::len)
    }
}

/// The records of one request, in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    buffer: Vec<u8>,
    places: Vec<Place>,
    events: usize,
    traceparent: Option<String>,
}

#[derive(Clone, Debug)]
struct Place {
    topic: Topic,
    key: Option<Range<usize>>,
    value: Range<usize>,
    timestamp: Timestamp,
}

impl Outgoing {
    /// Encodes what has been decided on a batch.
    ///
    /// # Errors
    /// Never for what has been read from JSON; the signature is serde's.
    pub fn encode(
        batch: &Batch<'_>,
        admitted: &Admitted<'_>,
        received_at: Timestamp,
    ) -> serde_json::Result<Self> {
        let lengths = batch.events.iter().map(|sent| sent.json().as_str().len());
        let sent: usize = lengths.sum();
        let context = batch.context.map_or(0, |context| context.as_str().len());
        let shared = context + USUAL_OVERHEAD;
        let mut outgoing = Self {
            buffer: Vec::with_capacity(sent + shared * admitted.accepted.len()),
            places: Vec::with_capacity(batch.events.len()),
            events: admitted.accepted.len(),
            traceparent: None,
        };
        for record in &admitted.accepted {
            outgoing.add(Topic::Events, record.time, |buffer| {
                let has_key = record.append_key(buffer);
                let key_end = buffer.len();
                record.append_json(buffer)?;
                Ok(has_key.then_some(key_end))
            })?;
        }
        for rejection in &admitted.rejected {
            outgoing.add(Topic::Rejected, received_at, |buffer| {
                buffer.extend_from_slice(batch.write_key.as_bytes());
                let key_end = buffer.len();
                let record = Rejected {
                    code: rejection.code,
                    message: (&*rejection.message).into(),
                    index: rejection.index,
                    received_at,
                    event: batch.events[rejection.index].json(),
                };
                serde_json::to_writer(buffer, &record)?;
                Ok(Some(key_end))
            })?;
        }
        Ok(outgoing)
    }

    /// The same records, of a request that came with this valid `traceparent`.
    #[must_use]
    pub fn with_traceparent(mut self, traceparent: impl Into<String>) -> Self {
        self.traceparent = Some(traceparent.into());
        self
    }

    /// The records, accepted events first.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.places.iter().map(|place| self.at(place))
    }

    /// One of them.
    pub(crate) fn message(&self, index: usize) -> Option<Message<'_>> {
        self.places.get(index).map(|place| self.at(place))
    }

    /// Goes without the records of rejected events, and says how many those were.
    pub(crate) fn drop_rejected(&mut self) -> usize {
        let dropped = self.places.len() - self.events;
        self.places.truncate(self.events);
        let end = self.places.last().map_or(0, |place| place.value.end);
        self.buffer.truncate(end);
        dropped
    }

    /// The bytes of the rejected events' records.
    pub(crate) fn rejected_bytes(&self) -> usize {
        let end = self.events.checked_sub(1).map_or(0, |last| {
            self.places.get(last).map_or(0, |place| place.value.end)
        });
        self.buffer.len() - end
    }

    /// The record of a rejected event that Kafka does not take for its size: the same without the event. `None` when it is
    /// short already.
    pub(crate) fn shortened(key: Option<&[u8]>, value: &[u8]) -> Option<Self> {
        let record: Rejected<'_> = serde_json::from_slice(value).ok()?;
        let received_at = record.received_at;
        let mut outgoing = Self::default();
        let added = outgoing.add(Topic::Rejected, received_at, |buffer| {
            buffer.extend_from_slice(key.unwrap_or_default());
            let key_end = key.map(|_| buffer.len());
            serde_json::to_writer(buffer, &record.shorten(&sha256(record.event.as_str())))?;
            Ok(key_end)
        });
        (added.is_ok() && outgoing.bytes() < value.len()).then_some(outgoing)
    }

    fn at(&self, place: &Place) -> Message<'_> {
        Message {
            topic: place.topic,
            key: place.key.clone().map(|range| &self.buffer[range]),
            value: &self.buffer[place.value.clone()],
            timestamp: place.timestamp,
            traceparent: self.traceparent.as_deref(),
        }
    }

    /// How many records there are.
    #[must_use]
    pub fn records(&self) -> usize {
        self.places.len()
    }

    /// How many of them are accepted events.
    #[must_use]
    pub fn events(&self) -> usize {
        self.events
    }

    /// The bytes of all keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// `write` appends a key, if there is one, and a value, and says where the key ends.
    fn add(
        &mut self,
        topic: Topic,
        timestamp: Timestamp,
        write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<Option<usize>>,
    ) -> serde_json::Result<()> {
        let start = self.buffer.len();
        let key_end = write(&mut self.buffer)?;
        self.places.push(Place {
            topic,
            key: key_end.map(|end| start..end),
            value: key_end.unwrap_or(start)..self.buffer.len(),
            timestamp,
        });
        Ok(())
    }
}

/// In hexadecimal digits.
fn sha256(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut digits = String::with_capacity(64);
    for byte in hash.as_ref() {
        // Text always has room.
        let _room = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    #[test]
    fn a_rejected_record_that_is_too_long_goes_on_without_its_event() {
        let long = format!("\"{}\"", "x".repeat(1000));
        let value = format!(
            r#"{{"code":"not_an_object","message":"m","index":7,"received_at":1764000000500,"event":{long}}}"#
        );
        let short = Outgoing::shortened(Some(b"demo"), value.as_bytes()).unwrap();
        let message = short.message(0).unwrap();
        let hash = sha256(&long);
        assert_eq!(hash.len(), 64);
        let expected = format!(
            r#"{{"code":"not_an_object","message":"m","index":7,"received_at":1764000000500,"event_bytes":1002,"event_sha256":"{hash}"}}"#
        );
        assert_eq!(std::str::from_utf8(message.value).unwrap(), expected);
        assert_eq!(
            (message.topic, message.key, message.timestamp.as_millis()),
            (Topic::Rejected, Some(&b"demo"[..]), 1_764_000_000_500)
        );
        assert!(Outgoing::shortened(Some(b"demo"), message.value).is_none());
    }

    #[test]
    fn without_its_rejected_records_a_request_has_its_events() {
        let mut request = outgoing(2, 3);
        let all = request.bytes();
        let rejected = request.rejected_bytes();
        assert_eq!(request.drop_rejected(), 3);
        assert_eq!((request.records(), request.events()), (2, 2));
        assert_eq!(
            (request.bytes(), request.rejected_bytes()),
            (all - rejected, 0)
        );
        assert_eq!(request.bytes(), outgoing(2, 0).bytes());
    }
}
