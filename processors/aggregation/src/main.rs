//! The aggregation processor.

use footfall_aggregation::{PROGRAM, config, serve};
use footfall_service::lifecycle;
use std::process::ExitCode;

fn main() -> ExitCode {
    lifecycle::run(&PROGRAM, config::read, serve)
}
