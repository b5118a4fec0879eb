//! Every command a person runs: `cargo xtask demo`, `test`, `sdk`, `kafka`, `bench`, `ci`.

mod bench;
mod browsers;
mod cargo;
mod ci;
mod demo;
mod kafka;
mod packages;
mod pages;
mod process;
mod requirements;
mod sdk;
mod stack;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Footfall's commands.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and run it: broker, gateway, aggregation, shop and dashboard
    Demo(demo::Options),
    /// Run the whole test suite, or the part of it whose name contains NAME
    Test(test::Options),
    /// Build the SDK's npm package and script-tag files into sdk-wasm/dist/
    Sdk,
    /// Run a local single-node Apache Kafka in the foreground
    Kafka(kafka::Options),
    /// Measure a part of Footfall: a table, and target/bench/NAME.json
    Bench(bench::Options),
    /// Check format, lints, licences and documentation, then run the whole test suite
    Ci,
}

fn main() -> ExitCode {
    process::watch_signals();
    let result = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Sdk => sdk::run(),
        Command::Kafka(options) => kafka::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Ci => ci::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
