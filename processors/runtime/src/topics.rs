//! Which topics there must be before a source can be read.

use crate::policies::Policies;
use footfall_service::kafka::NewTopic;
use footfall_task::{Cleanup, Source};
use std::collections::BTreeMap;

/// How many partitions each existing topic has.
pub(crate) type Partitions = BTreeMap<String, usize>;

/// What there is to do about the sources.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Sources that can be read now.
    pub(crate) readable: Vec<String>,
    /// Topics that are missing beside sources that exist.
    pub(crate) missing: Vec<NewTopic>,
    /// Why the other sources cannot be read.
    pub(crate) reasons: Vec<String>,
}

/// Compares what must be there with what is; `brokers` is for the commands that mend it.
pub(crate) fn survey(
    sources: &[Source],
    existing: &Partitions,
    policies: &Policies,
    brokers: &str,
) -> Survey {
    let mut survey = Survey::default();
    let made_beside = |topic: &str| {
        let mut beside = sources.iter().flat_map(|source| &source.beside);
        beside.any(|internal| *internal.topic == *topic)
    };
    for source in sources {
        let Some(&count) = existing.get(&*source.topic) else {
            // One that is written by this processor itself is missing beside its own source.
            if !made_beside(&source.topic) {
                survey.reasons.push(format!(
                    "source topic `{}` does not exist yet",
                    source.topic
                ));
            }
            continue;
        };
        let mut is_readable = true;
        for internal in &source.beside {
            let name = internal.topic.to_string();
            match existing.get(&name) {
                None => {
                    is_readable = false;
                    let like = Some(source.topic.to_string());
                    let compact = internal.cleanup == Cleanup::Replaced;
                    survey.missing.push(NewTopic {
                        name,
                        like,
                        compact,
                    });
                }
                Some(&found) if internal.same_partitions && found < count => {
                    is_readable = false;
                    survey
                        .reasons
                        .push(too_few(&name, found, count, &source.topic, brokers));
                }
                Some(_) if !policies.are_told(&name) => is_readable = false,
                Some(_) => {
                    let wrong = policies.mistake(internal, brokers);
                    is_readable &= wrong.is_none();
                    survey.reasons.extend(wrong);
                }
            }
        }
        if is_readable {
            survey.readable.push(source.topic.to_string());
        }
    }
    survey
}

fn too_few(topic: &str, found: usize, count: usize, source: &str, brokers: &str) -> String {
    format!(
        "topic `{topic}` has {found} partitions, and must have {count} as `{source}` has; add some with \
         `kafka-topics.sh --bootstrap-server {brokers} --alter --topic {topic} --partitions {count}`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_task::Internal;

    fn sources() -> Vec<Source> {
        let internal = |topic: &str, cleanup, same_partitions| Internal {
            topic: topic.into(),
            cleanup,
            same_partitions,
        };
        vec![
            Source {
                topic: "events".into(),
                beside: vec![
                    internal("out", Cleanup::Any, false),
                    internal("rekeyed", Cleanup::Old, false),
                ],
            },
            Source {
                topic: "rekeyed".into(),
                beside: vec![internal("changelog", Cleanup::Replaced, true)],
            },
        ]
    }

    fn existing(topics: &[(&str, usize)]) -> Partitions {
        topics
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    }

    fn surveyed(existing: &Partitions) -> Survey {
        let policies = [("rekeyed", "delete"), ("changelog", "compact")];
        let policies = Policies::told(&sources(), &policies);
        survey(&sources(), existing, &policies, "kafka:9092")
    }

    #[test]
    fn a_missing_source_is_waited_for_and_nothing_is_made() {
        let survey = surveyed(&existing(&[]));
        assert_eq!(survey.reasons, ["source topic `events` does not exist yet"]);
        assert_eq!((survey.readable, survey.missing), (vec![], vec![]));
    }

    #[test]
    fn what_is_missing_beside_a_source_is_made_with_its_partitions() {
        let survey = surveyed(&existing(&[("events", 3), ("out", 1)]));
        let rekeyed = NewTopic {
            name: "rekeyed".into(),
            like: Some("events".into()),
            compact: false,
        };
        assert_eq!(survey.missing, [rekeyed]);
        assert!(survey.readable.is_empty());
    }

    #[test]
    fn a_source_is_readable_when_all_beside_it_is_there() {
        let topics = [("events", 3), ("out", 1), ("rekeyed", 2), ("changelog", 2)];
        let survey = surveyed(&existing(&topics));
        assert_eq!(survey.readable, ["events", "rekeyed"]);
        assert_eq!((survey.missing, survey.reasons), (vec![], vec![]));
    }

    #[test]
    fn a_changelog_with_too_few_partitions_is_refused() {
        let topics = [("events", 3), ("out", 1), ("rekeyed", 2), ("changelog", 1)];
        let survey = surveyed(&existing(&topics));
        assert_eq!(survey.readable, ["events"]);
        let expected = "topic `changelog` has 1 partitions, and must have 2 as `rekeyed` has; add some with \
             `kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic changelog --partitions 2`";
        assert_eq!(survey.reasons, [expected]);
    }

    #[test]
    fn a_source_whose_topics_lose_what_they_must_keep_is_refused() {
        let topics = [("events", 3), ("out", 1), ("rekeyed", 2), ("changelog", 2)];
        let policies = [("rekeyed", "compact"), ("changelog", "delete")];
        let policies = Policies::told(&sources(), &policies);
        let survey = survey(&sources(), &existing(&topics), &policies, "kafka:9092");
        assert!(survey.readable.is_empty());
        let [rekeyed, changelog] = &*survey.reasons else {
            panic!("{survey:?}")
        };
        assert!(rekeyed.contains("cleanup.policy=compact`, and must have `delete`"));
        assert!(changelog.contains("cleanup.policy=delete`, and must have `compact`"));
    }

    #[test]
    fn a_source_is_not_read_before_kafka_has_told_of_its_topics() {
        let topics = [("events", 3), ("out", 1), ("rekeyed", 2), ("changelog", 2)];
        let policies = Policies::told(&sources(), &[("changelog", "compact")]);
        let survey = survey(&sources(), &existing(&topics), &policies, "kafka:9092");
        assert_eq!(survey.readable, ["rekeyed"]);
        assert!(survey.reasons.is_empty());
    }
}
