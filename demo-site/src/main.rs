//! `footfall-demo-site`: the shop and the dashboard.

use clap::Parser as _;
use footfall_demo_site::{Options, serve};
use footfall_service::shutdown::Signals;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    serve(&options, Signals::listen()?.stop).await
}
