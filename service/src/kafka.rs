//! Kafka clients as the configuration describes them, and topics that are made when they are missing.

mod brief;
mod limits;
mod policies;
mod topics;

pub use brief::Brief;
pub use limits::{TopicLimits, topic_limits};
pub use policies::{Policy, cleanup_policies};
pub use topics::{CreateTopics, Error, NewTopic, create_missing};

use rdkafka::ClientConfig;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[kafka]`: where the brokers are, and librdkafka's properties.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Settings {
    /// `host:port[,host:port]`.
    pub brokers: String,
    /// For all clients.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// For consumers; they override `properties`.
    #[serde(default)]
    pub consumer: BTreeMap<String, String>,
    /// For producers; they override `properties`.
    #[serde(default)]
    pub producer: BTreeMap<String, String>,
}

impl Settings {
    /// A consumer's configuration: `defaults`, then the user's properties.
    #[must_use]
    pub fn consumer(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        self.client(defaults, &self.consumer)
    }

    /// A producer's configuration: Java's partitioner, `defaults`, then the user's properties.
    #[must_use]
    pub fn producer(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = self.client(&[("partitioner", "murmur2_random")], &BTreeMap::new());
        for (name, value) in defaults
            .iter()
            .copied()
            .chain(borrowed(&self.properties))
            .chain(borrowed(&self.producer))
        {
            config.set(name, value);
        }
        config
    }

    /// An admin client's configuration.
    #[must_use]
    pub fn admin(&self) -> ClientConfig {
        self.client(&[], &BTreeMap::new())
    }

    fn client(&self, defaults: &[(&str, &str)], own: &BTreeMap<String, String>) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", "footfall");
        // A client pauses for half of it between its first connections, too. Later ones back off.
        config.set("reconnect.backoff.ms", "20");
        for (name, value) in defaults
            .iter()
            .copied()
            .chain(borrowed(&self.properties))
            .chain(borrowed(own))
        {
            config.set(name, value);
        }
        config
    }
}

fn borrowed(properties: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}
