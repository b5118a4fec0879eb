//! The sink that is Kafka, with the spill behind it: the only code of the gateway that knows Kafka's client.

mod alone;
mod delivery;
mod open;
mod reach;
mod replay;
mod shared;
mod spread;
#[cfg(test)]
mod tests;

use crate::{
    clock,
    config::{self, Ack, Config},
    metrics::{Dropped, Metrics},
    outgoing::{Message, Outgoing, Topic},
    pending::{Pace, Pending, Rules, Taken, Token},
    sink::{Health, Receipt, Sink, Unavailable},
    spill::{Folder, Log, Unread, keeper::Keeper, log::Disk},
};
use alone::Alone;
use anyhow::Context as _;
use delivery::Deliveries;
use footfall_service::health;
use open::Opened;
use rdkafka::{
    ClientConfig,
    config::FromClientConfigAndContext as _,
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, Producer as _, PurgeConfig, ThreadedProducer},
};
use replay::Replayer;
use shared::{LogOf, Shared};
use spread::Spread;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How often the end of a flush is looked for.
const FLUSH_STEP: Duration = Duration::from_millis(20);
/// How long the client may take to give back what is purged.
const PURGE_TIMEOUT: Duration = Duration::from_secs(1);
/// What a record holds besides an event as sent: the envelope, the context, the field names.
const RECORD_OVERHEAD: usize = 64 * 1024;
/// When Kafka has not acknowledged a record for so long, beside the time that the client lets it linger, it is as good as
/// away.
const PATIENCE: Duration = Duration::from_millis(500);
/// Says to consumers that a record comes from the spill, maybe long after it was accepted.
const REPLAYED: &str = "footfall-replayed";

/// Puts records on Kafka, through a bounded queue, or into the spill. Clones share it.
#[derive(Clone)]
pub struct KafkaSink {
    producer: ThreadedProducer<Deliveries>,
    alone: Arc<Alone>,
    topics: Arc<Topics>,
    shared: Arc<Shared>,
    spread: Arc<Spread>,
    /// Whether requests may go to the spill.
    spills: bool,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
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
    /// Makes the client, which connects by itself when it can, and begins to replay what an earlier run has left.
    ///
    /// # Errors
    /// When librdkafka does not take the configuration, or the spill cannot be read or written.
    pub fn new(config: &Config, metrics: Metrics) -> anyhow::Result<Self> {
        let client = client_config(&config.kafka, config.limits.body);
        let (folder, log, unread) = match open::spill(config, &metrics)? {
            Some(Opened {
                folder,
                log,
                unread,
            }) => (Some(folder), Some(log), unread),
            None => (None, None, None),
        };
        let delivered = config.ack == Ack::Delivered;
        let spills = log.is_some() && !delivered;
        let rules = Rules {
            queue_bytes: if spills {
                config.kafka.queue / 2
            } else {
                config.kafka.queue
            },
            delivered,
            patience: PATIENCE + linger(&client),
        };
        let folder = folder.map(Arc::new);
        let shared = Arc::new(Shared::new(
            Pending::new(rules, log),
            folder.clone(),
            metrics,
        ));
        let producer = ThreadedProducer::from_config_and_context(&client, Deliveries::new(shared.clone()))
            .context("kafka's client does not take its configuration; check `kafka.properties` and `kafka.producer`")?;
        let sink = Self {
            producer,
            alone: Arc::new(Alone::new(client, shared.clone())),
            topics: Arc::new(Topics {
                events: config.kafka.topic.clone(),
                rejected: config.kafka.rejected_topic.clone(),
            }),
            shared,
            spread: Arc::new(Spread::new(config.kafka.hot_key)),
            spills,
            threads: Arc::default(),
        };
        if let Some(folder) = folder {
            sink.start_threads(folder, config, unread)
                .context("start the threads of the spill")?;
        }
        Ok(sink)
    }

