use crate::status::Worker;
use footfall_service::kafka::{CreateTopics, Settings};
use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

const TRANSACTION_TIMEOUT_MS: &str = "10000";

/// How a processor is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where Kafka is.
    pub kafka: Settings,
    /// The consumer group, exactly.
    pub group: String,
    /// How long a record waits at most for its effects to be written and its offset committed.
    pub commit_interval: Duration,
    /// What a crash may do.
    pub delivery: Delivery,
    /// What this process keeps from one life to the next; left out: nothing.
    pub state_dir: Option<PathBuf>,
    /// How many threads share the partitions of this process, each a member of the group.
    pub workers: NonZeroUsize,
    /// Whether `state_dir` follows the state of other processes of the group too.
    pub standby: bool,
    /// Whether and how topics that are missing are made.
    pub topics: CreateTopics,
    /// Where this process answers questions, which others learn from the offsets that it commits;
    /// left out: nobody can ask it.
    pub address: Option<String>,
}

/// How effects and the offsets of the records they came from are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// One after the other: after a crash, the records of a commit interval may have their effects
    /// twice.
    AtLeastOnce,
    /// In one transaction of Kafka: who reads only what is committed sees each effect once.
    ExactlyOnce,
}

impl Config {
    /// Properties of the consumer by which a worker reads the sources.
    pub(crate) fn source_consumer(&self, worker: Worker) -> rdkafka::ClientConfig {
        let mut defaults = vec![
            ("group.id", self.group.as_str()),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            ("fetch.wait.max.ms", "50"),
            // Enough to be busy with while more is fetched: small records take several times their
            // size in memory. When there is enough it is soon looked again, because at the default
            // of a second, small records come in bursts with long pauses.
            ("queued.min.messages", "5000"),
            ("queued.max.messages.kbytes", "16384"),
            ("max.partition.fetch.bytes", "65536"),
            ("fetch.queue.backoff.ms", "1"),
            // Partitions that are added to a source are given out this soon, and not after minutes.
            ("topic.metadata.refresh.interval.ms", "2000"),
        ];
        // With the newer protocol both are the broker's to say, and librdkafka refuses them.
        if !self.is_group_of_brokers() {
            defaults.extend([
                ("partition.assignment.strategy", "cooperative-sticky"),
                // A partition of a process that was killed waits this long for the next one.
                ("session.timeout.ms", "6000"),
                ("heartbeat.interval.ms", "2000"),
            ]);
        }
        let mut config = self.kafka.consumer(&defaults);
        // Taken with records many at a time, an end moves the library's position beyond it, and the
        // next rebalance has it read all again from the beginning.
        config.set("enable.partition.eof", "false");
        // Two members of one name would throw each other out.
        if let Some(name) = self.consumer_property("group.instance.id")
            && worker != Worker::default()
        {
            config.set("group.instance.id", format!("{name}-{worker}"));
        }
        config
    }

    /// Whether a consumer reads a partition from its beginning where the group has no offset for it.
    pub(crate) fn resets_to_earliest(&self) -> bool {
        let reset = self.consumer_property("auto.offset.reset");
        reset.is_none_or(|reset| matches!(reset, "earliest" | "beginning" | "smallest"))
    }

    /// The user's `client.id`, or ours.
    pub(crate) fn client_id(&self) -> &str {
        self.consumer_property("client.id").unwrap_or("footfall")
    }

    /// Whether a partition of which nothing is committed is read from its end.
    pub(crate) fn starts_at_ends(&self) -> bool {
        let reset = self.consumer_property("auto.offset.reset");
        matches!(reset, Some("latest" | "largest" | "end"))
    }

    /// Whether the brokers hand out partitions (KIP-848), and not one of the members.
    pub(crate) fn is_group_of_brokers(&self) -> bool {
        self.consumer_property("group.protocol") == Some("consumer")
    }

    /// What the user has set for consumers.
    fn consumer_property(&self, name: &str) -> Option<&str> {
        let Settings {
            properties,
            consumer,
            ..
        } = &self.kafka;
        let value = consumer.get(name).or_else(|| properties.get(name));
        value.map(String::as_str)
    }

    /// Properties of a consumer that takes no part in the group.
    pub(crate) fn observer(&self) -> rdkafka::ClientConfig {
        self.kafka.consumer(&[
            ("group.id", &self.group),
            ("enable.auto.commit", "false"),
            ("enable.partition.eof", "true"),
            ("auto.offset.reset", "earliest"),
            ("fetch.wait.max.ms", "50"),
            ("fetch.queue.backoff.ms", "5"),
            ("queued.max.messages.kbytes", "16384"),
        ])
    }

    /// The same, and it sees the group's offsets without waiting for transactions that are about to
    /// change them.
    pub(crate) fn owners_observer(&self) -> rdkafka::ClientConfig {
        let mut config = self.observer();
        config.set("isolation.level", "read_uncommitted");
        config
    }

    /// Properties of the producer of all of a worker's effects; `instance` is no other process's name.
    pub(crate) fn effect_producer(&self, instance: &str, worker: Worker) -> rdkafka::ClientConfig {
        let transactional_id = format!("{}-{instance}-{worker}", self.group);
        let mut defaults = vec![
            ("acks", "all"),
            ("enable.idempotence", "true"),
            // What is written for a commit is flushed at its end; until then only full requests go.
            // (While one of a partition is under way and what follows it has lingered, the client
            // waits for the answer in a loop that costs a core.)
            ("linger.ms", "1000"),
            ("compression.type", "lz4"),
            // The client takes half a kibibyte for each record that it holds. What is more waits
            // where it is until some are sent.
            ("queue.buffering.max.messages", "30000"),
            // A topic that is deleted is made anew by who knows what it must be.
            ("allow.auto.create.topics", "false"),
            // A record that the source took must fit into `.late` and `.dlq` with its new headers;
            // the topic's own limit is the broker's matter.
            ("message.max.bytes", "100000000"),
        ];
        match self.delivery {
            // A record is never given up: it waits for the broker to come back.
            Delivery::AtLeastOnce => defaults.push(("message.timeout.ms", "0")),
            Delivery::ExactlyOnce => defaults.extend([
                ("transactional.id", transactional_id.as_str()),
                // The commit says that all is well; a report for each record costs as much as
                // sending it.
                ("delivery.report.only.error", "true"),
                // What a process that was killed has begun is aborted after so long, and holds up
                // its readers until then. A record cannot outlive it.
                ("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS),
                // The first try to add offsets to a transaction comes too early as a rule, and is
                // repeated after this. It doubles with each further try.
                ("retry.backoff.ms", "2"),
            ]),
        }
        self.kafka.producer(&defaults)
    }
}
