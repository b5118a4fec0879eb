//! What one request puts on Kafka, encoded.

use crate::admission::Admitted;
use footfall_protocol::{Timestamp, batch::Batch, rejected::Rejected};
use std::ops::Range;

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
        self.places.iter().map(|place| Message {
            topic: place.topic,
            key: place.key.clone().map(|range| &self.buffer[range]),
            value: &self.buffer[place.value.clone()],
            timestamp: place.timestamp,
            traceparent: self.traceparent.as_deref(),
        })
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
