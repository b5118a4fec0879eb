//! The sink that is Kafka, with the spill behind it: the only code of the gateway that knows Kafka's client.

mod alone;
mod client;
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
    config::{Ack, Config},
    metrics::{Dropped, Metrics},
    outgoing::{Message, Outgoing, Topic},
    pending::{Pace, Pending, Rules, Taken, Token},
    sink::{Health, Receipt, Sink, Unavailable},
    spill::{Folder, Log, Unread, keeper::Keeper, log::Disk},
};
pub(crate) use client::client_config;

use alone::Alone;
use anyhow::Context as _;
use delivery::Deliveries;
use footfall_service::health;
use open::Opened;
use rdkafka::{
    config::FromClientConfigAndContext as _,
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, Producer as _, PurgeConfig, ThreadedProducer},
};
use reach::{Reach, Topics};
use replay::Replayer;
use shared::{LogOf, Shared};
use spread::{Route, Spread};
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
/// When a partition has acknowledged nothing for so long, beside the time that the client lets records linger, it is as good
/// as away.
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
    /// Whether answers wait for Kafka.
    delivered: bool,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
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
            patience: PATIENCE + client::linger(&client),
            message_timeout: client::message_timeout(&client),
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
            spread: Arc::new(Spread::new(config.kafka.hot_key)),
            alone: Arc::new(Alone::new(client, shared.clone())),
            topics: Arc::new(Topics {
                events: config.kafka.topic.clone(),
                rejected: config.kafka.rejected_topic.clone(),
            }),
            shared,
            spills,
            delivered,
            threads: Arc::default(),
        };
        let replayer = Replayer::new(sink.clone(), folder.clone());
        sink.start_thread("replay", || replayer.run())?;
        if let Some(folder) = folder {
            sink.start_spill(folder, config, unread)?;
        }
        Ok(sink)
    }

    fn start_thread(&self, name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(work)
            .with_context(|| format!("start the thread `{name}`"))?;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(thread);
        Ok(())
    }

    fn start_spill(
        &self,
        folder: Arc<Folder>,
        config: &Config,
        unread: Option<Unread>,
    ) -> anyhow::Result<()> {
        let shared = self.shared.clone();
        if let Some(unread) = unread {
            let (limits, shared, folder) = (open::limits(config), shared.clone(), folder.clone());
            let read = move || open::read_rest(&shared, &folder, &unread, limits);
            self.start_thread("spill read", read)?;
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
        self.start_thread("spill", keep)
    }

    /// Begins to watch, on a thread of its own, whether Kafka and both topics are within reach.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn watch(&self) -> std::io::Result<()> {
        let (shared, spread) = (self.shared.clone(), self.spread.clone());
        reach::watch(self.producer.clone(), self.topics.clone(), shared, spread)
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
        self.shared.pending().finish();
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
        let waiting = self.shared.pending().abandon();
        self.shared.give_up(waiting);
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
        let depth = pending.depth();
        // What a topic of rejected events does not take is not waited for.
        let is_sent = depth.records == 0 || (depth.events == 0 && pending.is_idle());
        is_safe && (is_sent || (self.spills && pending.is_idle()))
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

    /// Sends records in this order. What follows an event that is not taken now is kept back as well: it must not overtake.
    fn send_all<'a>(
        &self,
        records: impl Iterator<Item = (Token, Message<'a>, Route, Pace)>,
        is_replay: bool,
    ) {
        let mut refusal: Option<KafkaError> = None;
        for (token, message, route, pace) in records {
            let is_event = message.topic == Topic::Events;
            let sent = match &refusal {
                Some(error) if is_event => Err(Clone::clone(error)),
                _ => self.send(token, &message, route, pace, is_replay),
            };
            if let Err(error) = sent {
                self.shared.refused(token, &message, &error);
                if is_event && shared::waits(&error) {
                    refusal = Some(error);
                }
            }
        }
    }

    fn send(
        &self,
        token: Token,
        message: &Message<'_>,
        route: Route,
        pace: Pace,
        is_replay: bool,
    ) -> Result<(), KafkaError> {
        let topic = match message.topic {
            Topic::Events => &self.topics.events,
            Topic::Rejected => &self.topics.rejected,
        };
        let mut record = BaseRecord::with_opaque_to(topic, token.pack())
            .payload(message.value)
            .timestamp(message.timestamp.as_millis());
        record.key = message.key;
        record.partition = route.partition();
        let headers = [
            route.is_spread.then_some((spread::HEADER, "1")),
            is_replay.then_some((REPLAYED, "1")),
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
        let producer = match pace {
            Pace::Together => &self.producer,
            Pace::Alone => self.alone.producer()?,
        };
        producer.send(record).map_err(|(error, _)| error)
    }
}

impl Sink for KafkaSink {
    fn take(&self, mut outgoing: Outgoing) -> Result<Receipt, Unavailable> {
        let routes = self.spread.routes(&outgoing);
        let lanes = routes.iter().map(|route| route.lane).collect();
        let mut pending = self.shared.pending();
        let left_out = pending.trim(&mut outgoing);
        let taken = pending.take(outgoing, lanes, clock::monotonic());
        drop(pending);
        let taken = taken?;
        if left_out > 0 {
            tracing::warn!("the record of a rejected event is lost: kafka does not take them");
            self.shared.metrics.rejected_lost(left_out);
        }
        let (flight, request, receipt) = match taken {
            Taken::Send {
                flight,
                request,
                receipt,
            } => (flight, request, receipt),
            Taken::Waits { receipt } => return Ok(receipt),
            Taken::Spilled { events } => {
                self.shared.metrics.spilled(events);
                return Ok(Receipt::taken());
            }
        };
        let records = request.messages().zip(routes).enumerate();
        let records = records.map(|(index, (message, route))| {
            let token = Token::new(flight, index);
            (token, message, route, Pace::Together)
        });
        self.send_all(records, false);
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
        let disk = pending.log().map(Log::disk);
        let trouble = pending.trouble(Topic::Events).map(|why| {
            format!(
                "kafka takes no events: topic `{}`: {why}",
                self.topics.events
            )
        });
        let refuses = self.delivered && trouble.is_some();
        let stuck = pending.stuck_partitions();
        let rejected = pending
            .trouble(Topic::Rejected)
            .map(|why| format!("topic `{}`: {why}", self.topics.rejected))
            .or_else(|| self.shared.reach.rejected());
        let reason = match disk {
            _ if full => Some("the queue to kafka is full".to_owned()),
            Some(Disk::Failed(why)) => Some(format!("the spill cannot be written: {why}")),
            Some(Disk::Full) => Some("the spill is full".into()),
            Some(Disk::Fine) | None => reach.reason,
        };
        let reason = reason.or(trouble).or_else(|| {
            let stuck = (!stuck.is_empty()).then_some(stuck)?;
            Some(format!(
                "kafka acknowledges nothing in partitions {stuck:?} of `{}`",
                self.topics.events
            ))
        });
        let reason = reason.or_else(|| {
            Some(format!(
                "records of rejected events are lost: {}",
                rejected?
            ))
        });
        drop(pending);
        Health {
            takes: !full && !reach.hopeless && !refuses,
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
