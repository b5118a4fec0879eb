mod troubles;

use crate::clock;
use footfall_service::{
    health::{Kafka, Readiness},
    kafka::reach::Reach,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use troubles::Troubles;

/// How a processor is, for `/readyz` and for answers that say how old they are.
#[derive(Debug)]
pub struct Status {
    inner: Mutex<Inner>,
    reach: Reach,
}

#[derive(Debug)]
struct Inner {
    /// What holds processing up, by who says so.
    reasons: BTreeMap<(Part, Worker), String>,
    /// What does not hold all of it up.
    troubles: Troubles,
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

    /// How the whole process is.
    pub(crate) fn status(&self) -> &Arc<Status> {
        &self.status
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
    /// What the members of the group must agree on.
    Definition,
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
    /// Partitions of sources that cannot be read on.
    Reading,
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
            reasons: [(
                (Part::Topics, Worker::default()),
                "the topics have not been looked at yet".into(),
            )]
            .into(),
            troubles: Troubles::default(),
            well: clock::now(),
        };
        Self {
            inner: Mutex::new(inner),
            reach: Reach::default(),
        }
    }

    /// Ready means: records are being processed, or would be if there were any.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let reach = self.reach.now();
        self.with(|inner| {
            let reason = inner.reasons.values().next();
            let reason = reason.or_else(|| inner.troubles.first(clock::now()));
            Readiness {
                ready: reach.up && inner.is_free(),
                kafka: if reach.up { Kafka::Up } else { Kafka::Down },
                spill: None,
                reason: match reach.reason {
                    Some(why) if !reach.up => Some(why),
                    partly => reason.cloned().or(partly),
                },
            }
        })
    }

    /// How long ago this process last kept up with its sources; zero while it does.
    #[must_use]
    pub fn staleness(&self) -> Duration {
        let is_up = self.reach.is_up();
        self.with(|inner| {
            if is_up && inner.is_free() {
                Duration::ZERO
            } else {
                clock::now().saturating_duration_since(inner.well)
            }
        })
    }

    /// Whether Kafka is within reach, as whoever looks tells it.
    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Remembers how it was until now: what holds up is about to change.
    pub(crate) fn turns(&self) {
        self.change(|_| {});
    }

    /// Something is not as it should be, and the rest of the work goes on. Unless it is met again,
    /// it is over after so long.
    pub(crate) fn meets(&self, cause: String, reason: &str, lasts: Duration) {
        let until = troubles::after(clock::now(), lasts);
        self.with(|inner| {
            if inner.troubles.meet(cause, reason.to_owned(), until) {
                tracing::warn!("{reason}");
            }
        });
    }

    /// Tells which troubles are over.
    pub(crate) fn look_after_troubles(&self) {
        for reason in self.with(|inner| inner.troubles.take_old(clock::now())) {
            tracing::info!("no longer: {reason}");
        }
    }

    fn holds_up(&self, place: (Part, Worker), reason: String) {
        self.change(|inner| {
            if inner.reasons.get(&place) != Some(&reason) {
                match place.0 {
                    Part::Joining | Part::Restore => tracing::info!("{reason}"),
                    Part::Definition
                    | Part::Topics
                    | Part::Tables
                    | Part::Session
                    | Part::Writer
                    | Part::Reading
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
                Part::Definition
                | Part::Topics
                | Part::Tables
                | Part::Session
                | Part::Writer
                | Part::Reading
                | Part::Store,
            ) => {
                tracing::info!("no longer: {reason}");
            }
            (Some(_), Part::Joining | Part::Restore) | (None, _) => {}
        });
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let is_up = self.reach.is_up();
        self.with(|inner| {
            if is_up && inner.is_free() {
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
    /// Whether nothing of our own holds the work up.
    fn is_free(&self) -> bool {
        self.reasons.keys().all(|(part, _)| !part.holds_up())
    }
}