    fn start_threads(
        &self,
        folder: Arc<Folder>,
        config: &Config,
        unread: Option<Unread>,
    ) -> std::io::Result<()> {
        let replayer = Replayer::new(self.clone(), folder.clone());
        let shared = self.shared.clone();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unread) = unread {
            let (limits, shared, folder) = (open::limits(config), shared.clone(), folder.clone());
            let read = move || open::read_rest(&shared, &folder, &unread, limits);
            threads.push(
                thread::Builder::new()
                    .name("spill read".into())
                    .spawn(read)?,
            );
        }
        let sync_interval = config.spill.sync_interval;
        let mut keeper = Keeper::new(LogOf(shared.clone()), folder, sync_interval);
        let keep = move || {
            while !shared.is_stopped() {
                thread::sleep(keeper.pause());
                keeper.turn();
            }
            keeper.finish();
        };
        threads.push(
            thread::Builder::new()
                .name("spill replay".into())
                .spawn(|| replayer.run())?,
        );
        threads.push(thread::Builder::new().name("spill".into()).spawn(keep)?);
        Ok(())
    }

    /// Begins to watch, on a thread of its own, whether Kafka and both topics are within reach.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn watch(&self) -> std::io::Result<()> {
        let topics = [&self.topics.events, &self.topics.rejected].map(Clone::clone);
        let (reach, spread) = (self.shared.reach.clone(), self.spread.clone());
        reach::watch(self.producer.clone(), topics, reach, spread)
    }

    /// Sets the metrics that say what waits.
    pub fn measure(&self) {
        self.shared.metrics.levels(&self.shared.levels());
    }

    /// Takes nothing more, and waits until Kafka has everything that is on its way, or `timeout` is over, or, where there
    /// is a spill, Kafka is away; puts what is left into the spill, or gives it up, and says how many events were given
    /// up. Blocks.
    #[must_use]
    pub fn close(&self, timeout: Duration) -> usize {
        self.shared.pending().close();
        let steps = timeout.as_millis() / FLUSH_STEP.as_millis();
        for _ in 0..=steps {
            // Says that it timed out as long as something waits, which the pending records know better.
            if self.producer.flush(FLUSH_STEP).is_ok() {
                thread::sleep(FLUSH_STEP);
            }
            if self.may_stop() {
                break;
            }
        }
        let left = self.shared.pending().depth().events;
        self.shared.pending().halt();
        if self.spills {
            self.shared.pending().rescue();
        }
        if self.shared.pending().depth().records > 0 {
            for producer in [Some(&self.producer), self.alone.made()]
                .into_iter()
                .flatten()
            {
                producer.purge(PurgeConfig::default().queue().inflight());
                let _waiting = producer.flush(PURGE_TIMEOUT);
            }
        }
        self.stop_threads();
        let given_up = self.shared.pending().log_mut().map_or(0, Log::abandon);
        self.shared.metrics.dropped(Dropped::Shutdown, given_up);
        if self.spills {
            given_up
        } else {
            left + given_up
        }
    }

    /// Whether waiting longer brings nothing.
    fn may_stop(&self) -> bool {
        let mut pending = self.shared.pending();
        let is_safe = pending
            .log()
            .is_none_or(|log| *log.disk() == Disk::Fine && log.is_written());
        if is_safe {
            pending.halt();
        }
        let is_sent = pending.depth().records == 0;
        is_safe && (is_sent || (self.spills && pending.is_outage()))
    }

    fn stop_threads(&self) {
        self.shared.stop();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the spill has failed");
            }
        }
    }

    fn send(
        &self,
        token: Token,
        message: &Message<'_>,
        replay: Option<Pace>,
    ) -> Result<(), KafkaError> {
        let topic = match message.topic {
            Topic::Events => &self.topics.events,
            Topic::Rejected => &self.topics.rejected,
        };
        let mut record = BaseRecord::with_opaque_to(topic, token.pack())
            .payload(message.value)
            .timestamp(message.timestamp.as_millis());
        record.key = message.key;
        if replay.is_none() {
            // A replay is quicker than its visitors were: by its rate every key would be hot, and lose its order.
            record.partition = self.spread.partition(message);
        }
        let headers = [
            record.partition.map(|_| (spread::HEADER, "1")),
            replay.map(|_| (REPLAYED, "1")),
            message
                .traceparent
                .map(|parent| (delivery::TRACEPARENT, parent)),
        ];
        for (key, value) in headers.into_iter().flatten() {
            let headers = record
                .headers
                .unwrap_or_else(|| OwnedHeaders::new_with_capacity(3));
            record.headers = Some(headers.insert(Header {
                key,
                value: Some(value),
            }));
        }
        let producer = match replay {
            None | Some(Pace::Together) => &self.producer,
            Some(Pace::Alone) => self.alone.producer()?,
        };
        producer.send(record).map_err(|(error, _)| error)
    }
}

