//! `cargo xtask bench NAME`: measures a part of Footfall against what it must and should reach.

mod body;
mod figure;
mod gateway;
mod load;
mod report;
mod sdk;
mod streams;
mod target;
mod usage;

use crate::requirements::Tool;

/// What drives the load.
pub(crate) const LOAD: &[Tool] = &[Tool::program("wrk", "wrk")];

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    name: Name,
}

#[derive(clap::Subcommand)]
enum Name {
    /// CPU, latency, memory and start of the gateway, with a bare handler beside it
    Gateway(gateway::Options),
    /// Bytes, boot and clicks of the SDK in Chromium, beside an empty script and other trackers
    Sdk(sdk::Options),
    /// Throughput, CPU, memory and restore of the streams, with Kafka Streams beside them
    Streams(streams::Options),
}

/// Measures, prints a table and writes `target/bench/NAME.json`.
///
/// # Errors
/// When something cannot be built or started, or answers with errors under load.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    match &options.name {
        Name::Gateway(options) => gateway::run(options),
        Name::Sdk(options) => sdk::run(options),
        Name::Streams(options) => streams::run(options),
    }
}
