//! The aggregation processor.

use footfall_aggregation::{PROGRAM, config, plan, serve};
use footfall_service::lifecycle;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Many small records are taken and given back at once, by the Kafka client most of all: it uses
/// this one too. That is a quarter of the time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    lifecycle::run_with_commands(&PROGRAM, config::read, plan, serve)
}
