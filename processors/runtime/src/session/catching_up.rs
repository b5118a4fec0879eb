//! Readers that stand behind the group: they are new, or were away. What lies between is read for them
//! alone, beside what comes, until they have it all.

use crate::{native::Message, places::Place, quiet::Quiet};
use anyhow::Context as _;
use footfall_service::kafka::Brief;
use footfall_task::{Offset, Record};
use rdkafka::{
    ClientConfig, Message as _, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// So many records are read between two looks at everything else.
const RECORDS_AT_ONCE: usize = 1_024;

/// What is read a second time. One consumer for each topic: the event that says "end" names a
/// partition and no topic.
#[derive(Default)]
pub(super) struct CatchingUp(BTreeMap<String, OfTopic>);

struct OfTopic {
    consumer: Brief<BaseConsumer<Quiet>>,
    /// The partitions that it is still read of.
    partitions: BTreeSet<i32>,
}

/// What has come of a partition.
pub(super) enum Old<'a> {
    /// A record.
    Record(&'a Record<'a>),
    /// All that it holds for now has been read.
    End,
}

impl CatchingUp {
    /// Whether nobody is behind.
    pub(super) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads these partitions from these offsets, and no others.
    ///
    /// # Errors
    /// When there can be no consumer.
    pub(super) fn read(
        &mut self,
        config: &ClientConfig,
        from: &BTreeMap<Place, Offset>,
    ) -> anyhow::Result<()> {
        self.0.clear();
        let mut lists = BTreeMap::<&str, TopicPartitionList>::new();
        for ((topic, partition), offset) in from {
            let offset = rdkafka::Offset::Offset(offset.0);
            let list = lists.entry(topic).or_default();
            list.add_partition_offset(topic, *partition, offset)?;
        }
        for (topic, list) in lists {
            let consumer = BaseConsumer::from_config_and_context(config, Quiet);
            let consumer = Brief::new(consumer.context("make a consumer of old records")?);
            consumer.assign(&list).context("read old records")?;
            let elements = list.elements();
            let of_topic = OfTopic {
                consumer,
                partitions: elements.iter().map(|place| place.partition()).collect(),
            };
            self.0.insert(topic.to_owned(), of_topic);
        }
        Ok(())
    }

    /// Hands on what has come; `take` says whether the readers of that partition have caught up.
    ///
    /// # Errors
    /// As `take`.
    pub(super) fn go_on(
        &mut self,
        mut take: impl FnMut(&str, i32, Old<'_>) -> anyhow::Result<bool>,
    ) -> anyhow::Result<bool> {
        let mut has_some = false;
        for (topic, of_topic) in &mut self.0 {
            for _ in 0..RECORDS_AT_ONCE {
                let OfTopic {
                    consumer,
                    partitions,
                } = of_topic;
                let (partition, is_done) = match consumer.poll(Duration::ZERO) {
                    Some(Ok(message)) if partitions.contains(&message.partition()) => {
                        let partition = message.partition();
                        let record = Message::of(&message).record();
                        (partition, take(topic, partition, Old::Record(&record))?)
                    }
                    Some(Err(KafkaError::PartitionEOF(partition))) => {
                        (partition, take(topic, partition, Old::End)?)
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => {
                        tracing::debug!(%error, topic, "reading old records");
                        break;
                    }
                    None => break,
                };
                has_some = true;
                if is_done {
                    partitions.remove(&partition);
                    if partitions.is_empty() {
                        break;
                    }
                }
            }
        }
        self.0.retain(|_, of_topic| !of_topic.partitions.is_empty());
        Ok(has_some)
    }
}
