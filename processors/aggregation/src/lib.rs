//! Turns the event log into windows: declared in TOML, computed on Kafka, asked for over HTTP.
//!
//! A `[streams.NAME]` table becomes a stream of `footfall-streams` ([`config`]) that reads its
//! records by JSON pointer and CEL ([`core`]); `footfall-runtime` runs it; [`http`] answers for it.

pub mod config;
pub mod core;
mod feed;
pub mod http;
mod plan;
mod processor;
mod serve;

pub use config::PROGRAM;
pub use plan::plan;
pub use serve::serve;
