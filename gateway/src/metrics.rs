//! What the gateway counts.
//!
//! At any rest: `received + recovered = produced + rejected + dropped + queue_events + spill_events`.

mod edge;
mod spill;

pub use edge::{Lost, Turned};
pub(crate) use spill::Levels;

use crate::admission::Admitted;
use footfall_protocol::answer::Code;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::time::Duration;

/// Upper bounds of request durations, in seconds: fine where a healthy gateway is.
const DURATION_BOUNDS: [f64; 18] = [
    0.000_05, 0.000_1, 0.000_2, 0.000_3, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05,
    0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Handles to the metrics; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    received: Counter,
    produced: Counter,
    rejected: Family<CodeLabel, Counter>,
    dropped: Family<ReasonLabel, Counter>,
    rejected_lost: Counter,
    requests: Family<RequestLabels, Counter>,
    durations: Durations,
    queue_events: Gauge,
    queue_records: Gauge,
    queue_bytes: Gauge,
    spill: spill::Spill,
    edge: edge::Edge,
}

/// Why an accepted event did not reach Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The visitor does not want to be tracked.
    Privacy,
    /// Kafka refused it for good.
    DeliveryFailed,
    /// Kafka did not take it, and neither the spill nor memory had room for it.
    SpillFull,
    /// It lay in the spill and was damaged.
    SpillCorrupt,
    /// It was still waiting when the gateway had to stop.
    Shutdown,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

/// A histogram for each route.
#[derive(Clone, Debug)]
struct Durations(Family<RouteLabel, Histogram, fn() -> Histogram>);

impl Default for Durations {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| {
            Histogram::new(DURATION_BOUNDS)
        }))
    }
}

impl Durations {
    fn observe(&self, route: &str, after: Duration) {
        let label = RouteLabel {
            route: route.into(),
        };
        self.0.get_or_create(&label).observe(after.as_secs_f64());
    }
}

impl Dropped {
    const ALL: [Self; 5] = [
        Self::Privacy,
        Self::DeliveryFailed,
        Self::SpillFull,
        Self::SpillCorrupt,
        Self::Shutdown,
    ];

    const fn label(self) -> ReasonLabel {
        let reason = match self {
            Self::Privacy => "privacy",
            Self::DeliveryFailed => "delivery_failed",
            Self::SpillFull => "spill_full",
            Self::SpillCorrupt => "spill_corrupt",
            Self::Shutdown => "shutdown",
        };
        ReasonLabel { reason }
    }
}

impl Metrics {
    /// Makes the metrics and puts them into a registry, every known label with 0.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for code in Code::ALL {
            let code = code.as_str();
            metrics.rejected.get_or_create_owned(&CodeLabel { code });
        }
        for reason in Dropped::ALL {
            metrics.dropped.get_or_create_owned(&reason.label());
        }
        let Self {
            received,
            produced,
            rejected,
            dropped,
            rejected_lost,
            requests,
            durations: Durations(durations),
            queue_events,
            queue_records,
            queue_bytes,
            spill,
            edge,
        } = metrics.clone();
        edge.register(registry);
        spill.register(registry);
        registry.register(
            "events_received",
            "Events of every request that was taken",
            received,
        );
        registry.register(
            "events_produced",
            "Events that Kafka has acknowledged",
            produced,
        );
        registry.register(
            "events_rejected",
            "Events that were rejected, by code",
            rejected,
        );
        registry.register(
            "events_dropped",
            "Events that were accepted and not kept, by reason",
            dropped,
        );
        registry.register(
            "rejected_records_lost",
            "Records of rejected events that Kafka did not take",
            rejected_lost,
        );
        registry.register("requests", "Requests by route, status and code", requests);
        registry.register_with_unit(
            "request_duration",
            "From a request's head to its answer, by route",
            Unit::Seconds,
            durations,
        );
        registry.register(
            "queue_events",
            "Accepted events that wait for Kafka",
            queue_events,
        );
        registry.register(
            "queue_records",
            "Records of both topics that wait for Kafka, replayed ones too",
            queue_records,
        );
        registry.register(
            "queue_bytes",
            "Bytes of keys and values that wait for Kafka",
            queue_bytes,
        );
        metrics
    }

    /// A request was taken.
    pub fn taken(&self, admitted: &Admitted<'_>) {
        let events = admitted.accepted.len() + admitted.rejected.len();
        self.received.inc_by(events as u64);
        for rejection in &admitted.rejected {
            let code = rejection.code.as_str();
            self.rejected.get_or_create(&CodeLabel { code }).inc();
        }
    }

    /// Kafka has acknowledged an event.
    pub fn produced(&self) {
        self.produced.inc();
    }

    /// Accepted events will not reach Kafka.
    pub fn dropped(&self, reason: Dropped, events: usize) {
        let counter = self.dropped.get_or_create(&reason.label());
        counter.inc_by(events as u64);
    }

    /// Records of rejected events will not reach Kafka.
    pub fn rejected_lost(&self, records: usize) {
        self.rejected_lost.inc_by(records as u64);
    }

    /// A request was answered, so long after its head was there.
    pub fn answered(&self, route: &str, status: u16, code: &'static str, after: Duration) {
        self.durations.observe(route, after);
        let labels = RequestLabels {
            route: route.into(),
            status,
            code,
        };
        self.requests.get_or_create(&labels).inc();
    }
}
