//! Where partitions are read from once their state is there: each of those who read a topic begins at
//! its own place, and nobody is moved for another.

use super::assignment::Assignment;
use crate::{
    owners,
    places::Place,
    stand::{Found, Id, Known, Stand},
};
use anyhow::Context as _;
use footfall_task::{Offset, Reader, Start};
use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
};
use std::{collections::BTreeMap, time::Duration};

/// Where a partition is read from.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// The group's offset, if it has one.
    pub(super) group: Option<Offset>,
    /// Who stands elsewhere.
    pub(super) stand: Stand,
    /// Where the consumer must be told to read from.
    pub(super) seek: Option<Offset>,
}

/// Finds out what Kafka knows of partitions, and has it know where readers begin that begin now.
pub(super) struct Placing<'a> {
    pub(super) consumer: &'a BaseConsumer<Assignment>,
    pub(super) address: Option<&'a str>,
    /// How long Kafka may take for one answer.
    pub(super) patience: Duration,
    /// Whether the consumer begins at the earliest record by itself, where the group has not been.
    pub(super) resets_to_earliest: bool,
}

impl Placing<'_> {
    /// Where each of these partitions is read from; `readers` are those of a topic.
    ///
    /// # Errors
    /// When Kafka does not answer, or the group has moved on.
    pub(super) fn place(
        &self,
        places: &[Place],
        readers: impl Fn(&str) -> Vec<Reader>,
    ) -> anyhow::Result<BTreeMap<Place, Placed>> {
        let mut begun = TopicPartitionList::new();
        let mut placed = BTreeMap::new();
        for (place, group) in self.committed(places)? {
            let readers = readers(&place.0);
            let found = self.found(&place, group, &readers)?;
            let (was_known, has_new) = (found.group.is_some(), found.has_new(&readers));
            let (offset, stand) = found.begin(&readers, place.1);
            // What begins at the end would begin elsewhere after a crash.
            let is_said = has_new && readers.iter().any(|reader| reader.start == Start::Latest);
            if is_said {
                let metadata = stand.metadata(self.address);
                owners::add(&mut begun, &place.0, place.1, offset, &metadata)?;
            }
            let by_itself = was_known || (!is_said && self.resets_to_earliest);
            let one = Placed {
                group: (was_known || is_said).then_some(offset),
                stand,
                seek: (!by_itself).then_some(offset),
            };
            placed.insert(place, one);
        }
        if begun.count() > 0 {
            let told = self.consumer.commit(&begun, CommitMode::Sync);
            told.context("tell the group where streams begin")?;
        }
        Ok(placed)
    }

    fn committed(&self, places: &[Place]) -> anyhow::Result<BTreeMap<Place, Known>> {
        let places = places.iter().cloned();
        let known = owners::committed(self.consumer, places, self.patience);
        let known = known.context("ask the group for its offsets")?;
        let known = known.elements().into_iter().map(|place| {
            let group = owners::offset(place.offset());
            let group = group.map(|offset| (offset, Stand::read(place.metadata()).1));
            ((place.topic().to_owned(), place.partition()), group)
        });
        Ok(known.collect())
    }

    fn found(
        &self,
        (topic, partition): &Place,
        group: Known,
        readers: &[Reader],
    ) -> anyhow::Result<Found> {
        let mut found = Found {
            group,
            ends: (Offset(0), Offset(0)),
            partitions: 0,
            began: BTreeMap::new(),
        };
        let needs_ends =
            found.has_new(readers) || (found.group.is_none() && !self.resets_to_earliest);
        if !needs_ends {
            return Ok(found);
        }
        let ends = self
            .consumer
            .fetch_watermarks(topic, *partition, self.patience);
        let (first, end) = ends.with_context(|| format!("find the ends of topic `{topic}`"))?;
        found.ends = (Offset(first), Offset(end));
        if readers.iter().any(|reader| reader.start == Start::Latest) {
            (found.partitions, found.began) = self.began(topic)?;
        }
        Ok(found)
    }

    /// How many partitions a topic has, and had when readers began at its end.
    fn began(&self, topic: &str) -> anyhow::Result<(i32, BTreeMap<Id, i32>)> {
        let metadata = self.consumer.fetch_metadata(Some(topic), self.patience)?;
        let topics = metadata.topics().iter();
        let count = topics.map(|topic| topic.partitions().len()).max();
        let count = i32::try_from(count.unwrap_or(0)).unwrap_or(i32::MAX);
        let all: Vec<_> = (0..count)
            .map(|number| (topic.to_owned(), number))
            .collect();
        let committed = self.committed(&all)?;
        let stands = committed
            .values()
            .flatten()
            .filter_map(|(_, stand)| stand.as_ref());
        Ok((count, stands.flat_map(Stand::began).collect()))
    }
}
