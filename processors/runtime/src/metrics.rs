use crate::{clock, lag::Behind, places};
use footfall_task::{DeadLetterCode, Effects, Kind, Send};
use prometheus_client::{
    encoding::{EncodeLabelSet, LabelSetEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use rdkafka::error::RDKafkaErrorCode;
use std::{collections::BTreeMap, fmt, sync::atomic::AtomicU64};

/// What every processor counts.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(crate) records: Family<Topic, Counter>,
    outputs: Family<Stream, Counter>,
    late: Family<(Stream, Code), Counter>,
    duplicates: Family<Stream, Counter>,
    dead_letters: Family<DeadLetter, Counter>,
    repartitioned: Family<Stream, Counter>,
    changes: Family<Stream, Counter>,
    restored: Family<Restored, Counter>,
    pub(crate) store_bytes: Gauge,
    pub(crate) store_changes: Counter,
    pub(crate) store_failures: Counter,
    pub(crate) commits: Counter,
    pub(crate) failed_commits: Counter,
    pub(crate) failed_deliveries: Family<Topic, Counter>,
    read_errors: Family<ReadError, Counter>,
    pub(crate) deleted_records: Family<Place, Counter>,
    pub(crate) renewed_changelogs: Family<Topic, Counter>,
    pub(crate) restarts: Counter,
    lag: Family<Place, Gauge>,
    lag_seconds: Family<Place, Gauge<f64, AtomicU64>>,
    pub(crate) partitions: Gauge,
    pub(crate) table_rows: Family<Topic, Gauge>,
    pub(crate) table_bytes: Family<Topic, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Topic {
    pub(crate) topic: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Restored {
    topic: String,
    from: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Place {
    topic: String,
    partition: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stream {
    stream: String,
    topic: String,
    partition: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeadLetter {
    stream: String,
    topic: String,
    partition: i32,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadError {
    reader: &'static str,
    /// One of librdkafka's.
    code: String,
}

/// Why a record is set aside, when its windows have not refused it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Code(Option<&'static str>);

impl EncodeLabelSet for Code {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        let code = self.0.map(|code| ("code", code));
        code.as_slice().encode(encoder)
    }
}

/// What has come of a stream's records of one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Results written.
    pub outputs: u64,
    /// Records that one of their windows or more have refused, or whose time is too far ahead.
    pub late: u64,
    /// Records left out because their id had been seen.
    pub duplicates: u64,
    /// Records that could not be used.
    pub dead_letters: u64,
}

impl Metrics {
    /// Registers all of them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self {
            records,
            outputs,
            late,
            duplicates,
            dead_letters,
            repartitioned,
            changes,
            restored,
            store_bytes,
            store_changes,
            store_failures,
            commits,
            failed_commits,
            failed_deliveries,
            read_errors,
            deleted_records,
            renewed_changelogs,
            restarts,
            lag,
            lag_seconds,
            partitions,
            table_rows,
            table_bytes,
        } = metrics.clone();
        registry.register("records", "Records read", records);
        registry.register("outputs", "Results written", outputs);
        registry.register(
            "late",
            "Records that one of their windows refused, or whose time is too far ahead",
            late,
        );
        registry.register(
            "duplicates",
            "Records left out because their id had been seen",
            duplicates,
        );
        registry.register(
            "dead_letters",
            "Records that a stream cannot use",
            dead_letters,
        );
        registry.register(
            "repartitioned",
            "Records brought to the partition of their key",
            repartitioned,
        );
        registry.register("changes", "Changes of state written to changelogs", changes);
        registry.register(
            "restored",
            "Changes of state read back, from the changelog or from the local store",
            restored,
        );
        registry.register("store_bytes", "Size of the local store", store_bytes);
        registry.register(
            "store_changes",
            "Changes of state that the local store has followed",
            store_changes,
        );
        registry.register(
            "store_failures",
            "Times that the local store could not be used or written",
            store_failures,
        );
        registry.register("commits", "Commits of offsets", commits);
        registry.register(
            "failed_commits",
            "Commits of offsets that failed and are tried again",
            failed_commits,
        );
        registry.register(
            "failed_deliveries",
            "Records that Kafka refused and that are tried again",
            failed_deliveries,
        );
        registry.register("read_errors", "Errors that consumers have met", read_errors);
        registry.register(
            "deleted_records",
            "Records that Kafka had deleted before they were read, by their offsets",
            deleted_records,
        );
        registry.register(
            "renewed_changelogs",
            "Times that a changelog was missing or made anew although the group had counted",
            renewed_changelogs,
        );
        registry.register(
            "restarts",
            "Times that processing began anew after a failure",
            restarts,
        );
        registry.register("lag_records", "Records that are not committed yet", lag);
        registry.register(
            "lag_seconds",
            "Age of the oldest record that is not committed yet, by its timestamp",
            lag_seconds,
        );
        registry.register(
            "assigned_partitions",
            "Partitions that this process works on",
            partitions,
        );
        registry.register("table_rows", "Rows of a table that are held", table_rows);
        registry.register(
            "table_bytes",
            "What the rows of a table need, in bytes",
            table_bytes,
        );
        metrics
    }

    /// What has come of a stream's records of one partition since this process began.
    #[must_use]
    pub fn tally(&self, stream: &str, topic: &str, partition: i32) -> Tally {
        let labels = Stream {
            stream: stream.to_owned(),
            topic: topic.to_owned(),
            partition,
        };
        let late = [Code(None), Code(Some(Kind::TIME_AHEAD))].map(|code| {
            let counter = self.late.get(&(labels.clone(), code));
            counter.map_or(0, |counter| counter.get())
        });
        let count = |family: &Family<Stream, Counter>| {
            let counter = family.get(&labels);
            counter.map_or(0, |counter| counter.get())
        };
        let dead_letters = DeadLetterCode::ALL.iter().map(|code| {
            let labels = DeadLetter {
                stream: stream.to_owned(),
                topic: topic.to_owned(),
                partition,
                code: code.name(),
            };
            let counter = self.dead_letters.get(&labels);
            counter.map_or(0, |counter| counter.get())
        });
        Tally {
            outputs: count(&self.outputs),
            late: late.iter().sum(),
            duplicates: count(&self.duplicates),
            dead_letters: dead_letters.sum(),
        }
    }

    pub(crate) fn topic(topic: &str) -> Topic {
        Topic {
            topic: topic.to_owned(),
        }
    }

    pub(crate) fn place(topic: &str, partition: i32) -> Place {
        let topic = topic.to_owned();
        Place { topic, partition }
    }

    /// Counts changes of a changelog that are read back `from` somewhere.
    pub(crate) fn restored(&self, changelog: &str, from: &'static str) -> Counter {
        self.restored.get_or_create_owned(&Restored {
            topic: changelog.to_owned(),
            from,
        })
    }

    /// Counts an error of a consumer.
    pub(crate) fn read_error(&self, reader: &'static str, code: RDKafkaErrorCode) {
        let code = format!("{code:?}");
        let labels = ReadError { reader, code };
        self.read_errors.get_or_create(&labels).inc();
    }

    /// Says how far behind these partitions are, and no others.
    pub(crate) fn measured(&self, measured: &BTreeMap<places::Place, Behind>) {
        self.lag.clear();
        self.lag_seconds.clear();
        for ((topic, partition), behind) in measured {
            let lag = behind.at(clock::millis());
            let labels = Place {
                topic: topic.clone(),
                partition: *partition,
            };
            self.lag.get_or_create(&labels).set(lag.records);
            if let Some(age) = lag.age {
                let seconds = self.lag_seconds.get_or_create(&labels);
                seconds.set(age.as_secs_f64());
            }
        }
    }

    /// Counts effects that have been written, of this partition's records.
    pub(crate) fn count(&self, topic: &str, partition: i32, effects: &Effects) {
        // Most are like the one before.
        let alike = |one: &Send, next: &Send| (&one.stream, one.kind) == (&next.stream, next.kind);
        for sends in effects.sends.chunk_by(alike) {
            if let Some(first) = sends.first() {
                self.add((&first.stream, first.kind), topic, partition, sends.len());
            }
        }
        for counted in effects.counted.chunk_by(|one, next| one == next) {
            if let Some((stream, kind)) = counted.first() {
                self.add((stream, *kind), topic, partition, counted.len());
            }
        }
    }

    fn add(&self, (stream, kind): (&str, Kind), topic: &str, partition: i32, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let (stream, topic) = (stream.to_owned(), topic.to_owned());
        let family = match kind {
            Kind::Output => &self.outputs,
            Kind::Late | Kind::Ahead => {
                let code = (kind == Kind::Ahead).then_some(Kind::TIME_AHEAD);
                let labels = Stream {
                    stream,
                    topic,
                    partition,
                };
                let late = self.late.get_or_create(&(labels, Code(code)));
                late.inc_by(count);
                return;
            }
            Kind::Duplicate => &self.duplicates,
            Kind::Repartition => &self.repartitioned,
            Kind::Change => &self.changes,
            Kind::DeadLetter(code) => {
                let labels = DeadLetter {
                    stream,
                    topic,
                    partition,
                    code: code.name(),
                };
                self.dead_letters.get_or_create(&labels).inc_by(count);
                return;
            }
        };
        let labels = Stream {
            stream,
            topic,
            partition,
        };
        family.get_or_create(&labels).inc_by(count);
    }
}
