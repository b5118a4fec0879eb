//! From a batch over HTTP to a window's count, through gateway, Apache Kafka and aggregation.

pub(crate) mod batch;
mod faults;
mod windows;
