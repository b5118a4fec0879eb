use super::{Queue, Reach};
use crate::{
    metrics::{Dropped, Metrics},
    outgoing::{Message, Topic},
};
use rdkafka::{
    ClientContext, config::RDKafkaLogLevel, error::KafkaError, message::DeliveryResult,
    producer::ProducerContext, types::RDKafkaErrorCode,
};
use std::sync::Arc;

/// What a record weighs in the queue. It travels through librdkafka in a pointer's place, so it costs no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) topic: Topic,
    /// Of key and value.
    pub(super) bytes: usize,
}

impl Weight {
    pub(super) fn of(message: &Message<'_>) -> Self {
        Self {
            topic: message.topic,
            bytes: message.value.len() + message.key.map_or(0, <[u8]>::len),
        }
    }

    pub(super) fn pack(self) -> usize {
        self.bytes << 1 | usize::from(self.topic == Topic::Rejected)
    }

    fn unpack(packed: usize) -> Self {
        let topic = match packed & 1 {
            0 => Topic::Events,
            _ => Topic::Rejected,
        };
        Self {
            topic,
            bytes: packed >> 1,
        }
    }
}

/// Hears from librdkafka what became of each record.
pub(super) struct Deliveries {
    queue: Arc<Queue>,
    reach: Arc<Reach>,
    metrics: Metrics,
}

impl Deliveries {
    pub(super) fn new(queue: Arc<Queue>, reach: Arc<Reach>, metrics: Metrics) -> Self {
        Self {
            queue,
            reach,
            metrics,
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Failed connections come here again and again; `Reach` tells of them once.
        let is_worth_a_look = level as u32 <= RDKafkaLogLevel::Warning as u32 && facility != "FAIL";
        if is_worth_a_look {
            tracing::warn!(target: "librdkafka", facility, message);
        } else {
            tracing::debug!(target: "librdkafka", facility, message);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reach.failed(error.rdkafka_error_code(), reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, packed: usize) {
        let weight = Weight::unpack(packed);
        match result {
            Ok(_) => {
                if weight.topic == Topic::Events {
                    self.metrics.produced();
                }
                self.queue.leave(weight);
            }
            Err((error, _)) => lost(&self.queue, &self.metrics, weight, error),
        }
    }
}

/// A record will not reach Kafka.
pub(super) fn lost(queue: &Queue, metrics: &Metrics, weight: Weight, error: &KafkaError) {
    let reason = match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) => Dropped::Shutdown,
        _ => Dropped::DeliveryFailed,
    };
    match weight.topic {
        Topic::Events => metrics.dropped(reason, 1),
        Topic::Rejected => metrics.rejected_lost(),
    }
    // One record a line would be a flood; the metrics have the numbers.
    tracing::debug!(%error, topic = ?weight.topic, "a record was lost");
    queue.leave(weight);
}
