use super::Metrics;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{sync::atomic::AtomicU64, time::Duration};

/// Upper bounds of the time until Kafka's acknowledgement, in seconds.
const LATENCY_BOUNDS: [f64; 13] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// What waits for Kafka, and how long.
#[derive(Clone, Debug)]
pub(super) struct Spill {
    recovered: Counter,
    spilled: Counter,
    replayed: Counter,
    events: Gauge,
    bytes: Gauge,
    age: Gauge<f64, AtomicU64>,
    round_trip: Histogram,
    latency: Histogram,
}

/// What waits for Kafka now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Levels {
    /// Accepted events.
    pub(crate) queue_events: usize,
    /// Records of both topics, replayed ones too.
    pub(crate) queue_records: usize,
    /// Bytes of these records' keys and values.
    pub(crate) queue_bytes: usize,
    pub(crate) spill_events: usize,
    pub(crate) spill_bytes: u64,
    /// Since the oldest file of the spill was begun.
    pub(crate) spill_age: Duration,
}

impl Default for Spill {
    fn default() -> Self {
        Self {
            recovered: Counter::default(),
            spilled: Counter::default(),
            replayed: Counter::default(),
            events: Gauge::default(),
            bytes: Gauge::default(),
            age: Gauge::default(),
            round_trip: Histogram::new(LATENCY_BOUNDS),
            latency: Histogram::new(LATENCY_BOUNDS),
        }
    }
}

impl Spill {
    pub(super) fn register(&self, registry: &mut Registry) {
        let Self {
            recovered,
            spilled,
            replayed,
            events,
            bytes,
            age,
            round_trip,
            latency,
        } = self.clone();
        registry.register(
            "events_recovered",
            "Events found in the spill at start",
            recovered,
        );
        registry.register("spilled", "Accepted events that went to the spill", spilled);
        registry.register(
            "replayed",
            "Events from the spill that Kafka has acknowledged",
            replayed,
        );
        registry.register(
            "spill_events",
            "Accepted events that wait in the spill",
            events,
        );
        registry.register("spill_bytes", "Bytes of the spill", bytes);
        registry.register_with_unit(
            "spill_age",
            "Since the oldest file of the spill was begun",
            Unit::Seconds,
            age,
        );
        registry.register_with_unit(
            "kafka_round_trip",
            "From a request's first record to Kafka's acknowledgement of its last",
            Unit::Seconds,
            round_trip,
        );
        registry.register_with_unit(
            "event_latency",
            "From the taking of an event to Kafka's acknowledgement of all of its request; replayed events are not in it",
            Unit::Seconds,
            latency,
        );
    }
}

impl Metrics {
    /// Events were found in the spill at start.
    pub(crate) fn recovered(&self, events: usize) {
        self.spill.recovered.inc_by(events as u64);
    }

    /// Accepted events went to the spill.
    pub(crate) fn spilled(&self, events: usize) {
        self.spill.spilled.inc_by(events as u64);
    }

    /// Kafka has acknowledged an event from the spill.
    pub(crate) fn replayed(&self) {
        self.spill.replayed.inc();
    }

    /// Kafka has acknowledged everything of a request, which has brought so many events.
    pub(crate) fn round_trip(&self, took: Duration, events: usize) {
        let seconds = took.as_secs_f64();
        self.spill.round_trip.observe(seconds);
        for _ in 0..events {
            self.spill.latency.observe(seconds);
        }
    }

    /// What waits for Kafka now.
    pub(crate) fn levels(&self, levels: &Levels) {
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.queue_events.set(number(levels.queue_events));
        self.queue_records.set(number(levels.queue_records));
        self.queue_bytes.set(number(levels.queue_bytes));
        self.spill.events.set(number(levels.spill_events));
        self.spill
            .bytes
            .set(i64::try_from(levels.spill_bytes).unwrap_or(i64::MAX));
        self.spill.age.set(levels.spill_age.as_secs_f64());
    }
}
