use super::Reach;
use crate::{
    clock,
    metrics::{Dropped, Levels, Metrics},
    outgoing::{Message, Outgoing, Topic},
    pending::{Failure, Fate, Over, Pending, Returned, Token},
    spill::{Folder, Log, keeper::Holder},
};
use footfall_service::health;
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The most shortened records that wait to be sent.
const MAX_SHORTENED: usize = 1000;

/// What requests, deliveries and the spill's threads share.
#[derive(Debug)]
pub(super) struct Shared {
    pending: Mutex<Pending>,
    pub(super) reach: Arc<Reach>,
    pub(super) metrics: Metrics,
    pub(super) folder: Option<Arc<Folder>>,
    shortened: Mutex<Vec<Outgoing>>,
    /// How many records Kafka has acknowledged.
    acknowledged: AtomicUsize,
    stopped: AtomicBool,
}

impl Shared {
    pub(super) fn new(pending: Pending, folder: Option<Arc<Folder>>, metrics: Metrics) -> Self {
        Self {
            pending: Mutex::new(pending),
            reach: Arc::default(),
            metrics,
            folder,
            shortened: Mutex::default(),
            acknowledged: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        // A panic elsewhere must not stop everything else; no change is left half done on purpose.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kafka has a record.
    pub(super) fn delivered(&self, token: Token, key: Option<&[u8]>, bytes: usize) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        let (fate, over) = self.pending().delivered(token, key, bytes);
        self.count(fate);
        if let Some(Over { since, events }) = over {
            let took = clock::monotonic().saturating_duration_since(since);
            self.metrics.round_trip(took, events);
        }
    }

    /// Kafka's client gives a record back.
    pub(super) fn returned(
        &self,
        token: Token,
        key: Option<&[u8]>,
        value: &[u8],
        error: &KafkaError,
    ) {
        self.failed(token, key, value, error, failure(error));
    }

    /// Kafka's client does not take a record.
    pub(super) fn refused(&self, token: Token, message: &Message<'_>, error: &KafkaError) {
        let failure = failure(error);
        // It was never in a batch.
        let failure = if failure == Failure::OfBatch {
            Failure::OfRecord
        } else {
            failure
        };
        self.failed(token, message.key, message.value, error, failure);
    }

    fn failed(
        &self,
        token: Token,
        key: Option<&[u8]>,
        value: &[u8],
        error: &KafkaError,
        failure: Failure,
    ) {
        let bytes = key.map_or(0, <[u8]>::len) + value.len();
        let reason = error
            .rdkafka_error_code()
            .map_or_else(|| error.to_string(), |code| code.to_string());
        let record = Returned { key, bytes };
        let now = clock::monotonic();
        let fate = self.pending().failed(token, record, failure, &reason, now);
        match fate {
            Fate::Dropped(Topic::Rejected, Dropped::DeliveryFailed)
                if matches!(failure, Failure::OfBatch | Failure::OfRecord)
                    && self.shorten(key, value) =>
            {
                return;
            }
            Fate::Dropped(Topic::Events, lost) if lost != Dropped::Shutdown => {
                tracing::error!(reason, "an event is lost: kafka does not take it");
            }
            Fate::Dropped(Topic::Rejected, lost) if lost != Dropped::Shutdown => {
                tracing::warn!(
                    reason,
                    "the record of a rejected event is lost: kafka does not take it"
                );
            }
            Fate::Kept | Fate::Spilled(_) if failure == Failure::Other => {
                tracing::warn!(
                    reason,
                    "kafka does not take an event: it waits, and is sent again"
                );
            }
            Fate::Dropped(..)
            | Fate::Kept
            | Fate::Spilled(_)
            | Fate::Produced { .. }
            | Fate::Unknown => tracing::debug!(%error, ?fate, "a record was not delivered"),
        }
        self.count(fate);
    }

    /// Has the record of a rejected event sent again without the event; false when that is not possible.
    fn shorten(&self, key: Option<&[u8]>, value: &[u8]) -> bool {
        let Some(short) = Outgoing::shortened(key, value) else {
            return false;
        };
        let mut shortened = self.shortened();
        let has_room = shortened.len() < MAX_SHORTENED;
        if has_room {
            shortened.push(short);
        }
        has_room
    }

    /// Records of rejected events that wait to be sent without the event.
    pub(super) fn shortened(&self) -> MutexGuard<'_, Vec<Outgoing>> {
        self.shortened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What waited in memory alone is given up.
    pub(super) fn give_up(&self, fates: Vec<Fate>) {
        for fate in fates {
            self.count(fate);
        }
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
            Fate::Dropped(Topic::Rejected, _) => self.metrics.rejected_lost(1),
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

    /// How many records Kafka has acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
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

/// Whether a record that fails so is to be sent again later.
pub(super) fn waits(error: &KafkaError) -> bool {
    failure(error) == Failure::Other
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
        ) => Failure::OfBatch,
        Some(Code::MessageTimedOut) => Failure::TimedOut,
        _ => Failure::Other,
    }
}
