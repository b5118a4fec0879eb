//! What HTTP alone costs: an axum handler that reads a body, drops it and answers 202.
//!
//! `cargo xtask bench gateway` measures the gateway against it. It says `listening ADDRESS` on stdout.

use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use std::io::Write as _;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:0".into());
    let listener = TcpListener::bind(address).await?;
    writeln!(std::io::stdout(), "listening {}", listener.local_addr()?)?;
    let router = Router::new().route("/v1/events", post(take));
    axum::serve(listener, router).await?;
    Ok(())
}

async fn take(_dropped: Bytes) -> StatusCode {
    StatusCode::ACCEPTED
}
