//! The gateway's life: start, serve, drain.

#[cfg(test)]
mod tests;

use crate::{
    client,
    config::{self, Config},
    http::{self, Gateway},
    kafka::KafkaSink,
    metrics::Metrics,
    otlp::Spans,
    reload,
    server::{self, Life},
};
use anyhow::{Context as _, bail};
use axum::Router;
use footfall_service::{
    http::{bind, serve},
    kafka::{self, NewTopic},
    metrics,
    shutdown::Signals,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use prometheus_client::registry::Registry;
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};

/// Open files beside connections: to Kafka, of the spill.
const SPARE_FILES: u64 = 256;
/// How long until Kafka is asked again for the topics that should be made.
const TOPICS_RETRY: Duration = Duration::from_secs(1);

/// How long the last spans may take to the collector; nobody waits longer for it.
const LAST_SPANS: Duration = Duration::from_secs(1);

/// Serves until the first signal to stop, then drains.
///
/// # Errors
/// When a listener or Kafka's client cannot be had, when a topic that should be made cannot be, and when events are lost
/// because Kafka did not take them in time.
pub async fn run(config: Config, signals: Signals) -> anyhow::Result<()> {
    if config.sites.is_empty() {
        tracing::warn!(
            "no `[[sites]]` are configured: every write key is taken, from every origin"
        );
    }
    let mut registry = metrics::registry();
    let metrics = Metrics::register(&mut registry);
    let sink = KafkaSink::new(&config, metrics.clone())?;
    let gateway = Gateway::new(&config, sink.clone(), metrics.clone());
    let page = metrics_page(registry, sink.clone());
    let page = serve_admin(&config, &gateway, page).await?;

    let connections = connections(config.limits.connections);
    let listener = bind("listen", &config.listen).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    prepare(&config);
    let Signals { stop, reload } = signals;
    tokio::spawn(reload::on(reload, config.clone(), gateway.clone()));
    let life = Life::default();
    let spans = config.otlp.as_ref().map(Spans::start).transpose()?;
    let mut router = http::router(&gateway, page);
    if let Some(spans) = &spans {
        router = http::with_spans(router, spans.clone());
    }
    let options = server::Options {
        connections,
        ..config.server.clone()
    };
    let mut server = tokio::spawn(server::serve(
        listener,
        router,
        options,
        life.clone(),
        metrics,
    ));
    tokio::select! {
        ended = &mut server => { ended?.context("the listener failed")?; bail!("the listener ended") }
        failed = connect(&config, &sink) => return failed,
        () = stop.cancelled() => {}
    }
    let drained = drain(&config, &gateway, life, server, sink).await;
    if let Some(spans) = spans {
        tokio::task::spawn_blocking(move || spans.finish(LAST_SPANS)).await?;
    }
    drained
}

/// What no request should have to wait for.
fn prepare(config: &Config) {
    let sdk = config.sdk.clone();
    tokio::task::spawn_blocking(move || {
        client::prepare_bots();
        if let Some(files) = sdk {
            files.compress();
        }
    });
}

/// How many connections there may be: each is an open file, and the usual limit is 1,024. It is raised as far as possible;
/// some of it stays for Kafka, the spill and the SDK's files.
fn connections(wanted: usize) -> usize {
    let allowed = match allow_files((wanted as u64).saturating_add(SPARE_FILES)) {
        Ok(allowed) => allowed,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            return wanted;
        }
    };
    let left = connections_within(allowed);
    if left < wanted {
        tracing::warn!(
            files = allowed,
            connections = left,
            "the system's limit of open files leaves fewer connections than `limits.connections`: raise it (`ulimit -n`, `LimitNOFILE=`)"
        );
    }
    left.min(wanted)
}

fn connections_within(files: u64) -> usize {
    let left = files - SPARE_FILES.min(files / 2);
    usize::try_from(left).unwrap_or(usize::MAX)
}

/// Raises the limit of open files to `wanted`, or as far as possible, and says how many are allowed.
fn allow_files(wanted: u64) -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(soft);
    }
    let raised = wanted.min(hard);
    setrlimit(Resource::RLIMIT_NOFILE, raised, hard)?;
    Ok(raised)
}

fn metrics_page(registry: Registry, sink: KafkaSink) -> Router {
    metrics::routes(registry, move || sink.measure())
}

/// Puts the page on the `admin` listener, if there is one; gives back what the main one has to show.
async fn serve_admin(
    config: &Config,
    gateway: &Arc<Gateway>,
    page: Router,
) -> anyhow::Result<Router> {
    let Some(address) = &config.admin else {
        return Ok(page);
    };
    let listener = bind("admin", address).await?;
    // It answers until the process ends, so that the drain can be watched.
    tokio::spawn(serve(listener, http::admin(gateway, page), pending()));
    Ok(Router::new())
}

/// Makes topics if that is wanted, then keeps an eye on Kafka. Ends only when something is wrong for good.
async fn connect(config: &Config, sink: &KafkaSink) -> anyhow::Result<()> {
    if config.topics.create {
        make_topics(config).await?;
    }
    sink.watch()
        .context("start the thread that watches kafka")?;
    pending().await
}

async fn make_topics(config: &Config) -> anyhow::Result<()> {
    let topic = |name: &String, like: Option<&String>| NewTopic {
        name: name.clone(),
        like: like.cloned(),
        compact: false,
    };
    let config::Kafka {
        topic: events,
        rejected_topic: rejected,
        ..
    } = &config.kafka;
    let wanted = [topic(events, None), topic(rejected, Some(events))];
    loop {
        match kafka::create_missing(&config.kafka.settings, &config.topics, &wanted).await {
            Ok(made) if made.is_empty() => return Ok(()),
            Ok(made) => {
                tracing::info!(topics = made.join(", "), "made topics that were missing");
                return Ok(());
            }
            // A gateway starts without a broker; the topics are made when there is one.
            Err(error @ kafka::Error::Unreachable { .. }) => tracing::warn!("{error}"),
            Err(error) => return Err(error.into()),
        }
        sleep(TOPICS_RETRY).await;
    }
}

/// First `/readyz` says no, so that load balancers look elsewhere; then requests under way end; then the queue empties, to
/// Kafka or to the spill.
async fn drain(
    config: &Config,
    gateway: &Arc<Gateway>,
    life: Life,
    server: JoinHandle<std::io::Result<()>>,
    sink: KafkaSink,
) -> anyhow::Result<()> {
    tracing::info!(delay = ?config.drain.delay, "draining: not ready any more");
    gateway.drain();
    life.draining.cancel();
    sleep(config.drain.delay).await;
    life.closing.cancel();
    let until = Instant::now() + config.drain.timeout;
    if timeout_at(until, server).await.is_err() {
        tracing::warn!("requests were still under way at the end of `drain.timeout`");
    }
    let left = until.saturating_duration_since(Instant::now());
    let lost = tokio::task::spawn_blocking(move || sink.close(left)).await?;
    if lost > 0 {
        bail!("{lost} event(s) were lost: kafka did not take them within `drain.timeout`");
    }
    tracing::info!("stopped; every event is on kafka or in the spill");
    Ok(())
}
