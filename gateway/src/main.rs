//! The gateway's binary.

use footfall_gateway::{config, run};
use footfall_service::lifecycle;
use std::process::ExitCode;

fn main() -> ExitCode {
    lifecycle::run(&config::PROGRAM, config::Config::read, run::run)
}
