use crate::{native::Queue, reader::Reader};
use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{
        BaseConsumer, CommitMode, Consumer as _, ConsumerContext, ConsumerGroupMetadata, Rebalance,
    },
    error::KafkaError,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

/// What the group has decided while the consumer was polled.
#[derive(Debug)]
pub(super) enum Event {
    /// These partitions are ours now.
    Assigned(BTreeSet<(String, i32)>),
    /// These are not any more.
    Revoked(BTreeSet<(String, i32)>),
}

/// Gathers what the group decides, to be acted on outside of librdkafka's callback.
pub(super) struct Assignment {
    reader: Reader,
    events: Mutex<Vec<Event>>,
    owed: Mutex<Option<TopicPartitionList>>,
    membership: Mutex<Option<Arc<ConsumerGroupMetadata>>>,
    /// Where the records come in.
    inbox: OnceLock<Weak<Queue>>,
}

impl Assignment {
    pub(super) fn new(reader: Reader) -> Self {
        Self {
            reader,
            events: Mutex::default(),
            owed: Mutex::default(),
            membership: Mutex::default(),
            inbox: OnceLock::new(),
        }
    }

    /// What has happened since the last call, in order.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the records of what is assigned come in there; said once.
    pub(super) fn set_inbox(&self, queue: Weak<Queue>) {
        // There is one inbox for each consumer.
        let _first = self.inbox.set(queue);
    }

    /// What this process is in the group since the newest event. It is not asked for later: by then
    /// the group may have given a partition away without an event for it yet, and Kafka does not
    /// check whose partition an offset is.
    pub(super) fn membership(&self) -> Option<Arc<ConsumerGroupMetadata>> {
        let membership = self.membership.lock();
        membership.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers offsets whose effects are written and whose commit failed.
    pub(super) fn owe(&self, offsets: TopicPartitionList) {
        *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = Some(offsets);
    }

    /// Forgets them: a later commit has been taken.
    pub(super) fn owe_nothing(&self) {
        *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The last moment for that: afterwards the partitions are another's, who would read their
    /// records again.
    fn commit_owed(&self, consumer: &BaseConsumer<Self>) {
        let owed = self
            .owed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(offsets) = owed
            && !consumer.assignment_lost()
            && let Err(error) = consumer.commit(&offsets, CommitMode::Sync)
        {
            tracing::warn!(%error, "records will be processed again by who gets their partitions");
        }
    }

    fn push(&self, event: Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(event);
    }
}

impl ClientContext for Assignment {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.reader.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reader.error(error, reason);
    }
}

impl ConsumerContext for Assignment {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        *self
            .membership
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = consumer.group_metadata().map(Arc::new);
        match rebalance {
            Rebalance::Assign(partitions) => {
                if let Some(queue) = self.inbox.get().and_then(Weak::upgrade) {
                    queue.divert(consumer, partitions);
                }
                self.push(Event::Assigned(places(partitions)));
            }
            Rebalance::Revoke(partitions) => {
                self.commit_owed(consumer);
                self.push(Event::Revoked(places(partitions)));
            }
            Rebalance::Error(error) => tracing::warn!(%error, "the group does not come together"),
        }
    }

    /// Nothing of a partition is read before its state is there.
    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance
            && let Err(error) = consumer.pause(partitions)
        {
            tracing::debug!(%error, "pausing partitions");
        }
    }
}

fn places(partitions: &TopicPartitionList) -> BTreeSet<(String, i32)> {
    let elements = partitions.elements();
    let places = elements.iter();
    places
        .map(|place| (place.topic().to_owned(), place.partition()))
        .collect()
}
