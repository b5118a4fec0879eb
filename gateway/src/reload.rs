//! SIGHUP: the configuration is read again.

use crate::{
    config::{Config, PROGRAM},
    http::Gateway,
};
use footfall_service::config::{Inputs, Problems, load};
use std::sync::Arc;
use tokio::signal::unix::Signal;

/// What is reloaded; a key's own name, or a table's.
const RELOADED: [&str; 4] = ["sites", "privacy", "sdk", "tls"];

/// Reads the configuration again at every signal. What is wrong is told, and then the old one holds.
pub(crate) async fn on(mut signal: Signal, started: Config, gateway: Arc<Gateway>) {
    while signal.recv().await.is_some() {
        let read = tokio::task::spawn_blocking(|| {
            let document = load(&PROGRAM, Inputs::of_this_process())?.document;
            Config::read(&document)
        });
        match read.await {
            Ok(Ok(config)) => apply(&started, config, &gateway),
            Ok(Err(Problems(problems))) => {
                for problem in problems {
                    tracing::error!("the old configuration holds: {problem}");
                }
            }
            Err(error) => tracing::error!("the old configuration holds: {error}"),
        }
    }
}

/// Puts what can be reloaded into effect, and names what cannot: it still is as the gateway was started.
fn apply(started: &Config, new: Config, gateway: &Gateway) {
    let changed = started.document.changes(&new.document);
    let mut restart: Vec<_> = changed
        .into_iter()
        .filter(|key| !is_reloaded(key))
        .collect();
    match (&started.server.tls, &new.server.tls) {
        (Some(serving), Some(new)) => serving.replace(new),
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => restart.push("tls".into()),
    }
    let sites = new.sites.len();
    if let Some(files) = new.sdk.clone() {
        tokio::task::spawn_blocking(move || files.compress());
    }
    gateway.reload(new.sites, new.privacy, new.sdk);
    if !restart.is_empty() {
        let keys = restart.join(", ");
        tracing::warn!(keys, "these have changed and need a restart");
    }
    tracing::info!(sites, "reloaded");
}

fn is_reloaded(key: &str) -> bool {
    RELOADED.iter().any(|reloaded| {
        key.strip_prefix(reloaded)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
