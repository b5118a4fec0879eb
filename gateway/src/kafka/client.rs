//! How Kafka's client is configured.

use crate::config;
use rdkafka::ClientConfig;
use std::time::Duration;

/// What a record holds besides an event as sent: the envelope, the context, the field names.
const RECORD_OVERHEAD: usize = 64 * 1024;

/// For how long the client tries a record; `None`: for ever.
pub(super) fn message_timeout(client: &ClientConfig) -> Option<Duration> {
    let names = ["message.timeout.ms", "delivery.timeout.ms"];
    // Two names for the same; the default is 0.
    let set = names
        .iter()
        .filter_map(|name| client.get(name)?.parse().ok());
    let millis: u64 = set.max()?;
    (millis > 0).then(|| Duration::from_millis(millis))
}

/// How long the client waits for a batch to fill.
pub(super) fn linger(client: &ClientConfig) -> Duration {
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
