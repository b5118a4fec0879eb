use crate::{DeadLetterCode, Partition, Timestamp};
use bytes::Bytes;
use std::sync::Arc;

/// What a task wants done. Nothing of it has happened yet.
#[derive(Debug, Default)]
pub struct Effects {
    /// Records to write, in this order for each partition.
    pub sends: Vec<Send>,
    /// What is only to be counted, because the configuration wants no record of it.
    pub counted: Vec<(Arc<str>, Kind)>,
}

/// A record to write, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// The stream that it comes from.
    pub stream: Arc<str>,
    /// Why it is written.
    pub kind: Kind,
    /// What is written.
    pub record: Outgoing,
}

/// Why a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A result.
    Output,
    /// A record that came after its windows had closed.
    Late,
    /// A record whose event time is too far ahead of the wall clock, which is set aside with those
    /// that are late.
    Ahead,
    /// A record that was seen before.
    Duplicate,
    /// A record that the stream cannot use, and why.
    DeadLetter(DeadLetterCode),
    /// A record on its way to the partition of its new key.
    Repartition,
    /// A change of state.
    Change,
}

impl Kind {
    /// The stable code of [`Ahead`](Self::Ahead).
    pub const TIME_AHEAD: &'static str = "time_ahead";
}

/// A record to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub topic: Arc<str>,
    /// Left out: the key decides, as in Java's clients.
    pub partition: Option<Partition>,
    /// Left out: now, by the client's clock. 0 is written as 1.
    pub timestamp: Option<Timestamp>,
    /// As in [`Record`](crate::Record).
    pub key: Option<Bytes>,
    /// As in [`Record`](crate::Record).
    pub value: Option<Bytes>,
    /// Names and values, in this order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Effects {
    /// Asks for a record to be written.
    pub fn send(&mut self, stream: &Arc<str>, kind: Kind, record: Outgoing) {
        let stream = Arc::clone(stream);
        self.sends.push(Send {
            stream,
            kind,
            record,
        });
    }

    /// Asks for something to be counted only.
    pub fn count(&mut self, stream: &Arc<str>, kind: Kind) {
        self.counted.push((Arc::clone(stream), kind));
    }
}
