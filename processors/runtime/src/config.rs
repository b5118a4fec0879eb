use footfall_service::kafka::{CreateTopics, Settings};
use std::time::Duration;

/// How a processor is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where Kafka is.
    pub kafka: Settings,
    /// The consumer group, exactly.
    pub group: String,
    /// How long a record waits at most for its effects to be written and its offset committed.
    pub commit_interval: Duration,
    /// Whether and how topics that are missing are made.
    pub topics: CreateTopics,
}

impl Config {
    /// Properties of the consumer that reads the sources.
    pub(crate) fn source_consumer(&self) -> rdkafka::ClientConfig {
        let mut defaults = vec![
            ("group.id", self.group.as_str()),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            // At the default of a second, small records come in bursts with long pauses.
            ("fetch.queue.backoff.ms", "5"),
            ("fetch.wait.max.ms", "50"),
        ];
        // With the newer protocol both are the broker's to say, and librdkafka refuses them.
        if self.group_protocol() != Some("consumer") {
            defaults.extend([
                ("partition.assignment.strategy", "cooperative-sticky"),
                // A partition of a process that was killed waits this long for the next one.
                ("session.timeout.ms", "6000"),
                ("heartbeat.interval.ms", "2000"),
            ]);
        }
        self.kafka.consumer(&defaults)
    }

    fn group_protocol(&self) -> Option<&str> {
        let Settings {
            properties,
            consumer,
            ..
        } = &self.kafka;
        let protocol = consumer.get("group.protocol");
        let protocol = protocol.or_else(|| properties.get("group.protocol"));
        protocol.map(String::as_str)
    }

    /// Properties of a consumer that takes no part in the group.
    pub(crate) fn observer(&self) -> rdkafka::ClientConfig {
        self.kafka.consumer(&[
            ("group.id", &self.group),
            ("enable.auto.commit", "false"),
            ("enable.partition.eof", "true"),
            ("auto.offset.reset", "earliest"),
            ("fetch.wait.max.ms", "50"),
        ])
    }

    /// Properties of the producer of all effects.
    pub(crate) fn effect_producer(&self) -> rdkafka::ClientConfig {
        self.kafka.producer(&[
            ("acks", "all"),
            ("enable.idempotence", "true"),
            // A record is never given up: it waits for the broker to come back.
            ("message.timeout.ms", "0"),
            ("linger.ms", "1"),
            ("compression.type", "lz4"),
            // A record that the source took must fit into `.late` and `.dlq` with its new headers;
            // the topic's own limit is the broker's matter.
            ("message.max.bytes", "100000000"),
        ])
    }
}
