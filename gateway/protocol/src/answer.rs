//! What the gateway answers.

use crate::{EventId, word::words};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The body of a 202.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer<'a> {
    /// How many events were taken.
    pub accepted: usize,
    /// Those that were not, and why.
    pub rejected: Cow<'a, [Rejection]>,
    /// How many the privacy policy dropped; `accepted` does not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<usize>,
}

/// One event that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Its id, if that could be read.
    pub id: Option<EventId>,
    /// For programs.
    pub code: Code,
    /// For people: what was expected and what was found.
    pub message: Cow<'static, str>,
}

words! {
    /// Why an event is rejected; one reason is told, even where several hold.
    pub enum Code {
        /// The element of `events` is no object.
        NotAnObject = "not_an_object",
        /// There is no `id`.
        IdMissing = "id_missing",
        /// `id` is no UUID.
        IdInvalid = "id_invalid",
        /// An earlier event of the batch has the same `id`.
        DuplicateId = "duplicate_id",
        /// There is no `time`.
        TimeMissing = "time_missing",
        /// `time` is no integer, or before the year 2000.
        TimeInvalid = "time_invalid",
        /// There is no `type`.
        TypeMissing = "type_missing",
        /// `type` is none of the known ones.
        TypeUnknown = "type_unknown",
        /// A `custom` event has no `name`.
        NameMissing = "name_missing",
        /// `name` is longer than 128 bytes.
        NameTooLong = "name_too_long",
        /// `seq` is no non-negative integer.
        SeqInvalid = "seq_invalid",
        /// `page.url` is longer than 4,096 bytes.
        UrlTooLong = "url_too_long",
        /// `properties` is no object.
        PropertiesInvalid = "properties_invalid",
        /// `properties` is nested more than 64 levels.
        DepthExceeded = "depth_exceeded",
        /// The event as sent is longer than the gateway takes.
        EventTooLarge = "event_too_large",
        /// Another field has the wrong type, or a member is there twice.
        FieldInvalid = "field_invalid",
    }
}
