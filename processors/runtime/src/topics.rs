//! Which topics there must be before a source can be read.

use footfall_service::kafka::NewTopic;
use footfall_task::Source;
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

/// Compares what must be there with what is.
pub(crate) fn survey(sources: &[Source], existing: &Partitions) -> Survey {
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
                    let compact = internal.compact;
                    survey.missing.push(NewTopic {
                        name,
                        like,
                        compact,
                    });
                }
                Some(&found) if internal.same_partitions && found < count => {
                    is_readable = false;
                    survey.reasons.push(format!(
                        "topic `{name}` has {found} partitions, and must have {count} as `{}` has; \
                         add some with `kafka-topics.sh --alter --topic {name} --partitions {count}`",
                        source.topic
                    ));
                }
                Some(_) => {}
            }
        }
        if is_readable {
            survey.readable.push(source.topic.to_string());
        }
    }
    survey
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_task::Internal;

    fn sources() -> Vec<Source> {
        let internal = |topic: &str, compact, same_partitions| Internal {
            topic: topic.into(),
            compact,
            same_partitions,
        };
        vec![
            Source {
                topic: "events".into(),
                beside: vec![
                    internal("out", false, false),
                    internal("rekeyed", false, false),
                ],
            },
            Source {
                topic: "rekeyed".into(),
                beside: vec![internal("changelog", true, true)],
            },
        ]
    }

    fn existing(topics: &[(&str, usize)]) -> Partitions {
        topics
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    }

    #[test]
    fn a_missing_source_is_waited_for_and_nothing_is_made() {
        let survey = survey(&sources(), &existing(&[]));
        assert_eq!(survey.reasons, ["source topic `events` does not exist yet"]);
        assert_eq!((survey.readable, survey.missing), (vec![], vec![]));
    }

    #[test]
    fn what_is_missing_beside_a_source_is_made_with_its_partitions() {
        let survey = survey(&sources(), &existing(&[("events", 3), ("out", 1)]));
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
        let survey = survey(&sources(), &existing(&topics));
        assert_eq!(survey.readable, ["events", "rekeyed"]);
        assert_eq!((survey.missing, survey.reasons), (vec![], vec![]));
    }

    #[test]
    fn a_changelog_with_too_few_partitions_is_refused() {
        let topics = [("events", 3), ("out", 1), ("rekeyed", 2), ("changelog", 1)];
        let survey = survey(&sources(), &existing(&topics));
        assert_eq!(survey.readable, ["events"]);
        assert!(
            survey.reasons[0].starts_with("topic `changelog` has 1 partitions, and must have 2")
        );
    }
}
