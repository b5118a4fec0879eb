//! The gateway's configuration.

#[cfg(test)]
mod documentation;
mod kept;
mod keys;
mod read;
#[cfg(test)]
mod tests;

pub use keys::PROGRAM;

use crate::{
    client::{AddressForm, ForwardedHeader, Proxies},
    hot_key,
    http::{privacy::Statement, sdk},
    otlp::Otlp,
    privacy::Policy,
    server,
    sites::Sites,
};
use footfall_service::{
    config::{Document, duration, optional_duration},
    kafka::{CreateTopics, Settings},
};
use serde::Deserialize;
use std::{num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};

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
    /// What happens to events of visitors who do not want to be tracked, and what visitors are told.
    pub privacy: Statement,
    /// How addresses are kept.
    pub ip: AddressForm,
    /// Whose word on a visitor's address counts.
    pub proxies: Proxies,
    /// What a connection may be.
    pub server: server::Options,
    /// Whether answers say how long what took.
    pub server_timing: bool,
    /// Where spans of requests go, if anywhere.
    pub otlp: Option<Otlp>,
    /// The SDK's files, if they are served.
    pub sdk: Option<Arc<sdk::Files>>,
    /// Who may send.
    pub sites: Sites,
    /// What all this was read from.
    pub document: Document,
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
    /// The longest body as sent, in bytes.
    pub body: usize,
    /// The longest body once it is decompressed, in bytes.
    pub decompressed: usize,
    /// The most memory of all bodies together, in bytes.
    pub bodies: usize,
    /// The longest event as sent, in bytes.
    pub event: usize,
    /// The longest context of a batch as sent, in bytes.
    pub context: usize,
    /// The longest head of a request, in bytes.
    pub headers: usize,
    /// The most connections at a time.
    pub connections: usize,
    /// How long a head may take.
    #[serde(deserialize_with = "duration")]
    pub header_timeout: Duration,
    /// How long a body may take.
    #[serde(deserialize_with = "duration")]
    pub body_timeout: Duration,
    /// How long a connection may be quiet.
    #[serde(deserialize_with = "duration")]
    pub idle_timeout: Duration,
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
    hot_key: hot_key::Limits,
    spill: Spill,
    topics: CreateTopics,
    limits: Limits,
    drain: Drain,
    privacy: Privacy,
    ip: AddressForm,
    #[serde(default)]
    trusted_proxies: Vec<String>,
    forwarded_header: ForwardedHeader,
    proxy_protocol: bool,
    server_timing: bool,
    otlp: RawOtlp,
    #[serde(default)]
    tls: RawTls,
    #[serde(default)]
    sdk: RawSdk,
    #[serde(default)]
    sites: Vec<RawSite>,
}

#[derive(Deserialize)]
struct Privacy {
    policy: Policy,
    #[serde(default)]
    purposes: Vec<String>,
    #[serde(default, deserialize_with = "optional_duration")]
    retention: Option<Duration>,
}

#[derive(Deserialize)]
struct RawOtlp {
    endpoint: Option<String>,
    sample: f64,
}

#[derive(Default, Deserialize)]
struct RawTls {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
struct RawSdk {
    dir: Option<PathBuf>,
}

#[derive(Deserialize)]
struct RawSite {
    write_key: String,
    origins: Option<Vec<String>>,
    rate: Option<NonZeroU32>,
    burst: Option<NonZeroU32>,
}
