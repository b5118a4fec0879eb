//! The body of `POST /v1/events`.

mod read;
#[cfg(test)]
mod tests;

use crate::{Json, Text, Timestamp, WriteKey, event::Sent, json, word::words};

/// The most events of one batch.
pub const MAX_EVENTS: usize = 500;
/// The longest `visitor`, `session`, `load`, `user` and `sdk`, in bytes.
pub const MAX_TEXT_LEN: usize = 128;
/// How deep a body may be nested, itself the first level.
pub const MAX_DEPTH: usize = json::MAX_DEPTH;

/// A batch whose envelope is right; its events may be wrong.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// The site.
    pub write_key: WriteKey<'a>,
    /// The sender's clock when it sent the batch.
    pub sent_at: Timestamp,
    /// The sender's name and version.
    pub sdk: Option<Text<'a>>,
    /// The browser.
    pub visitor: Option<Text<'a>>,
    /// One visit.
    pub session: Option<Text<'a>>,
    /// One load of one document; `seq` counts its events.
    pub load: Option<Text<'a>>,
    /// The person, as the site knows them.
    pub user: Option<Text<'a>>,
    /// What the visitor has said explicitly.
    pub consent: Option<Consent>,
    /// Carried byte for byte.
    pub context: Option<Json<'a>>,
    /// 1 to 500 of them, right or wrong.
    pub events: Vec<Sent<'a>>,
}

words! {
    /// What the visitor has said explicitly about being recorded.
    pub enum Consent {
        /// Yes, and that beats every signal of the browser.
        Granted = "granted",
        /// No.
        Denied = "denied",
    }
}

/// Why a whole batch is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The body is not JSON, or not an object, or says something twice, or is nested too deep.
    #[error("expected a JSON object as described for `POST /v1/events`, found {found}")]
    Malformed {
        /// In words.
        found: String,
    },
    /// A field of the envelope is missing or of the wrong type.
    #[error("`{field}`: expected {expected}", field = .pointer.trim_start_matches("#/"))]
    Field {
        /// Its JSON pointer, e.g. `#/sent_at`.
        pointer: &'static str,
        /// In words.
        expected: &'static str,
    },
    /// The context is longer than the reader takes.
    #[error("`context`: expected an object of up to {max} bytes, found one of {found}")]
    ContextTooLong {
        /// The most bytes, as sent.
        max: usize,
        /// How many there are.
        found: usize,
    },
    /// There are no events.
    #[error("expected 1 to {MAX_EVENTS} events, found none")]
    Empty,
    /// There are too many events.
    #[error("expected 1 to {MAX_EVENTS} events, found {found}")]
    TooLarge {
        /// How many there are.
        found: usize,
    },
}

impl Error {
    /// For programs: the `code` of the answer.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed_body",
            Self::Field { .. } | Self::ContextTooLong { .. } => "invalid_field",
            Self::Empty => "batch_empty",
            Self::TooLarge { .. } => "batch_too_large",
        }
    }

    /// The JSON pointer of the wrong field.
    #[must_use]
    pub const fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::Field { pointer, .. } => Some(pointer),
            Self::ContextTooLong { .. } => Some("#/context"),
            Self::Malformed { .. } | Self::Empty | Self::TooLarge { .. } => None,
        }
    }
}
