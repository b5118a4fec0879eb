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
