use rdkafka::{
    ClientContext, TopicPartitionList,
    consumer::{BaseConsumer, ConsumerContext, Rebalance},
    error::KafkaError,
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
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
#[derive(Debug, Default)]
pub(super) struct Assignment {
    events: Mutex<Vec<Event>>,
}

impl Assignment {
    /// What has happened since the last call, in order.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, event: Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(event);
    }
}

impl ClientContext for Assignment {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "consumer");
    }
}

impl ConsumerContext for Assignment {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => self.push(Event::Assigned(places(partitions))),
            Rebalance::Revoke(partitions) => self.push(Event::Revoked(places(partitions))),
            Rebalance::Error(error) => tracing::warn!(%error, "the group does not come together"),
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
