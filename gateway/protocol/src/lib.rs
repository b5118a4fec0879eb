//! Footfall's wire formats: the HTTP batch, the Kafka record, ids and topic names.
//!
//! No I/O, no clock, no random source: bytes and times in, bytes and decisions out. What is passed through
//! (`properties`, `context`, rejected events) is borrowed from the input and written byte for byte.
//!
//! - [`batch`] reads the body of `POST /v1/events`, [`event`] one event of it, [`answer`] is what comes back.
//! - [`record`] is the value of a record of the events topic, [`rejected`] of the topic of rejected events; both ways.

mod word;

pub mod answer;
pub mod batch;
pub mod event;
pub mod id;
pub mod json;
pub mod record;
pub mod rejected;
pub mod text;
pub mod time;
pub mod topic;

pub use id::{EventId, WriteKey};
pub use json::Json;
pub use text::Text;
pub use time::Timestamp;
