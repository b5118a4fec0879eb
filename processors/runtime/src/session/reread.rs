//! Reads one record again, for its dead letter.

use crate::{Config, clock, quiet::Quiet};
use anyhow::{Context as _, bail};
use footfall_service::kafka::Brief;
use footfall_task::{Offset, Partition, Record, Timestamp};
use rdkafka::{
    Message as _, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::{BorrowedMessage, Headers as _},
};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(100);

/// Hands the record at this place to `then`, if Kafka still has it.
///
/// # Errors
/// When Kafka does not answer.
pub(super) fn reread(
    config: &Config,
    (topic, partition, offset): (&str, i32, Offset),
    then: impl FnOnce(&Record<'_>),
) -> anyhow::Result<bool> {
    let consumer = BaseConsumer::from_config_and_context(&config.observer(), Quiet);
    let consumer: Brief<BaseConsumer<Quiet>> = Brief::new(consumer.context("make a consumer")?);
    let mut wanted = TopicPartitionList::new();
    wanted.add_partition_offset(topic, partition, rdkafka::Offset::Offset(offset.0))?;
    consumer.assign(&wanted).context("read a record again")?;
    let until = clock::now() + TIMEOUT;
    while clock::now() < until {
        match consumer.poll(TICK) {
            Some(Ok(message)) => {
                let is_there = message.offset() == offset.0;
                if is_there {
                    then(&record(&message));
                }
                return Ok(is_there);
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(false),
            Some(Err(error)) => tracing::debug!(%error, topic, "reading a record again"),
            None => {}
        }
    }
    bail!(
        "topic `{topic}`, partition {partition}, offset {offset} cannot be read again: kafka does not answer"
    );
}

fn record<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    let headers = message.headers().into_iter();
    let headers = headers.flat_map(|headers| headers.iter());
    Record {
        topic: message.topic(),
        partition: Partition(message.partition()),
        offset: Offset(message.offset()),
        timestamp: message.timestamp().to_millis().map(Timestamp),
        key: message.key(),
        value: message.payload(),
        headers: headers.map(|header| (header.key, header.value)).collect(),
    }
}
