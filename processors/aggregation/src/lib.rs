//! Turns the event log into windows: declared in TOML, computed on Kafka, asked for over HTTP.
//!
//! A `[streams.NAME]` table becomes a stream of `footfall-streams` ([`config`]) that reads its
//! records by JSON pointer and CEL ([`core`]); `footfall-runtime` runs it; [`http`] answers for it.

mod address;
mod clock;
pub mod config;
pub mod core;
mod feed;
pub mod http;
mod local;
mod metrics;
mod peers;
mod plan;
mod processor;
mod serve;
mod topology;

pub use config::PROGRAM;
pub use plan::plan;
pub use serve::serve;