impl Sink for KafkaSink {
    fn take(&self, outgoing: Outgoing) -> Result<Receipt, Unavailable> {
        let taken = self.shared.pending().take(outgoing, clock::monotonic())?;
        let (flight, request, receipt) = match taken {
            Taken::Send {
                flight,
                request,
                receipt,
            } => (flight, request, receipt),
            Taken::Spilled { events } => {
                self.shared.metrics.spilled(events);
                return Ok(Receipt::taken());
            }
        };
        for (index, message) in request.messages().enumerate() {
            let token = Token::new(flight, index);
            if let Err(error) = self.send(token, &message, None) {
                if index == 0 && !self.spills {
                    self.shared.pending().take_back(flight, &request);
                    return Err(Unavailable::Refused(error.to_string()));
                }
                // Some may be on their way, so the request counts as taken, and this one as failed.
                self.shared.failed(token, &message, &error);
            }
        }
        Ok(receipt)
    }

    fn is_full(&self) -> bool {
        self.shared.pending().is_full()
    }

    fn health(&self) -> Health {
        let reach = self.shared.reach.now();
        let pending = self.shared.pending();
        let full = !pending.has_room();
        let spill = shared::spill_state(pending.log());
        let reason = match pending.log().map(Log::disk) {
            _ if full => Some("the queue to kafka is full".to_owned()),
            Some(Disk::Failed(why)) => Some(format!("the spill cannot be written: {why}")),
            Some(Disk::Full) => Some("the spill is full".into()),
            Some(Disk::Fine) | None => reach.reason,
        };
        drop(pending);
        Health {
            takes: !full && !reach.hopeless,
            kafka: if reach.up {
                health::Kafka::Up
            } else {
                health::Kafka::Down
            },
            spill,
            reason,
        }
    }
}

/// How long the client waits for a batch to fill.
fn linger(client: &ClientConfig) -> Duration {
    let names = ["linger.ms", "queue.buffering.max.ms"];
    let millis = names
        .iter()
        .filter_map(|name| client.get(name)?.parse().ok());
    Duration::from_secs_f64(millis.fold(0_f64, f64::max).clamp(0.0, 900_000.0) / 1000.0)
}

/// librdkafka's defaults suit a batch job; these suit a gateway.
pub(crate) fn client_config(config: &config::Kafka, max_body: usize) -> ClientConfig {
    // The gateway's own bound is the one that refuses, all or nothing; librdkafka's is only there in case that fails.
    let queue_kib = (config.queue.saturating_mul(2) / 1024).clamp(1024, 2_147_483_647);
    // A rejected event may be as long as the body.
    let message = (max_body.saturating_add(RECORD_OVERHEAD)).clamp(1_000_000, 1_000_000_000);
    config.settings.producer(&[
        ("acks", "1"),
        // A request that is retried must not come after a newer one: the order of a key is kept.
        ("max.in.flight.requests.per.connection", "1"),
        // Fewer, larger requests: every one costs the gateway and the broker about as much as ten records.
        ("linger.ms", "20"),
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
