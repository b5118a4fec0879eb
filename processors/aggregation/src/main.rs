//! The aggregation processor.

use footfall_aggregation::{PROGRAM, config, plan, serve};
use footfall_service::lifecycle;
use std::process::ExitCode;

fn main() -> ExitCode {
    lifecycle::run_with_commands(&PROGRAM, config::read, plan, serve)
}
