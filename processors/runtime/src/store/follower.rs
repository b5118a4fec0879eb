//! Follows one changelog for the file.

use super::{
    checkpoint::{Checkpoint, Mark, Unusable},
    file::Place,
    gathered::Gathered,
};
use crate::{
    clock,
    reader::{Reader, is_of_content},
};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, KafkaResult},
    message::BorrowedMessage,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(3);
/// So many records are read before another changelog has its turn.
const RECORDS_AT_ONCE: usize = 4_096;

/// Reads some partitions of a changelog, for as long as they are followed.
pub(super) struct Follower {
    changelog: Arc<str>,
    consumer: BaseConsumer<Reader>,
    partitions: BTreeMap<i32, Following>,
}

struct Following {
    gathered: Gathered,
    /// Whether the record that it ends with was met where it must be.
    is_proven: bool,
}

impl Follower {
    pub(super) fn new(
        config: &ClientConfig,
        reader: &Reader,
        changelog: &Arc<str>,
    ) -> KafkaResult<Self> {
        Ok(Self {
            changelog: Arc::clone(changelog),
            consumer: BaseConsumer::from_config_and_context(config, reader.clone())?,
            partitions: BTreeMap::new(),
        })
    }

    /// Reads this partition too, from where the file ends.
    pub(super) fn follow(
        &mut self,
        partition: i32,
        checkpoint: Option<&Checkpoint>,
    ) -> KafkaResult<()> {
        let offset = match checkpoint {
            None => Offset::Beginning,
            Some(checkpoint) => Offset::Offset(checkpoint.last.offset),
        };
        self.partitions
            .insert(partition, Following::after(checkpoint));
        let mut added = TopicPartitionList::new();
        added.add_partition_offset(&self.changelog, partition, offset)?;
        self.consumer.incremental_assign(&added)
    }

    /// Reads it no longer.
    pub(super) fn leave(&mut self, partition: i32) -> KafkaResult<()> {
        self.partitions.remove(&partition);
        let mut removed = TopicPartitionList::new();
        removed.add_partition(&self.changelog, partition);
        self.consumer.incremental_unassign(&removed)
    }

    /// How many partitions a changelog has, if it is there.
    pub(super) fn partitions_of(&self, changelog: &str) -> Option<i32> {
        let metadata = self
            .consumer
            .fetch_metadata(Some(changelog), TIMEOUT)
            .ok()?;
        let partitions = metadata.topics().first()?.partitions().len();
        i32::try_from(partitions).ok().filter(|count| *count > 0)
    }

    /// Whether nothing is followed.
    pub(super) fn is_idle(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Reads what is there, without waiting; returns how many bytes have gathered by that, and
    /// whether more may be there.
    pub(super) fn read(&mut self) -> KafkaResult<(usize, bool)> {
        let mut bytes = 0;
        for _ in 0..RECORDS_AT_ONCE {
            let consumer = &self.consumer;
            match consumer.poll(Duration::ZERO) {
                Some(Ok(record)) => match take(&mut self.partitions, &record) {
                    Ok(more) => bytes += more,
                    Err(why) => {
                        let partition = record.partition();
                        drop(record);
                        self.begin_anew(partition, why)?;
                    }
                },
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    let following = self.partitions.get_mut(&partition);
                    let Some(following) = following else { continue };
                    if following.is_proven {
                        following.gathered.is_whole(clock::millis());
                    } else {
                        self.begin_anew(partition, Unusable::Unproven)?;
                    }
                }
                Some(Err(error)) => {
                    let code = error.rdkafka_error_code();
                    if code.is_some_and(is_of_content) {
                        return Err(error);
                    }
                    // Passing trouble, which its context has told.
                    return Ok((bytes, false));
                }
                None => return Ok((bytes, false)),
            }
        }
        Ok((bytes, true))
    }

    /// Has partitions that have been silent show that they are what they were, and are whole.
    pub(super) fn prove(&mut self) {
        for (partition, following) in &mut self.partitions {
            let Some(last) = following.gathered.last() else {
                continue;
            };
            if following.gathered.is_due() {
                continue;
            }
            let last = Offset::Offset(last.offset);
            match seek(&self.consumer, &self.changelog, *partition, last) {
                Ok(()) => following.is_proven = false,
                Err(error) => tracing::debug!(%error, partition, "reading a last record again"),
            }
        }
    }

    /// What has gathered, by partition.
    pub(super) fn gathered(&mut self) -> impl Iterator<Item = (Place, &mut Gathered)> {
        let partitions = self.partitions.iter_mut();
        partitions.map(|(partition, following)| {
            let place = Place {
                changelog: Arc::clone(&self.changelog),
                partition: *partition,
            };
            (place, &mut following.gathered)
        })
    }

    fn begin_anew(&mut self, partition: i32, why: Unusable) -> KafkaResult<()> {
        tracing::info!(
            changelog = &*self.changelog,
            partition,
            "the local store begins anew: {why}"
        );
        self.partitions.insert(partition, Following::after(None));
        seek(
            &self.consumer,
            &self.changelog,
            partition,
            Offset::Beginning,
        )
    }
}

impl Following {
    fn after(checkpoint: Option<&Checkpoint>) -> Self {
        Self {
            gathered: checkpoint.map(Gathered::after).unwrap_or_default(),
            is_proven: checkpoint.is_none(),
        }
    }
}

fn seek(
    consumer: &BaseConsumer<Reader>,
    changelog: &str,
    partition: i32,
    offset: Offset,
) -> KafkaResult<()> {
    consumer.seek(changelog, partition, offset, TIMEOUT)
}

/// Returns by how many bytes that has grown.
fn take(
    partitions: &mut BTreeMap<i32, Following>,
    record: &BorrowedMessage<'_>,
) -> Result<usize, Unusable> {
    let Some(following) = partitions.get_mut(&record.partition()) else {
        return Ok(0);
    };
    let (mark, key) = (mark(record), record.key().unwrap_or_default());
    match following.gathered.last() {
        Some(last) if !following.is_proven => {
            following.is_proven = mark == last;
            following.is_proven.then_some(0).ok_or(Unusable::Unproven)
        }
        // Only a changelog that was made anew goes back.
        Some(last) if mark.offset <= last.offset => Err(Unusable::Unproven),
        Some(_) | None => Ok(following.gathered.take(mark, (key, record.payload()))),
    }
}

/// How a record is known again.
pub(crate) fn mark(record: &BorrowedMessage<'_>) -> Mark {
    let timestamp = record.timestamp().to_millis().unwrap_or_default();
    let key = record.key().unwrap_or_default();
    Mark::of(record.offset(), timestamp, key, record.payload())
}
