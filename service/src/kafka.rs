//! Kafka clients as the configuration describes them, and topics that are made when they are missing.

mod brief;
mod check;
mod names;
mod partition;
mod policies;
pub mod reach;
mod topics;

pub use brief::Brief;
pub use check::{Client, Kept, check};
pub use names::Kind;
pub use partition::partition_of;
pub use policies::{Policy, cleanup_policies};
pub use topics::{CreateTopics, Error, NewTopic, create_missing};

use names::{canonical, only_of};
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
        self.client(Kind::Consumer, defaults, &self.consumer)
    }

    /// A producer's configuration: Java's partitioner, `defaults`, then the user's properties.
    #[must_use]
    pub fn producer(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let defaults = [&[("partitioner", "murmur2_random")], defaults].concat();
        self.client(Kind::Producer, &defaults, &self.producer)
    }

    /// An admin client's configuration. Librdkafka takes it for a producer's.
    #[must_use]
    pub fn admin(&self) -> ClientConfig {
        self.client(Kind::Producer, &[], &BTreeMap::new())
    }

    fn client(
        &self,
        kind: Kind,
        defaults: &[(&str, &str)],
        own: &BTreeMap<String, String>,
    ) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", "footfall");
        // A client pauses for half of it between its first connections, too. Later ones back off.
        config.set("reconnect.backoff.ms", "20");
        let given = borrowed(&self.properties).chain(borrowed(own));
        for (name, value) in defaults.iter().copied().chain(given) {
            let name = canonical(name);
            // Of the properties for all, a client would warn about each that is not for its kind.
            if only_of(name).is_none_or(|only| only == kind) {
                config.set(name, value);
            }
        }
        config
    }
}

fn borrowed(properties: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}
