use super::Metrics;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{sync::atomic::AtomicU64, time::Duration};

/// Upper bounds of the time until Kafka's acknowledgement, in seconds.
const ROUND_TRIP_BOUNDS: [f64; 13] = [
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
}

/// What waits for Kafka now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Levels {
    pub(crate) queue_events: usize,
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
            round_trip: Histogram::new(ROUND_TRIP_BOUNDS),
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

    /// Kafka has acknowledged everything of a request.
    pub(crate) fn round_trip(&self, took: Duration) {
        self.spill.round_trip.observe(took.as_secs_f64());
    }

    /// What waits for Kafka now.
    pub(crate) fn levels(&self, levels: &Levels) {
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.queue_events.set(number(levels.queue_events));
        self.queue_bytes.set(number(levels.queue_bytes));
        self.spill.events.set(number(levels.spill_events));
        self.spill
            .bytes
            .set(i64::try_from(levels.spill_bytes).unwrap_or(i64::MAX));
        self.spill.age.set(levels.spill_age.as_secs_f64());
    }
}
