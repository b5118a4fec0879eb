use crate::{config::Config, http, processor::Aggregation};
use footfall_runtime::{Metrics, Runtime};
use footfall_service::{health, http as service, metrics, shutdown::Signals};
use std::sync::Arc;

/// Runs the streams and answers for them until it is told to stop.
///
/// # Errors
/// When a listener cannot be had or fails.
pub async fn serve(config: Config, signals: Signals) -> anyhow::Result<()> {
    let stop = signals.stop;
    tokio::spawn(ignore_reloads(signals.reload));
    let listener = service::bind("listen", &config.listen).await?;
    let mut registry = metrics::registry();
    let counted = Metrics::register(&mut registry);
    let aggregation = Arc::new(Aggregation::new(config.topology, config.tail));
    let runtime = Runtime::start(&aggregation, config.runtime, &counted, stop.clone())?;
    let status = runtime.status();
    let readiness = move || status.readiness();
    let health = health::routes(readiness.clone());
    let metrics = metrics::routes(registry, || {});
    let api = http::routes(aggregation, runtime.status(), stop.clone());
    let main = match config.admin {
        None => http::finish(api.merge(health).merge(metrics), &config.origins),
        Some(address) => {
            let admin = service::bind("admin", &address).await?;
            let routes = http::finish(health::routes(readiness).merge(metrics), &[]);
            let serving = service::serve(admin, routes, stop.clone().cancelled_owned());
            tokio::spawn(serving);
            http::finish(api.merge(health), &config.origins)
        }
    };
    tracing::info!(address = %listener.local_addr()?, "listening");
    service::serve(listener, main, stop.cancelled_owned()).await?;
    runtime.ended().await;
    Ok(())
}

/// Nothing can be changed without a restart, which is told to who tries.
async fn ignore_reloads(mut reload: tokio::signal::unix::Signal) {
    while reload.recv().await.is_some() {
        tracing::warn!(
            "nothing of the configuration can be reloaded; every change needs a restart"
        );
    }
}
