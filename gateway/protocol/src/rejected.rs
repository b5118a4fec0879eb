//! The records of the topic of rejected events.

use crate::{Json, Timestamp, answer::Code};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The value of such a record. Its key is the write key, its timestamp the arrival.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rejected<'a> {
    /// For programs.
    pub code: Code,
    /// For people.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// The event's place in its batch, from 0.
    pub index: usize,
    /// When the gateway received it.
    pub received_at: Timestamp,
    /// The event byte for byte as it was sent.
    #[serde(borrow)]
    pub event: Json<'a>,
}

/// The value where the whole one is longer than the topic takes: what the event was is gone, what is left says which.
#[derive(Clone, Debug, Serialize)]
pub struct Shortened<'a> {
    /// As in [`Rejected`].
    pub code: Code,
    /// As in [`Rejected`].
    pub message: &'a str,
    /// As in [`Rejected`].
    pub index: usize,
    /// As in [`Rejected`].
    pub received_at: Timestamp,
    /// The length of the event as it was sent.
    pub event_bytes: usize,
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub event_sha256: &'a str,
}

impl Rejected<'_> {
    /// The same without the event, whose SHA-256 is given.
    #[must_use]
    pub fn shorten<'a>(&'a self, event_sha256: &'a str) -> Shortened<'a> {
        Shortened {
            code: self.code,
            message: &self.message,
            index: self.index,
            received_at: self.received_at,
            event_bytes: self.event.as_str().len(),
            event_sha256,
        }
    }
}
