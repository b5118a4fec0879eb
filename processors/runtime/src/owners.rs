//! Who has which partition: the offset that a process commits carries the address at which it
//! answers, so that every other one can read it from Kafka. This works with every protocol of
//! groups, and in transactions.

use crate::{
    places::{Owner, Place},
    reader::Reader,
};
use footfall_task::Offset;
use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext},
    error::KafkaResult,
};
use std::{collections::BTreeMap, time::Duration};

/// What the group knows of each place.
pub(crate) type Known = BTreeMap<Place, (Option<Offset>, Owner)>;

/// Adds an offset to those that are to be committed, with the address of who commits it.
///
/// # Errors
/// When the offset is none.
pub(crate) fn add(
    offsets: &mut TopicPartitionList,
    topic: &str,
    partition: i32,
    offset: Offset,
    address: Option<&str>,
) -> KafkaResult<()> {
    let mut added = offsets.add_partition(topic, partition);
    if let Some(address) = address {
        added.set_metadata(address);
    }
    added.set_offset(rdkafka::Offset::Offset(offset.0))
}

/// What the group knows of these places. `client` takes no part in the group, and does not wait for
/// transactions.
///
/// # Errors
/// When Kafka does not answer.
pub(crate) fn ask(
    client: &BaseConsumer<Reader>,
    places: impl Iterator<Item = Place>,
    timeout: Duration,
) -> KafkaResult<Known> {
    let committed = committed(client, places, timeout)?;
    let known = committed.elements().into_iter().map(|place| {
        let offset = offset(place.offset());
        let owner = match (offset, place.metadata()) {
            (None, _) => Owner::Nobody,
            (Some(_), "") => Owner::Unknown,
            (Some(_), address) => Owner::At(address.into()),
        };
        let known = (offset, owner);
        ((place.topic().to_owned(), place.partition()), known)
    });
    Ok(known.collect())
}

/// Says that this process has these places, of which it has not committed anything yet. Places that
/// nobody has counted stay as they are: there is nothing to ask of them.
///
/// # Errors
/// When Kafka does not answer, or the group has moved on.
pub(crate) fn claim<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    places: impl Iterator<Item = Place>,
    address: &str,
    timeout: Duration,
) -> KafkaResult<()> {
    let mut claimed = TopicPartitionList::new();
    for place in committed(consumer, places, timeout)?.elements() {
        if let Some(offset) = offset(place.offset())
            && place.metadata() != address
        {
            let (topic, partition) = (place.topic(), place.partition());
            add(&mut claimed, topic, partition, offset, Some(address))?;
        }
    }
    if claimed.count() == 0 {
        return Ok(());
    }
    consumer.commit(&claimed, CommitMode::Sync)
}

fn committed<C: ConsumerContext>(
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

fn offset(committed: rdkafka::Offset) -> Option<Offset> {
    match committed {
        rdkafka::Offset::Offset(offset) => Some(Offset(offset)),
        rdkafka::Offset::Beginning
        | rdkafka::Offset::End
        | rdkafka::Offset::Stored
        | rdkafka::Offset::Invalid
        | rdkafka::Offset::OffsetTail(_) => None,
    }
}
