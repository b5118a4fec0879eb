use footfall_task::{Effects, Kind};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::collections::BTreeMap;

/// What every processor counts.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(crate) records: Family<Topic, Counter>,
    outputs: Family<Stream, Counter>,
    late: Family<Stream, Counter>,
    duplicates: Family<Stream, Counter>,
    dead_letters: Family<DeadLetter, Counter>,
    repartitioned: Family<Stream, Counter>,
    changes: Family<Stream, Counter>,
    pub(crate) restored: Family<Topic, Counter>,
    pub(crate) commits: Counter,
    pub(crate) failed_commits: Counter,
    pub(crate) failed_deliveries: Family<Topic, Counter>,
    pub(crate) restarts: Counter,
    pub(crate) lag: Family<Place, Gauge>,
    pub(crate) partitions: Gauge,
    pub(crate) table_rows: Family<Topic, Gauge>,
    pub(crate) table_bytes: Family<Topic, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Topic {
    pub(crate) topic: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Place {
    pub(crate) topic: String,
    pub(crate) partition: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stream {
    stream: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeadLetter {
    stream: String,
    code: &'static str,
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
            commits,
            failed_commits,
            failed_deliveries,
            restarts,
            lag,
            partitions,
            table_rows,
            table_bytes,
        } = metrics.clone();
        registry.register("records", "Records read", records);
        registry.register("outputs", "Results written", outputs);
        registry.register("late", "Records that one of their windows refused", late);
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
            "Changes of state read from changelogs",
            restored,
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
        registry.register(
            "restarts",
            "Times that processing began anew after a failure",
            restarts,
        );
        registry.register("lag_records", "Records that are not committed yet", lag);
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

    pub(crate) fn topic(topic: &str) -> Topic {
        Topic {
            topic: topic.to_owned(),
        }
    }

    /// Counts effects that have been written.
    pub(crate) fn count(&self, effects: &Effects) {
        let sent = effects.sends.iter().map(|send| (&*send.stream, send.kind));
        let counted = effects
            .counted
            .iter()
            .map(|(stream, kind)| (&**stream, *kind));
        let mut counts = BTreeMap::<_, u64>::new();
        for effect in sent.chain(counted) {
            *counts.entry(effect).or_default() += 1;
        }
        for ((stream, kind), count) in counts {
            let stream = stream.to_owned();
            let family = match kind {
                Kind::Output => &self.outputs,
                Kind::Late => &self.late,
                Kind::Duplicate => &self.duplicates,
                Kind::Repartition => &self.repartitioned,
                Kind::Change => &self.changes,
                Kind::DeadLetter(code) => {
                    let labels = DeadLetter { stream, code };
                    self.dead_letters.get_or_create(&labels).inc_by(count);
                    continue;
                }
            };
            family.get_or_create(&Stream { stream }).inc_by(count);
        }
    }
}
