//! Looks after what is around the work: is Kafka there, are the topics there.

use crate::{
    Config, Metrics, Places, Status,
    changelogs::{Changelogs, Ids},
    definition::{Definition, Verdict},
    policies::Policies,
    reach,
    status::{Part, Report, Worker},
    topics::survey,
};
use footfall_service::{kafka, thread::on_a_thread};
use footfall_task::Source;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);
const UNTIL_ALL_IS_THERE: Duration = Duration::from_millis(500);
/// Who has another definition is heard of at every look.
const UNTIL_AGREED: Duration = Duration::from_secs(10);
const AFTERWARDS: Duration = Duration::from_secs(2);

/// What the watch and the work know of each other.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) definition: Arc<Definition>,
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
    ids: watch::Sender<Ids>,
    stop: CancellationToken,
) {
    let mut told = Vec::new();
    let report = Report::of(Worker::default(), &watched.status);
    let mut policies = Policies::of(&sources);
    let (group, metrics) = (&watched.config.group, &watched.metrics);
    let mut changelogs = Changelogs::of(&sources, group, metrics);
    let settings = &watched.config.kafka;
    let clients = match reach::Clients::new(&watched, &sources) {
        Ok(clients) => Arc::new(clients),
        // The work begins with the same properties and will say what is wrong with them.
        Err(error) => return tracing::debug!(%error, "no client to watch with"),
    };
    while !stop.is_cancelled() {
        watched.status.look_after_troubles();
        let looking = Arc::clone(&clients);
        let Some(found) = on_a_thread(move || looking.look()).await else {
            pause(&stop, UNTIL_ALL_IS_THERE).await;
            continue;
        };
        watched.places.found(found.clone());
        policies.forget_missing(&found);
        let looking = Arc::clone(&clients);
        let (known, existing);
        (changelogs, known, existing) = on_a_thread(move || {
            let is_mock = looking.is_mock();
            let known = changelogs.look(looking.consumer(), &found, is_mock);
            (changelogs, known, found)
        })
        .await;
        ids.send_if_modified(|ids| {
            let is_other = *ids != known;
            *ids = known;
            is_other
        });
        let asked = policies.ask(settings, &existing).await;
        let survey = survey(&sources, &existing, &policies, &settings.brokers);
        let mut reasons = survey.reasons;
        reasons.extend(
            asked
                .err()
                .map(|error| format!("{:#}", anyhow::Error::from(error))),
        );
        if !survey.missing.is_empty() {
            let looking = Arc::clone(&clients);
            let missing: Vec<_> = survey
                .missing
                .iter()
                .map(|topic| topic.name.clone())
                .collect();
            changelogs = on_a_thread(move || {
                let missing = missing.iter().map(String::as_str);
                changelogs.tell_missing(looking.consumer(), missing, &existing);
                changelogs
            })
            .await;
            reasons.extend(make(&watched.config, &survey.missing).await);
        }
        let looking = Arc::clone(&clients);
        let is_working = !told.is_empty();
        let verdict = on_a_thread(move || looking.judge(is_working)).await;
        let may_work = match verdict {
            Verdict::Work => true,
            Verdict::Tell(reason) => {
                let cause = "another definition".to_owned();
                watched.status.meets(cause, &reason, UNTIL_AGREED);
                true
            }
            Verdict::Wait(reason) => {
                report.holds_up(Part::Definition, reason);
                told.clear();
                readable.send_if_modified(|readable| !std::mem::take(readable).is_empty());
                false
            }
        };
        if may_work {
            report.goes_on(Part::Definition);
        }
        // Sources are never taken back: one that is gone for a moment comes back by itself.
        if may_work && survey.readable.len() > told.len() {
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

pub(crate) async fn pause(stop: &CancellationToken, pause: Duration) {
    // Either way the next look at `stop` decides.
    let _woken = tokio::time::timeout(pause, stop.cancelled()).await;
}
