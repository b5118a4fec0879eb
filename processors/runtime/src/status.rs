use crate::clock;
use footfall_service::health::{Kafka, Readiness};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How a processor is, for `/readyz` and for answers that say how old they are.
#[derive(Debug)]
pub struct Status {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// `None` until Kafka has answered or has failed to.
    kafka: Option<Kafka>,
    /// What holds processing up, by who says so.
    reasons: BTreeMap<(Part, Worker), String>,
    /// When all was well last.
    well: Instant,
}

/// One of the threads that share the work of a process, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Worker(pub(crate) usize);

impl fmt::Display for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Says how one worker is.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    status: Arc<Status>,
    worker: Worker,
}

impl Report {
    pub(crate) fn of(worker: Worker, status: &Arc<Status>) -> Self {
        Self {
            status: Arc::clone(status),
            worker,
        }
    }

    /// Processing waits, and why.
    pub(crate) fn holds_up(&self, part: Part, reason: impl Into<String>) {
        self.status.holds_up((part, self.worker), reason.into());
    }

    /// It no longer waits for this.
    pub(crate) fn goes_on(&self, part: Part) {
        self.status.goes_on((part, self.worker));
    }
}

/// A part of the shell that may hold processing up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The topics that must exist.
    Topics,
    /// The tables that must have been read.
    Tables,
    /// The work itself, as a whole.
    Session,
    /// The group, which has not given out its partitions yet.
    Joining,
    /// State that comes back.
    Restore,
    /// Records that should be written.
    Writer,
    /// Topics that take no records, which holds what depends on them.
    Held,
    /// The local store, without which processing goes on all the same.
    Store,
}

impl Part {
    fn holds_up(self) -> bool {
        self != Self::Store
    }
}

impl Status {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            kafka: None,
            reasons: [(
                (Part::Topics, Worker::default()),
                "the topics have not been looked at yet".into(),
            )]
            .into(),
            well: clock::now(),
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// Ready means: records are being processed, or would be if there were any.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.with(|inner| {
            let kafka = inner.kafka.unwrap_or(Kafka::Down);
            let reason = match (kafka, inner.reasons.values().next()) {
                (Kafka::Down, _) => Some(
                    "kafka does not answer; check `kafka.brokers` and that the broker runs".into(),
                ),
                (Kafka::Up, reason) => reason.cloned(),
            };
            Readiness {
                ready: inner.is_well(),
                kafka,
                spill: None,
                reason,
            }
        })
    }

    /// How long ago this process last kept up with its sources; zero while it does.
    #[must_use]
    pub fn staleness(&self) -> Duration {
        self.with(|inner| {
            if inner.is_well() {
                Duration::ZERO
            } else {
                clock::now().saturating_duration_since(inner.well)
            }
        })
    }

    pub(crate) fn kafka(&self, kafka: Kafka) {
        self.change(|inner| {
            if inner.kafka.replace(kafka) != Some(kafka) {
                match kafka {
                    Kafka::Up => tracing::info!("kafka answers"),
                    Kafka::Down => tracing::warn!("kafka does not answer"),
                }
            }
        });
    }

    fn holds_up(&self, place: (Part, Worker), reason: String) {
        self.change(|inner| {
            if inner.reasons.get(&place) != Some(&reason) {
                match place.0 {
                    Part::Joining | Part::Restore => tracing::info!("{reason}"),
                    Part::Topics
                    | Part::Tables
                    | Part::Session
                    | Part::Writer
                    | Part::Held
                    | Part::Store => {
                        tracing::warn!("{reason}");
                    }
                }
            }
            inner.reasons.insert(place, reason);
        });
    }

    pub(crate) fn is_held_up(&self, part: Part, worker: Worker) -> bool {
        self.with(|inner| inner.reasons.contains_key(&(part, worker)))
    }

    fn goes_on(&self, place: (Part, Worker)) {
        self.change(|inner| match (inner.reasons.remove(&place), place.0) {
            (
                Some(reason),
                Part::Topics
                | Part::Tables
                | Part::Session
                | Part::Writer
                | Part::Held
                | Part::Store,
            ) => {
                tracing::info!("no longer: {reason}");
            }
            (Some(_), Part::Joining | Part::Restore) | (None, _) => {}
        });
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        self.with(|inner| {
            if inner.is_well() {
                inner.well = clock::now();
            }
            change(inner);
        });
    }

    fn with<T>(&self, ask: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut inner)
    }
}

impl Inner {
    fn is_well(&self) -> bool {
        self.kafka == Some(Kafka::Up) && self.reasons.keys().all(|(part, _)| !part.holds_up())
    }
}
