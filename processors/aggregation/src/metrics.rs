//! Gauges of the streams, for each partition that this process has.

use crate::{local::Local, topology::Row};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

/// What streams and routes are like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    lag_records: Family<Place, Gauge>,
    lag_seconds: Family<Place, Seconds>,
    time: Family<Place, Seconds>,
    entries: Family<Place, Gauge>,
    bytes: Family<Place, Gauge>,
}

type Seconds = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    stream: String,
    topic: String,
    partition: i32,
}

impl Gauges {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let gauges = Self::default();
        let Self {
            lag_records,
            lag_seconds,
            time,
            entries,
            bytes,
        } = gauges.clone();
        registry.register(
            "stream_lag_records",
            "Records that a stream or a route has not counted yet",
            lag_records,
        );
        registry.register(
            "stream_lag_seconds",
            "Age of the oldest of them, by its timestamp",
            lag_seconds,
        );
        registry.register(
            "stream_time_seconds",
            "The event time that a stream has come to, since the Unix epoch",
            time,
        );
        registry.register(
            "stream_state_entries",
            "Panes, sessions and ids that a stream holds",
            entries,
        );
        registry.register(
            "stream_state_bytes",
            "Bytes of them in the changelog",
            bytes,
        );
        gauges
    }

    /// Says what is so now, of the partitions that this process has.
    pub(crate) fn refresh(&self, local: &Local) {
        let topology = local.topology();
        self.lag_records.clear();
        self.lag_seconds.clear();
        self.time.clear();
        self.entries.clear();
        self.bytes.clear();
        for stream in &topology.streams {
            self.set(&stream.name, &stream.partitions);
        }
        for route in &topology.routes {
            self.set(&route.name, &route.partitions);
        }
    }

    fn set(&self, stream: &str, rows: &[Row]) {
        for row in rows {
            let place = Place {
                stream: stream.to_owned(),
                topic: row.topic.clone(),
                partition: row.partition,
            };
            let count = |count| i64::try_from(count).unwrap_or(i64::MAX);
            if let Some(records) = row.lag_records {
                self.lag_records.get_or_create(&place).set(records);
            }
            if let Some(millis) = row.lag_ms {
                let seconds = self.lag_seconds.get_or_create(&place);
                seconds.set(seconds_of(count(millis)));
            }
            if let Some(millis) = row.stream_time {
                self.time.get_or_create(&place).set(seconds_of(millis));
            }
            if let Some(entries) = row.entries {
                self.entries.get_or_create(&place).set(count(entries));
            }
            if let Some(bytes) = row.bytes {
                self.bytes.get_or_create(&place).set(count(bytes));
            }
        }
    }
}

/// A double holds milliseconds exactly for 285,000 years.
fn seconds_of(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}
