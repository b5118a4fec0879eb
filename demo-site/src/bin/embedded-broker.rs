//! `footfall-embedded-broker`: a broker for the demo and for trying things out.

use clap::Parser as _;
use footfall_demo_site::broker::{Options, run};
use footfall_service::shutdown::Signals;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    run(&options, Signals::listen()?.stop).await
}
