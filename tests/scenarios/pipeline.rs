//! From a batch over HTTP to a window's count, through gateway, Apache Kafka and aggregation.

mod anew;
pub(crate) mod batch;
mod changelogs;
mod codec;
mod compression;
mod conditions;
mod definitions;
mod exactly_once;
mod faults;
mod joins;
mod lag;
mod page;
mod partitions;
mod questions;
mod results;
mod retention;
mod rights;
mod routes;
mod silence;
mod store;
mod stream_time;
mod topics;
mod unreachable;
mod windows;
