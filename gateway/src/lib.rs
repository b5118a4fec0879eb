//! The gateway: takes batches of events over HTTP and puts them on Kafka.
//!
//! One request's path: [`http`] reads it, [`admission`] decides on every event (pure), [`privacy`] on whether anything
//! is kept, [`outgoing`] is the encoded result, and a [`sink::Sink`] takes all of it or nothing; [`kafka`] is that sink.
//! [`run`] starts all this and drains it at the end.

pub mod admission;
pub mod client;
mod clock;
pub mod config;
pub mod hot_key;
pub mod http;
pub mod kafka;
pub mod metrics;
pub mod otlp;
pub mod outgoing;
mod pending;
pub mod privacy;
mod reload;
pub mod run;
pub mod server;
pub mod sink;
pub mod sites;
mod spill;
#[cfg(test)]
mod testing;
