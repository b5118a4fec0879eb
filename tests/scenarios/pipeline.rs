//! From a batch over HTTP to a window's count, through gateway, Apache Kafka and aggregation.

pub(crate) mod batch;
mod codec;
mod conditions;
mod exactly_once;
mod faults;
mod joins;
mod page;
mod questions;
mod refused;
mod results;
mod routes;
mod silence;
mod store;
mod stream_time;
mod topics;
mod windows;
