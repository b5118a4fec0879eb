//! The server's command line and its life.

use crate::{
    router::router,
    site::{Addresses, Site},
};
use anyhow::Context as _;
use footfall_service::http;
use std::{io::Write as _, path::PathBuf};
use tokio_util::sync::CancellationToken;

/// Serves the demo shop and its dashboard.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "footfall-demo-site", version)]
pub struct Options {
    /// Where to listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8082")]
    pub listen: String,
    /// Where the pages send their events
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub gateway: String,
    /// Where the dashboard reads the streams
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8081")]
    pub aggregation: String,
    /// The folder with the SDK's files, made by `cargo xtask sdk`
    #[arg(long, value_name = "DIR", default_value = "sdk-wasm/dist")]
    pub sdk: PathBuf,
    /// The folder with the site's pages and pictures
    #[arg(long, value_name = "DIR", default_value = "demo-site")]
    pub site: PathBuf,
}

/// Serves until `stop`, and says `ready http://HOST:PORT` on stdout once visitors can come.
///
/// # Errors
/// When a folder or a page is missing or wrong, or the address is taken.
pub async fn serve(options: &Options, stop: CancellationToken) -> anyhow::Result<()> {
    anyhow::ensure!(
        options.sdk.join("footfall.js").is_file(),
        "there is no footfall.js in {}; `cargo xtask sdk` makes it, `--sdk` says where it is",
        options.sdk.display()
    );
    let addresses = Addresses::new(&options.gateway, &options.aggregation)?;
    let site = Site::load(&options.site, addresses)
        .with_context(|| format!("load the site from {}", options.site.display()))?;
    let listener = http::bind("--listen", &options.listen).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ready http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    let router = router(site, &options.sdk);
    http::serve(listener, router, stop.cancelled_owned()).await?;
    Ok(())
}
