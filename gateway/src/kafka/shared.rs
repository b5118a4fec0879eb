use crate::{
    clock,
    metrics::{Dropped, Levels, Metrics},
    outgoing::{Message, Topic},
    pending::{Failure, Fate, Over, Pending, Token},
    spill::{Folder, Log, keeper::Holder},
};
use footfall_service::{health, kafka::reach::Reach};
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What requests, deliveries and the spill's threads share.
#[derive(Debug)]
pub(super) struct Shared {
    pending: Mutex<Pending>,
    pub(super) reach: Arc<Reach>,
    pub(super) metrics: Metrics,
    pub(super) folder: Option<Arc<Folder>>,
    stopped: AtomicBool,
}

impl Shared {
    pub(super) fn new(pending: Pending, folder: Option<Arc<Folder>>, metrics: Metrics) -> Self {
        Self {
            pending: Mutex::new(pending),
            reach: Arc::default(),
            metrics,
            folder,
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        // A panic elsewhere must not stop everything else; no change is left half done on purpose.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kafka has a record.
    pub(super) fn delivered(&self, token: Token, key: Option<&[u8]>, bytes: usize) {
        let (fate, over) = self.pending().delivered(token, key, bytes);
        self.count(fate);
        if let Some(Over { since, events }) = over {
            let took = clock::monotonic().saturating_duration_since(since);
            self.metrics.round_trip(took, events);
        }
    }

    /// Kafka's client gives a record back.
    pub(super) fn failed(&self, token: Token, message: &Message<'_>, error: &KafkaError) {
        let now = clock::monotonic();
        let fate = self.pending().failed(token, message, failure(error), now);
        // One record a line would be a flood; the metrics have the numbers.
        tracing::debug!(%error, ?fate, "a record was not delivered");
        self.count(fate);
    }

    fn count(&self, fate: Fate) {
        match fate {
            Fate::Produced {
                topic: Topic::Events,
                replayed,
            } => {
                self.metrics.produced();
                if replayed {
                    self.metrics.replayed();
                }
            }
            Fate::Spilled(Topic::Events) => self.metrics.spilled(1),
            Fate::Dropped(Topic::Events, reason) => self.metrics.dropped(reason, 1),
            Fate::Dropped(Topic::Rejected, _) => self.metrics.rejected_lost(),
            Fate::Produced {
                topic: Topic::Rejected,
                ..
            }
            | Fate::Spilled(Topic::Rejected)
            | Fate::Kept
            | Fate::Unknown => {}
        }
    }

    pub(super) fn levels(&self) -> Levels {
        let pending = self.pending();
        let depth = pending.depth();
        let log = pending.log();
        let mut levels = Levels {
            queue_events: depth.events,
            queue_records: depth.records,
            queue_bytes: depth.bytes,
            spill_events: log.map_or(0, Log::events),
            spill_bytes: log.map_or(0, Log::bytes),
            spill_age: Duration::ZERO,
        };
        let oldest = log.and_then(Log::oldest_file);
        drop(pending);
        if let (Some(folder), Some(first)) = (&self.folder, oldest)
            && let Some(begun) = folder.begun(first)
        {
            let age = clock::now().as_millis().saturating_sub(begun);
            levels.spill_age = Duration::from_millis(age.try_into().unwrap_or(0));
        }
        levels
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// How the spill is, for `/readyz`.
pub(super) fn spill_state(log: Option<&Log>) -> health::Spill {
    use crate::spill::log::Disk;
    match log.map(|log| (log.disk(), log.is_empty())) {
        None => health::Spill::Off,
        Some((Disk::Failed(_), _)) => health::Spill::Failed,
        Some((Disk::Full, _)) => health::Spill::Full,
        Some((Disk::Fine, true)) => health::Spill::Empty,
        Some((Disk::Fine, false)) => health::Spill::InUse,
    }
}

/// The keeper's way to the log.
#[derive(Clone, Debug)]
pub(super) struct LogOf(pub(super) Arc<Shared>);

impl Holder for LogOf {
    fn with<T: Default>(&self, step: impl FnOnce(&mut Log) -> T) -> T {
        self.0.pending().log_mut().map(step).unwrap_or_default()
    }

    fn lost(&self, events: usize) {
        self.0.metrics.dropped(Dropped::SpillCorrupt, events);
    }
}

fn failure(error: &KafkaError) -> Failure {
    match error.rdkafka_error_code() {
        Some(Code::PurgeQueue | Code::PurgeInflight) => Failure::Purged,
        Some(
            Code::MessageSizeTooLarge
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::InvalidTimestamp
            | Code::InvalidRecord,
        ) => Failure::OfRecord,
        _ => Failure::Other,
    }
}
