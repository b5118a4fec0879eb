//! Looks after what is around the work: is Kafka there, are the topics there.

use crate::{
    Config, Metrics, Places, Status,
    policies::Policies,
    quiet::Quiet,
    status::{Part, Report, Worker},
    topics::{Partitions, survey},
};
use footfall_service::{health::Kafka, kafka, thread::on_a_thread};
use footfall_task::Source;
use rdkafka::{
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaResult,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);
const UNTIL_ALL_IS_THERE: Duration = Duration::from_millis(500);
const AFTERWARDS: Duration = Duration::from_secs(2);

/// What the watch and the work know of each other.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) config: Arc<Config>,
    pub(crate) status: Arc<Status>,
    pub(crate) places: Arc<Places>,
    pub(crate) metrics: Metrics,
    /// The partitions that the work has.
    pub(crate) assigned: watch::Receiver<Assigned>,
}

/// Which partitions each worker has.
pub(crate) type Assigned = BTreeMap<Worker, BTreeSet<(String, i32)>>;

/// Watches until `stop`, and tells `readable` which sources can be read.
pub(crate) async fn run(
    watched: Watched,
    sources: Vec<Source>,
    readable: watch::Sender<Vec<String>>,
    stop: CancellationToken,
) {
    let mut told = Vec::new();
    let report = Report::of(Worker::default(), &watched.status);
    let mut policies = Policies::of(&sources);
    let settings = &watched.config.kafka;
    let client = match BaseConsumer::from_config_and_context(&watched.config.observer(), Quiet) {
        Ok(client) => Arc::new(client),
        // The work begins with the same properties and will say what is wrong with them.
        Err(error) => return tracing::debug!(%error, "no client to watch with"),
    };
    while !stop.is_cancelled() {
        let existing = match look(&client, watched.clone()).await {
            Ok(existing) => {
                watched.status.kafka(Kafka::Up);
                existing
            }
            Err(error) => {
                tracing::debug!(%error, "kafka does not answer");
                watched.status.kafka(Kafka::Down);
                pause(&stop, UNTIL_ALL_IS_THERE).await;
                continue;
            }
        };
        let asked = policies.ask(settings, &existing).await;
        let survey = survey(&sources, &existing, &policies, &settings.brokers);
        let mut reasons = survey.reasons;
        reasons.extend(
            asked
                .err()
                .map(|error| format!("{:#}", anyhow::Error::from(error))),
        );
        if !survey.missing.is_empty() {
            reasons.extend(make(&watched.config, &survey.missing).await);
        }
        // Sources are never taken back: one that is gone for a moment comes back by itself.
        if survey.readable.len() > told.len() {
            told = survey.readable;
            readable.send_replace(told.clone());
        }
        let is_complete = told.len() == sources.len();
        if reasons.is_empty() && is_complete {
            report.goes_on(Part::Topics);
        } else if !reasons.is_empty() {
            report.holds_up(Part::Topics, reasons.join("; "));
        }
        pause(
            &stop,
            if is_complete {
                AFTERWARDS
            } else {
                UNTIL_ALL_IS_THERE
            },
        )
        .await;
    }
}

/// Makes what is missing, or says why not.
async fn make(config: &Config, missing: &[kafka::NewTopic]) -> Option<String> {
    if !config.topics.create {
        let names: Vec<_> = missing
            .iter()
            .map(|topic| format!("`{}`", topic.name))
            .collect();
        return Some(format!(
            "topics are missing: {}; create them, or set `topics.create = true`",
            names.join(", ")
        ));
    }
    match kafka::create_missing(&config.kafka, &config.topics, missing).await {
        Ok(made) => {
            tracing::info!(topics = made.join(", "), "created");
            None
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Asks Kafka which topics there are.
async fn look(client: &Arc<BaseConsumer<Quiet>>, watched: Watched) -> KafkaResult<Partitions> {
    let client = Arc::clone(client);
    on_a_thread(move || {
        let metadata = client.fetch_metadata(None, TIMEOUT)?;
        let topics = metadata.topics().iter();
        let topics: Partitions = topics
            .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
            .collect();
        watched.places.found(topics.clone());
        Ok(topics)
    })
    .await
}

pub(crate) async fn pause(stop: &CancellationToken, pause: Duration) {
    // Either way the next look at `stop` decides.
    let _woken = tokio::time::timeout(pause, stop.cancelled()).await;
}
