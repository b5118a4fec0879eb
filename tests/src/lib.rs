//! The harness: starts what a scenario needs (Apache Kafka, the programs as they are shipped, a
//! browser), talks to it from outside, and ends it.
//!
//! Nothing here knows the programs' code; it sees HTTP, Kafka records, exit codes and signals.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a harness fails by panicking, and shows what the programs said"
)]

pub mod aggregation;
pub mod browser;
pub mod client;
pub mod collector;
pub mod gateway;
pub mod kafka;
pub mod mount;
pub mod port;
pub mod program;
pub mod record;
pub mod recorder;
pub mod shop;
pub mod wait;
pub mod wire;
