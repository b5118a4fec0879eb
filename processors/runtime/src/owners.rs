//! Who has which partition: the offset that a process commits carries the address at which it
//! answers (and where readers stand), so that every other one can read it from Kafka. This works with every protocol of
//! groups, and in transactions.

use crate::{
    places::{Owner, Place},
    reader::Reader,
    stand::{self, Stand},
};
use footfall_task::{Offset, Reader as Who};
use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext},
    error::KafkaResult,
};
use std::{collections::BTreeMap, time::Duration};

/// What the group knows of each place.
pub(crate) type Known = BTreeMap<Place, (Option<Offset>, Owner)>;

/// Adds an offset to those that are to be committed, with the address of who commits it and where
/// readers stand, as [`Stand::metadata`] has it.
///
/// # Errors
/// When the offset is none.
pub(crate) fn add(
    offsets: &mut TopicPartitionList,
    topic: &str,
    partition: i32,
    offset: Offset,
    metadata: &str,
) -> KafkaResult<()> {
    let mut added = offsets.add_partition(topic, partition);
    if !metadata.is_empty() {
        added.set_metadata(metadata);
    }
    added.set_offset(rdkafka::Offset::Offset(offset.0))
}

/// What the group knows of these places. `client` takes no part in the group, and does not wait for
/// transactions. Of `readers`, none must be missing from what is known of an offset, or it is none
/// that all of them have read to.
///
/// # Errors
/// When Kafka does not answer.
pub(crate) fn ask(
    client: &BaseConsumer<Reader>,
    places: impl Iterator<Item = Place>,
    readers: impl Fn(&str) -> Vec<Who>,
    timeout: Duration,
) -> KafkaResult<Known> {
    let committed = committed(client, places, timeout)?;
    let known = committed.elements().into_iter().map(|place| {
        let (address, stand) = Stand::read(place.metadata());
        let group = offset(place.offset());
        let owner = match (group, address) {
            (None, _) => Owner::Nobody,
            (Some(_), None) => Owner::Unknown,
            (Some(_), Some(address)) => Owner::At(address.into()),
        };
        // What a reader has not read yet is not counted yet; one that has not begun here, nothing.
        let has_new = stand::has_new(stand.as_ref(), &readers(place.topic()));
        let least = stand.and_then(|stand| stand.least());
        let known = (
            group
                .filter(|_| !has_new)
                .map(|group| least.map_or(group, |least| least.min(group))),
            owner,
        );
        ((place.topic().to_owned(), place.partition()), known)
    });
    Ok(known.collect())
}

/// Says that this process has these places, each with its metadata, of which it has not committed
/// anything yet. Places that
/// nobody has counted stay as they are: there is nothing to ask of them.
///
/// # Errors
/// When Kafka does not answer, or the group has moved on.
pub(crate) fn claim<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    places: &BTreeMap<Place, String>,
    timeout: Duration,
) -> KafkaResult<()> {
    let mut claimed = TopicPartitionList::new();
    for place in committed(consumer, places.keys().cloned(), timeout)?.elements() {
        let key = (place.topic().to_owned(), place.partition());
        if let (Some(offset), Some(metadata)) = (offset(place.offset()), places.get(&key))
            && place.metadata() != metadata
        {
            add(&mut claimed, &key.0, key.1, offset, metadata)?;
        }
    }
    if claimed.count() == 0 {
        return Ok(());
    }
    consumer.commit(&claimed, CommitMode::Sync)
}

/// The group's offsets of these places, with their metadata.
///
/// # Errors
/// When Kafka does not answer.
pub(crate) fn committed<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    places: impl Iterator<Item = Place>,
    timeout: Duration,
) -> KafkaResult<TopicPartitionList> {
    let mut wanted = TopicPartitionList::new();
    for (topic, partition) in places {
        wanted.add_partition(&topic, partition);
    }
    if wanted.count() == 0 {
        return Ok(wanted);
    }
    client.committed_offsets(wanted, timeout)
}

/// An offset that is committed, if it is one.
pub(crate) fn offset(committed: rdkafka::Offset) -> Option<Offset> {
    match committed {
        rdkafka::Offset::Offset(offset) => Some(Offset(offset)),
        rdkafka::Offset::Beginning
        | rdkafka::Offset::End
        | rdkafka::Offset::Stored
        | rdkafka::Offset::Invalid
        | rdkafka::Offset::OffsetTail(_) => None,
    }
}
