use crate::{
    address, clock, config::Config, http, local::Local, metrics::Gauges, peers::Peers,
    processor::Aggregation,
};
use footfall_runtime::{Metrics, Owner, Runtime};
use footfall_service::{health, http as service, metrics, shutdown::Signals};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often to look whether others answer for what this process has lost.
const LOOK: Duration = Duration::from_secs(1);
/// A lost partition is forgotten after so long, even if nobody answers for it.
const LOST: Duration = Duration::from_secs(600);

/// Runs the streams and answers for them until it is told to stop.
///
/// # Errors
/// When a listener cannot be had or fails.
pub async fn serve(mut config: Config, signals: Signals) -> anyhow::Result<()> {
    let stop = signals.stop;
    tokio::spawn(ignore_reloads(signals.reload));
    let listener = service::bind("listen", &config.listen).await?;
    let mut registry = metrics::registry();
    let counted = Metrics::register(&mut registry);
    let gauges = Gauges::register(&mut registry);
    let own = own_address(config.advertise, listener.local_addr()?, &config.runtime).await;
    config.runtime.address.clone_from(&own);
    let peers = Peers::new(own.map(Into::into));
    let aggregation = Arc::new(Aggregation::new(config.topology, config.tail));
    let runtime = Runtime::start(&aggregation, config.runtime, &counted, stop.clone())?;
    let status = runtime.status();
    let readiness = move || status.readiness();
    let health = health::routes(readiness.clone());
    let local = Local::new(aggregation, &runtime, counted);
    let asked = local.clone();
    let metrics = metrics::routes(registry, move || gauges.refresh(&asked));
    tokio::spawn(forget_lost(local.clone(), peers.clone(), stop.clone()));
    let api = http::routes(local, peers, stop.clone());
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

/// Where others can ask this process.
async fn own_address(
    given: Option<String>,
    listening: SocketAddr,
    config: &footfall_runtime::Config,
) -> Option<String> {
    if given.is_some() {
        return given;
    }
    let brokers = config.kafka.brokers.clone();
    let found = tokio::task::spawn_blocking(move || address::of(listening, &brokers)).await;
    let found = found.ok().flatten();
    if found.is_none() {
        tracing::warn!(
            "other processes of the group cannot ask this one; set `advertise` to its address"
        );
    }
    found
}

/// Forgets what a partition held when it was lost, as soon as its new owner answers for it.
async fn forget_lost(local: Local, peers: Peers, stop: CancellationToken) {
    while !stop.is_cancelled() {
        local.aggregation.seats().keep(|(topic, partition), lost| {
            let is_answered = match local.places.owner(topic, *partition) {
                Owner::At(address) => !peers.is_own(&address),
                Owner::Nobody | Owner::Unknown => false,
            };
            let age = clock::now().saturating_duration_since(lost.since);
            !is_answered && age < LOST
        });
        // Either way the next look at `stop` decides.
        let _woken = tokio::time::timeout(LOOK, stop.cancelled()).await;
    }
}
