//! What topics take: how large records may be, and how far their times from the broker's clock.

use crate::watch::{Watched, pause};
use footfall_service::kafka::{TopicLimits, topic_limits};
use footfall_task::{Cleanup, Internal, Refused, Source};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const UNTIL_ALL_ARE_THERE: Duration = Duration::from_secs(1);
/// Somebody may change them.
const AFTERWARDS: Duration = Duration::from_mins(1);

/// The limits of the topics that a processor reads and writes, as far as Kafka has told them.
#[derive(Debug, Default)]
pub(crate) struct Limits(RwLock<BTreeMap<String, TopicLimits>>);

impl Limits {
    /// Remembers what Kafka has told.
    pub(crate) fn told(&self, told: BTreeMap<String, TopicLimits>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(told);
    }

    /// A topic's limits that a record has met, in words that follow a sentence; empty when nobody
    /// knows them.
    pub(crate) fn of(&self, topic: &str, refused: Refused) -> String {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(limits) = all.get(topic) else {
            return String::new();
        };
        match refused {
            Refused::TooLarge => format!(", whose `max.message.bytes` is {}", limits.max_bytes),
            Refused::Timestamp => format!(
                ", whose `message.timestamp.after.max.ms` is {} and `message.timestamp.before.max.ms` {}",
                limits.after_ms, limits.before_ms
            ),
            Refused::Record => format!(", whose `cleanup.policy` is {}", limits.cleanup),
        }
    }
}

/// Asks Kafka for the limits of all topics until `stop`, and says once of each topic that takes less
/// than its source.
pub(crate) async fn run(
    watched: Watched,
    sources: Vec<Source>,
    limits: Arc<Limits>,
    stop: CancellationToken,
) {
    let beside = sources.iter().flat_map(|source| &source.beside);
    let topics = sources.iter().map(|source| &source.topic);
    let topics: BTreeSet<_> = topics
        .chain(beside.map(|internal| &internal.topic))
        .collect();
    let mut warned = BTreeSet::new();
    let mut known = BTreeSet::new();
    while !stop.is_cancelled() {
        let there = topics
            .iter()
            .filter(|topic| watched.places.count(topic).is_some());
        let there: BTreeSet<_> = there.map(|topic| &***topic).collect();
        let is_new = !there.is_subset(&known);
        let asked: Vec<_> = there.iter().copied().collect();
        match topic_limits(&watched.config.kafka, &asked).await {
            Ok(told) => {
                for (topic, narrow) in narrower(&sources, &told, &watched.config.kafka.brokers) {
                    if warned.insert(topic) {
                        tracing::warn!("{narrow}");
                    }
                }
                limits.told(told);
                known = there;
            }
            Err(error) => tracing::debug!(%error, "asking for limits"),
        }
        let is_complete = known.len() == topics.len() && !is_new;
        pause(
            &stop,
            if is_complete {
                AFTERWARDS
            } else {
                UNTIL_ALL_ARE_THERE
            },
        )
        .await;
    }
}

/// The topics that may refuse what their source has taken, and the commands that mend them.
fn narrower(
    sources: &[Source],
    told: &BTreeMap<String, TopicLimits>,
    brokers: &str,
) -> Vec<(String, String)> {
    let pairs = sources
        .iter()
        .flat_map(|source| source.beside.iter().map(move |internal| (source, internal)));
    let narrow = pairs.filter_map(|(source, internal)| {
        let limits = told.get(&*source.topic)?;
        let settings = settings(limits, told.get(&*internal.topic)?, internal);
        let topic = internal.topic.to_string();
        let found = (!settings.is_empty()).then_some(settings.join(","))?;
        let text = format!(
            "topic `{topic}` may refuse what comes of records of `{}`; have it take them with \
             `kafka-configs.sh --bootstrap-server {brokers} --alter --entity-type topics --entity-name {topic} \
             --add-config {found}`",
            source.topic
        );
        Some((topic, text))
    });
    narrow.collect()
}

/// What must be set so that a topic takes what its source does. State is written in parts, at the
/// time of writing.
fn settings(source: &TopicLimits, found: &TopicLimits, internal: &Internal) -> Vec<String> {
    if internal.cleanup == Cleanup::Replaced {
        return Vec::new();
    }
    let mut settings = Vec::new();
    if found.max_bytes < source.max_bytes {
        settings.push(format!("max.message.bytes={}", source.max_bytes));
    }
    if found.has_broker_time && internal.cleanup == Cleanup::Old {
        settings.push("message.timestamp.type=CreateTime".to_owned());
    }
    if found.after_ms < source.after_ms {
        settings.push(format!(
            "message.timestamp.after.max.ms={}",
            source.after_ms
        ));
    }
    if found.before_ms < source.before_ms {
        settings.push(format!(
            "message.timestamp.before.max.ms={}",
            source.before_ms
        ));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn internal(topic: &str, cleanup: Cleanup) -> Internal {
        Internal {
            topic: topic.into(),
            cleanup,
            same_partitions: false,
        }
    }

    #[test]
    fn a_topic_that_takes_less_than_its_source_is_named_with_the_command_that_mends_it() {
        let source = Source {
            topic: "in".into(),
            beside: vec![
                internal("out", Cleanup::Any),
                internal("rekeyed", Cleanup::Old),
                internal("changelog", Cleanup::Replaced),
                internal("wide", Cleanup::Any),
            ],
        };
        let wide = TopicLimits {
            max_bytes: 3_000_000,
            ..TopicLimits::default()
        };
        let narrow = TopicLimits {
            after_ms: 60_000,
            ..TopicLimits::default()
        };
        let broker_time = TopicLimits {
            has_broker_time: true,
            ..wide.clone()
        };
        let told = [
            ("in", &wide),
            ("out", &narrow),
            ("rekeyed", &broker_time),
            ("changelog", &narrow),
            ("wide", &wide),
        ];
        let told = told.map(|(topic, limits)| (topic.to_owned(), limits.clone()));
        let found = narrower(&[source], &told.into(), "kafka:9092");
        let [out, rekeyed] = &*found else {
            panic!("{found:?}")
        };
        let expected = "topic `out` may refuse what comes of records of `in`; have it take them with \
             `kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name out \
             --add-config max.message.bytes=3000000,message.timestamp.after.max.ms=3600000`";
        assert_eq!(out.1, expected);
        assert!(
            rekeyed
                .1
                .ends_with("--add-config message.timestamp.type=CreateTime`")
        );
    }

    #[test]
    fn a_limit_that_was_met_is_told_if_it_is_known() {
        let limits = Limits::default();
        assert_eq!(limits.of("out", Refused::TooLarge), "");
        limits.told([("out".to_owned(), TopicLimits::default())].into());
        let said = limits.of("out", Refused::TooLarge);
        assert_eq!(said, ", whose `max.message.bytes` is 1048588");
    }
}
