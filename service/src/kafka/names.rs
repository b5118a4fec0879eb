//! Librdkafka's names of properties: which mean the same, and which are of one kind of client only.

/// Whom a property is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Consumers.
    Consumer,
    /// Producers.
    Producer,
}

/// The name that is used here, of those that mean the same. Without it, the value of a default and the user's could stand
/// under two names, and whichever is set last would hold.
pub(super) fn canonical(name: &str) -> &str {
    match name {
        "metadata.broker.list" => "bootstrap.servers",
        "max.in.flight" => "max.in.flight.requests.per.connection",
        "sasl.mechanisms" => "sasl.mechanism",
        "fetch.message.max.bytes" => "max.partition.fetch.bytes",
        "queue.buffering.max.ms" => "linger.ms",
        "message.send.max.retries" => "retries",
        "compression.codec" => "compression.type",
        "request.required.acks" => "acks",
        "delivery.timeout.ms" => "message.timeout.ms",
        "auto.commit.enable" => "enable.auto.commit",
        other => other,
    }
}

/// The only kind of client that a property, by its canonical name, says something to; `None`: all, or it does not exist.
/// After librdkafka's `CONFIGURATION.md`.
pub(super) fn only_of(name: &str) -> Option<Kind> {
    let has = |names: &[&str]| names.contains(&name);
    if has(OF_CONSUMERS) {
        Some(Kind::Consumer)
    } else if has(OF_PRODUCERS) {
        Some(Kind::Producer)
    } else {
        None
    }
}

const OF_CONSUMERS: &[&str] = &[
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "check.crcs",
    "consume.callback.max.messages",
    "coordinator.query.interval.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "partition.assignment.strategy",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "session.timeout.ms",
];

const OF_PRODUCERS: &[&str] = &[
    "acks",
    "batch.num.messages",
    "batch.size",
    "compression.level",
    "compression.type",
    "delivery.report.only.error",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "linger.ms",
    "message.timeout.ms",
    "partitioner",
    "produce.offset.report",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queuing.strategy",
    "request.timeout.ms",
    "retries",
    "sticky.partitioning.linger.ms",
    "transaction.timeout.ms",
    "transactional.id",
];
