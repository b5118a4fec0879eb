use crate::DeadLetterCode;
use std::{fmt, sync::Arc};

/// What is wrong with a record that Kafka does not take, however often it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refused {
    /// It is larger than its topic or a client allows.
    TooLarge,
    /// Its timestamp is further from the broker's clock than its topic allows.
    Timestamp,
    /// Its topic does not take such records: a compacted one none without a key.
    Record,
}

impl Refused {
    /// The code of its dead letter.
    #[must_use]
    pub const fn code(self) -> DeadLetterCode {
        match self {
            Self::TooLarge => DeadLetterCode::RefusedTooLarge,
            Self::Timestamp => DeadLetterCode::RefusedTimestamp,
            Self::Record => DeadLetterCode::RefusedRecord,
        }
    }
}

/// Why what a stream or a route makes of a record cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stream or the route.
    pub stream: Arc<str>,
    /// What is wrong.
    pub refused: Refused,
    /// For people: which topic has refused what, and what would be taken.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}
