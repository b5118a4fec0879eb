//! Footfall's wire formats: the HTTP batch, the Kafka record, ids and topic names.
//!
//! No I/O, no clock, no random source: bytes and times in, bytes and decisions out.

pub mod topic;
