//! From a batch over HTTP to a window's count, through gateway, Apache Kafka and aggregation.

mod anew;
pub(crate) mod batch;
mod codec;
mod exactly_once;
mod faults;
mod joins;
mod page;
mod questions;
mod results;
mod routes;
mod silence;
mod store;
mod topics;
mod windows;
