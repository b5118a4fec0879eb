//! The sink that is Kafka: the only code of the gateway that knows its client.

mod delivery;
mod queue;
mod reach;
mod spread;
#[cfg(test)]
mod tests;

use crate::{
    config,
    metrics::Metrics,
    outgoing::{Message, Outgoing, Topic},
    sink::{Health, Sink, Unavailable},
};
use anyhow::Context as _;
use delivery::{Deliveries, Weight};
use footfall_service::health;
use queue::Queue;
use rdkafka::{
    ClientConfig,
    config::FromClientConfigAndContext as _,
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, Producer as _, PurgeConfig, ThreadedProducer},
};
use reach::Reach;
use spread::Spread;
use std::{fmt, sync::Arc, time::Duration};

/// How often the end of a flush is looked for.
const FLUSH_STEP: Duration = Duration::from_millis(20);
/// How long the client may take to give back what is purged.
const PURGE_TIMEOUT: Duration = Duration::from_secs(1);
/// What a record holds besides an event as sent: the envelope, the context, the field names.
const RECORD_OVERHEAD: usize = 64 * 1024;

/// Puts records on Kafka, through a bounded queue. Clones share it.
#[derive(Clone)]
pub struct KafkaSink {
    producer: ThreadedProducer<Deliveries>,
    topics: Arc<Topics>,
    queue: Arc<Queue>,
    reach: Arc<Reach>,
    spread: Arc<Spread>,
    metrics: Metrics,
}

struct Topics {
    events: String,
    rejected: String,
}

impl fmt::Debug for KafkaSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSink").finish_non_exhaustive()
    }
}

impl KafkaSink {
    /// Makes the client. It connects by itself when it can; this does not wait for it.
    ///
    /// # Errors
    /// When librdkafka does not take the configuration.
    pub fn new(config: &config::Kafka, max_body: usize, metrics: Metrics) -> anyhow::Result<Self> {
        let queue = Arc::new(Queue::new(config.queue));
        let reach = Arc::new(Reach::default());
        let deliveries = Deliveries::new(queue.clone(), reach.clone(), metrics.clone());
        let client = client_config(config, max_body);
        let producer = ThreadedProducer::from_config_and_context(&client, deliveries)
            .context("kafka's client does not take its configuration; check `kafka.properties` and `kafka.producer`")?;
        let topics = Arc::new(Topics {
            events: config.topic.clone(),
            rejected: config.rejected_topic.clone(),
        });
        Ok(Self {
            producer,
            topics,
            queue,
            reach,
            spread: Arc::new(Spread::new(config.hot_key)),
            metrics,
        })
    }

    /// Begins to watch, on a thread of its own, whether Kafka and both topics are within reach.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn watch(&self) -> std::io::Result<()> {
        let topics = [&self.topics.events, &self.topics.rejected].map(Clone::clone);
        let (reach, spread) = (self.reach.clone(), self.spread.clone());
        reach::watch(self.producer.clone(), topics, reach, spread)
    }

    /// Accepted events that wait, and the bytes of all that waits.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let depth = self.queue.depth();
        (depth.events, depth.bytes)
    }

    /// Takes nothing more, and waits until Kafka has everything, or `until` is over; then gives up what is left and
    /// says how many events that were. Blocks.
    #[must_use]
    pub fn close(&self, timeout: Duration) -> usize {
        self.queue.close();
        let steps = timeout.as_millis() / FLUSH_STEP.as_millis();
        for _ in 0..=steps {
            // Says that it timed out as long as something waits, which the queue knows better.
            let _waiting = self.producer.flush(FLUSH_STEP);
            if self.queue.depth().records == 0 {
                return 0;
            }
        }
        let left = self.queue.depth().events;
        self.producer
            .purge(PurgeConfig::default().queue().inflight());
        let _waiting = self.producer.flush(PURGE_TIMEOUT);
        left
    }

    fn send(&self, message: &Message<'_>) -> Result<(), KafkaError> {
        let topic = match message.topic {
            Topic::Events => &self.topics.events,
            Topic::Rejected => &self.topics.rejected,
        };
        let weight = Weight::of(message);
        let mut record = BaseRecord::with_opaque_to(topic, weight.pack())
            .payload(message.value)
            .timestamp(message.timestamp.as_millis());
        record.key = message.key;
        if let Some(partition) = self.spread.partition(message) {
            record.partition = Some(partition);
            let resharded = Header {
                key: spread::HEADER,
                value: Some("1"),
            };
            record.headers = Some(OwnedHeaders::new().insert(resharded));
        }
        self.producer.send(record).map_err(|(error, _)| error)
    }
}

impl Sink for KafkaSink {
    fn take(&self, outgoing: &Outgoing) -> Result<(), Unavailable> {
        self.queue.enter(outgoing)?;
        for (index, message) in outgoing.messages().enumerate() {
            if let Err(error) = self.send(&message) {
                if index == 0 {
                    self.queue.leave_all(outgoing);
                    return Err(Unavailable::Refused(error.to_string()));
                }
                // Some are on their way, so the request counts as taken, and this one as lost.
                delivery::lost(&self.queue, &self.metrics, Weight::of(&message), &error);
            }
        }
        Ok(())
    }

    fn health(&self) -> Health {
        let reach = self.reach.now();
        let full = !self.queue.has_room();
        let reason = if full {
            Some("the queue to kafka is full".to_owned())
        } else {
            reach.reason
        };
        Health {
            takes: !full && !reach.hopeless,
            kafka: if reach.up {
                health::Kafka::Up
            } else {
                health::Kafka::Down
            },
            reason,
        }
    }
}

/// librdkafka's defaults suit a batch job; these suit a gateway.
fn client_config(config: &config::Kafka, max_body: usize) -> ClientConfig {
    // The gateway's own bound is the one that refuses, all or nothing; librdkafka's is only there in case that fails.
    let queue_kib = (config.queue.saturating_mul(2) / 1024).clamp(1024, 2_147_483_647);
    // A rejected event may be as long as the body.
    let message = (max_body.saturating_add(RECORD_OVERHEAD)).clamp(1_000_000, 1_000_000_000);
    config.settings.producer(&[
        ("acks", "1"),
        ("queue.buffering.max.messages", "0"),
        ("queue.buffering.max.kbytes", &queue_kib.to_string()),
        ("message.max.bytes", &message.to_string()),
        // Events wait for Kafka as long as the gateway runs; what is bounded is their bytes.
        ("message.timeout.ms", "0"),
        ("reconnect.backoff.max.ms", "1000"),
        ("socket.keepalive.enable", "true"),
        ("log.connection.close", "false"),
    ])
}
