//! Notices changelogs that are gone while the group's offsets are not, and those that were made anew.

use crate::{
    Metrics,
    native::admin::{TopicId, topic_ids},
    topics::Partitions,
    watch::TIMEOUT,
};
use footfall_task::{Cleanup, Source};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
};
use std::collections::BTreeMap;

/// What each changelog is.
pub(crate) type Ids = BTreeMap<String, TopicId>;

/// What is known of the changelogs.
#[derive(Debug)]
pub(crate) struct Changelogs {
    group: String,
    /// Each with its source and what it was when it was seen last.
    all: BTreeMap<String, Changelog>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Changelog {
    source: String,
    id: Option<TopicId>,
}

impl Changelogs {
    pub(crate) fn of(sources: &[Source], group: &str, metrics: &Metrics) -> Self {
        let pairs = sources.iter().flat_map(|source| {
            let beside = source.beside.iter();
            let changelogs = beside.filter(|internal| internal.cleanup == Cleanup::Replaced);
            changelogs.map(|internal| (internal.topic.to_string(), source.topic.to_string()))
        });
        let all = pairs.map(|(name, source)| (name, Changelog { source, id: None }));
        Self {
            group: group.to_owned(),
            all: all.collect(),
            metrics: metrics.clone(),
        }
    }

    /// Looks at those that are there, and tells of those that were made anew since the last look: their
    /// state is to be written once more.
    pub(crate) fn look<C: ConsumerContext>(
        &mut self,
        client: &BaseConsumer<C>,
        existing: &Partitions,
        is_mock: bool,
    ) -> Ids {
        if is_mock {
            return Ids::new();
        }
        let there = self.all.keys().filter(|name| existing.contains_key(*name));
        let there: Vec<_> = there.map(String::as_str).collect();
        let ids = match topic_ids(client.client(), &there, TIMEOUT) {
            Ok(ids) => ids,
            Err(error) => {
                tracing::debug!(%error, "asking which changelogs are there");
                return self.ids();
            }
        };
        for (name, id) in ids {
            let Some(changelog) = self.all.get_mut(&name) else {
                continue;
            };
            if changelog.id.replace(id).is_some_and(|before| before != id) {
                tracing::warn!(
                    "changelog `{name}` was deleted and made anew while this process ran; the state of its partitions \
                     here is written to it once more"
                );
                self.count(&name);
            }
        }
        self.ids()
    }

    fn ids(&self) -> Ids {
        let known = self.all.iter();
        let known = known.filter_map(|(name, changelog)| Some((name.clone(), changelog.id?)));
        known.collect()
    }

    /// Tells of those among `missing` whose group has counted already, unless this process has seen
    /// them: they are about to be made, and counts begin anew.
    pub(crate) fn tell_missing<'a, C: ConsumerContext>(
        &self,
        client: &BaseConsumer<C>,
        missing: impl Iterator<Item = &'a str>,
        existing: &Partitions,
    ) {
        for name in missing {
            let Some(changelog) = self.all.get(name).filter(|known| known.id.is_none()) else {
                continue;
            };
            let source = &changelog.source;
            let count = existing.get(source).copied().unwrap_or(0);
            if has_offsets(client, source, count) {
                self.count(name);
                tracing::warn!(
                    "changelog `{name}` does not exist, though group `{}` has offsets of `{source}`: state that it held \
                     is lost, and counts begin anew where the group stands (as they do for a stream that is new)",
                    self.group
                );
            }
        }
    }

    fn count(&self, name: &str) {
        let labels = Metrics::topic(name);
        self.metrics.renewed_changelogs.get_or_create(&labels).inc();
    }
}

/// Whether the client's group has committed anything of a topic.
fn has_offsets<C: ConsumerContext>(client: &BaseConsumer<C>, topic: &str, count: usize) -> bool {
    let mut wanted = TopicPartitionList::new();
    for partition in 0..i32::try_from(count).unwrap_or(i32::MAX) {
        wanted.add_partition(topic, partition);
    }
    let known = match client.committed_offsets(wanted, TIMEOUT) {
        Ok(known) => known,
        Err(error) => {
            tracing::debug!(%error, topic, "asking whether the group has counted");
            return false;
        }
    };
    let mut offsets = known.elements().into_iter().map(|place| place.offset());
    offsets.any(|offset| matches!(offset, Offset::Offset(at) if at > 0))
}
