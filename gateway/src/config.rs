//! The gateway's configuration.

mod keys;
mod read;
#[cfg(test)]
mod tests;

pub use keys::PROGRAM;

use crate::{
    client::{AddressForm, ForwardedHeader, Proxies},
    hot_key,
    privacy::Policy,
    sites::Sites,
};
use footfall_service::{
    config::duration,
    kafka::{CreateTopics, Settings},
};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// Everything the gateway can be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// `host:port` of the main listener.
    pub listen: String,
    /// `host:port` of the listener for `/metrics`, if that is a second one.
    pub admin: Option<String>,
    /// What an answer promises.
    pub ack: Ack,
    /// How long an answer waits for Kafka's acknowledgement, with [`Ack::Delivered`].
    pub ack_timeout: Duration,
    /// Where events go.
    pub kafka: Kafka,
    /// Where events wait while Kafka is away.
    pub spill: Spill,
    /// Whether and how topics are made.
    pub topics: CreateTopics,
    /// What a request may be.
    pub limits: Limits,
    /// How the gateway stops.
    pub drain: Drain,
    /// What happens to events of visitors who do not want to be tracked.
    pub privacy: Policy,
    /// How addresses are kept.
    pub ip: AddressForm,
    /// Whose word on a visitor's address counts.
    pub proxies: Proxies,
    /// Who may send.
    pub sites: Sites,
}

/// `[kafka]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Kafka {
    /// Brokers and librdkafka's properties.
    #[serde(flatten)]
    pub settings: Settings,
    /// Takes accepted events.
    pub topic: String,
    /// Takes rejected events.
    pub rejected_topic: String,
    /// The most bytes of keys and values that wait for Kafka.
    pub queue: usize,
    /// From when on a key's events are spread over partitions.
    #[serde(skip)]
    pub hot_key: hot_key::Limits,
}

/// What a request is answered after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ack {
    /// Every accepted event is in the bounded queue or in the spill.
    Enqueued,
    /// Kafka has acknowledged every event.
    Delivered,
}

/// `[spill]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Spill {
    /// The folder; without it there is no spill.
    pub dir: Option<PathBuf>,
    /// The most bytes in it.
    pub max_bytes: u64,
    /// How often it is made safe against a loss of power.
    #[serde(deserialize_with = "duration")]
    pub sync_interval: Duration,
}

/// `[limits]`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Limits {
    /// The longest body, in bytes.
    pub body: usize,
    /// The longest event as sent, in bytes.
    pub event: usize,
}

/// `[drain]`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Drain {
    /// How long the gateway still takes requests after it has said that it is not ready.
    #[serde(deserialize_with = "duration")]
    pub delay: Duration,
    /// How long what is under way may take after that.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
}

/// The file's own shape, before what must be read further has been read.
#[derive(Deserialize)]
struct Raw {
    listen: String,
    admin: Option<String>,
    ack: Ack,
    #[serde(deserialize_with = "duration")]
    ack_timeout: Duration,
    kafka: Kafka,
    spill: Spill,
    hot_key: hot_key::Limits,
    topics: CreateTopics,
    limits: Limits,
    drain: Drain,
    privacy: Privacy,
    ip: AddressForm,
    #[serde(default)]
    trusted_proxies: Vec<String>,
    forwarded_header: ForwardedHeader,
    #[serde(default)]
    sites: Vec<RawSite>,
}

#[derive(Deserialize)]
struct Privacy {
    policy: Policy,
}

#[derive(Deserialize)]
struct RawSite {
    write_key: String,
    origins: Option<Vec<String>>,
}
