//! What Kafka may remove of the topics that are there, and what it must not.

use crate::topics::Partitions;
use footfall_service::kafka::{Error, Policy, Settings, cleanup_policies};
use footfall_task::{Cleanup, Internal, Source};
use std::collections::{BTreeMap, BTreeSet};

/// The `cleanup.policy` of each topic for which it matters.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    wanted: BTreeMap<String, Cleanup>,
    told: BTreeMap<String, Policy>,
}

impl Policies {
    pub(crate) fn of(sources: &[Source]) -> Self {
        let internal = sources.iter().flat_map(|source| &source.beside);
        let wanted = internal.filter(|internal| internal.cleanup != Cleanup::Any);
        Self {
            wanted: wanted
                .map(|internal| (internal.topic.to_string(), internal.cleanup))
                .collect(),
            told: BTreeMap::new(),
        }
    }

    /// Asks Kafka about the topics that are there and were not found right before.
    ///
    /// # Errors
    /// When no broker answers.
    pub(crate) async fn ask(
        &mut self,
        settings: &Settings,
        existing: &Partitions,
    ) -> Result<(), Error> {
        let open: BTreeSet<_> = self
            .wanted
            .iter()
            .filter(|(topic, cleanup)| {
                existing.contains_key(*topic) && !self.is_right(topic, **cleanup)
            })
            .map(|(topic, _)| topic.as_str())
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let open: Vec<_> = open.into_iter().collect();
        let told = cleanup_policies(settings, &open).await?;
        for (topic, policy) in &told {
            if let Policy::Untold(why) = policy {
                tracing::warn!(
                    topic,
                    why,
                    "kafka does not tell this topic's cleanup.policy"
                );
            }
        }
        self.told.extend(told);
        Ok(())
    }

    /// Forgets topics that are gone: what is made in their place may be another.
    pub(crate) fn forget_missing(&mut self, existing: &Partitions) {
        self.told.retain(|topic, _| existing.contains_key(topic));
    }

    /// Whether all is known that can be known of it.
    pub(crate) fn are_told(&self, topic: &str) -> bool {
        !self.wanted.contains_key(topic) || self.told.contains_key(topic)
    }

    /// What is wrong with a topic, if anything is, and the command that mends it.
    pub(crate) fn mistake(&self, internal: &Internal, brokers: &str) -> Option<String> {
        let topic = &*internal.topic;
        let Some(Policy::Is(found)) = self.told.get(topic) else {
            return None;
        };
        let (expected, why) = match internal.cleanup {
            _ if is_right(found, internal.cleanup) => return None,
            Cleanup::Any => return None,
            Cleanup::Replaced => ("compact", "it holds state, which must not go with time"),
            Cleanup::Old => ("delete", "records of one key count each for itself"),
        };
        Some(format!(
            "topic `{topic}` has `cleanup.policy={found}`, and must have `{expected}`, because {why}; mend it with \
             `kafka-configs.sh --bootstrap-server {brokers} --alter --entity-type topics --entity-name {topic} \
             --add-config cleanup.policy={expected}`"
        ))
    }

    /// What cannot be told is not asked again.
    fn is_right(&self, topic: &str, cleanup: Cleanup) -> bool {
        match self.told.get(topic) {
            Some(Policy::Is(found)) => is_right(found, cleanup),
            Some(Policy::Untold(_)) => true,
            None => false,
        }
    }
}

fn is_right(found: &str, cleanup: Cleanup) -> bool {
    let mut words = found.split(',').map(str::trim);
    match cleanup {
        Cleanup::Any => true,
        Cleanup::Replaced => found.trim() == "compact",
        Cleanup::Old => words.all(|word| word != "compact"),
    }
}

#[cfg(test)]
impl Policies {
    /// As if Kafka had said so.
    pub(crate) fn told(sources: &[Source], told: &[(&str, &str)]) -> Self {
        let told = told.iter();
        let told =
            told.map(|(topic, found)| ((*topic).to_owned(), Policy::Is((*found).to_owned())));
        Self {
            told: told.collect(),
            ..Self::of(sources)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn mistake(cleanup: Cleanup, found: &str) -> Option<String> {
        let internal = Internal {
            topic: "t".into(),
            cleanup,
            same_partitions: false,
        };
        let source = Source {
            topic: "in".into(),
            beside: vec![internal.clone()],
        };
        Policies::told(&[source], &[("t", found)]).mistake(&internal, "kafka:9092")
    }

    #[test]
    fn state_is_compacted_and_nothing_else() {
        assert_eq!(mistake(Cleanup::Replaced, "compact"), None);
        let expected = "topic `t` has `cleanup.policy=compact,delete`, and must have `compact`, because it holds state, \
             which must not go with time; mend it with `kafka-configs.sh --bootstrap-server kafka:9092 --alter \
             --entity-type topics --entity-name t --add-config cleanup.policy=compact`";
        let found = mistake(Cleanup::Replaced, "compact,delete");
        assert_eq!(found.as_deref(), Some(expected));
        for found in ["delete", "delete,compact", ""] {
            assert!(mistake(Cleanup::Replaced, found).is_some(), "{found}");
        }
    }

    #[test]
    fn records_that_count_each_for_itself_are_not_compacted() {
        for found in ["delete", ""] {
            assert_eq!(mistake(Cleanup::Old, found), None, "{found}");
        }
        for found in ["compact", "delete, compact"] {
            let mistake = mistake(Cleanup::Old, found).unwrap();
            assert!(
                mistake.ends_with("--add-config cleanup.policy=delete`"),
                "{mistake}"
            );
        }
    }

    #[test]
    fn what_is_anybodys_is_not_asked_for() {
        assert_eq!(mistake(Cleanup::Any, "compact"), None);
        let policies = Policies::default();
        assert!(policies.are_told("t"));
    }
}
