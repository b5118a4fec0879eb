//! The way of records from Kafka into their tasks.

use super::{
    assignment::Assignment,
    partitions::{Gap, Partitions},
    stops::Stops,
};
use crate::{
    Metrics, clock,
    metrics::Place,
    native::{Failure, Inbox},
    reader::Reader,
};
use anyhow::bail;
use footfall_task::{Processor, Timestamp};
use prometheus_client::metrics::{counter::Counter, family::Family};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::{Duration, Instant};

/// So many records are processed between two looks at everything else.
const RECORDS_AT_ONCE: usize = 1_024;

/// Where records come in, the tasks that take them, and when what they bring about is to be written.
pub(super) struct Intake<'a, P: Processor> {
    inbox: Inbox<Assignment>,
    pub(super) partitions: Partitions<'a, P>,
    /// Of these, those that cannot be read on.
    pub(super) stops: Stops,
    reader: Reader,
    deleted: Family<Place, Counter>,
    /// When what has gathered should be written and committed.
    pub(super) due: Option<Instant>,
    /// When that will not be too much at the earliest.
    pub(super) not_before: Instant,
    /// Records that were processed since this was asked last.
    processed: u64,
}

impl<'a, P: Processor> Intake<'a, P> {
    pub(super) fn new(
        inbox: Inbox<Assignment>,
        partitions: Partitions<'a, P>,
        stops: Stops,
        reader: Reader,
        deleted: Family<Place, Counter>,
    ) -> Self {
        Self {
            inbox,
            partitions,
            stops,
            reader,
            deleted,
            due: None,
            not_before: clock::now(),
            processed: 0,
        }
    }

    /// When what has gathered is to be written and committed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.map(|due| due.max(self.not_before))
    }

    /// How many records were processed since the last call.
    pub(super) fn take_processed(&mut self) -> u64 {
        std::mem::take(&mut self.processed)
    }

    /// How many records are on Kafka that were not processed yet, as far as is known.
    pub(super) fn lag(&self) -> u64 {
        self.partitions
            .lag(|topic, partition| self.inbox.end_of(topic, partition))
    }

    /// Processes what is there, or waits for it; whether there was anything. Leaves it where it is
    /// while so much has gathered that it must be written first. The clock is looked at once for
    /// many records.
    ///
    /// # Errors
    /// When the consumer is of no more use.
    pub(super) fn process(&mut self, wait: Duration) -> anyhow::Result<bool> {
        if self.partitions.is_full() {
            return Ok(false);
        }
        let batch = self.inbox.take(wait, RECORDS_AT_ONCE);
        let now = Timestamp(clock::millis());
        let (mut shortest, mut count) = (None::<Duration>, 0);
        for record in batch.iter() {
            match record {
                Ok(message) => {
                    let (topic, partition) = message.place();
                    // It comes once more when the partition is sought back.
                    if self.stops.holds(topic, partition) {
                        continue;
                    }
                    self.stops.reads(topic, partition);
                    let wait = self.partitions.process(&message.record(), now)?;
                    shortest = Some(shortest.map_or(wait, |other| other.min(wait)));
                }
                Err(failure) => {
                    let is_ours = self.partitions.has(&failure.topic, failure.partition);
                    meet(&failure, is_ours, &self.reader, &mut self.stops)?;
                }
            }
            count += 1;
        }
        drop(batch);
        self.look_into_gaps();
        if let Some(wait) = shortest {
            self.commit_within(wait);
        }
        self.processed += count;
        Ok(count > 0)
    }

    /// Has what there is written and committed after this time at the latest.
    pub(super) fn commit_within(&mut self, wait: Duration) {
        let due = clock::now() + wait;
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }
}

impl<P: Processor> Intake<'_, P> {
    /// Counts and tells what Kafka had deleted before it was read.
    fn look_into_gaps(&mut self) {
        for gap in self.partitions.take_gaps() {
            let Gap {
                topic,
                partition,
                expected,
                found,
            } = gap;
            if found < expected {
                tracing::warn!(
                    topic,
                    partition,
                    expected = expected.0,
                    found = found.0,
                    "offsets begin anew: was the topic deleted and made anew?"
                );
                continue;
            }
            // What is missing before the first record that Kafka has is deleted; what is missing
            // behind it was never a record of ours.
            let first = self.inbox.begin_of(&topic, partition).unwrap_or(expected);
            let deleted = first.0.min(found.0) - expected.0;
            if let Ok(deleted) = u64::try_from(deleted)
                && deleted > 0
            {
                let labels = Metrics::place(&topic, partition);
                let counter = self.deleted.get_or_create_owned(&labels);
                counter.inc_by(deleted);
                tracing::error!(
                    topic,
                    partition,
                    from = expected.0,
                    to = expected.0 + i64::try_from(deleted).unwrap_or(i64::MAX),
                    "kafka deleted {deleted} records (by offsets) before they were read; keep them longer \
                     (`retention.ms`, `retention.bytes`)"
                );
            }
        }
    }
}

/// Says what comes of a partition that could not be read on.
fn meet(
    failure: &Failure,
    is_ours: bool,
    reader: &Reader,
    stops: &mut Stops,
) -> anyhow::Result<()> {
    // Where a partition ends is no error, though it comes as one.
    if failure.code == RDKafkaErrorCode::PartitionEOF {
        return Ok(());
    }
    reader.count(failure.code);
    if failure.code == RDKafkaErrorCode::TopicAuthorizationFailed {
        bail!(
            "kafka does not let this client read topic `{}`",
            failure.topic
        );
    }
    if is_ours {
        stops.stop(failure);
    }
    check(&KafkaError::MessageConsumption(failure.code))
}

/// Whether a poll that failed may be followed by another one.
pub(super) fn check(error: &KafkaError) -> anyhow::Result<()> {
    if let KafkaError::MessageConsumptionFatal(code) = error {
        bail!("the consumer is of no more use: {code}");
    }
    if let KafkaError::MessageConsumption(
        code @ (RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::GroupAuthorizationFailed),
    ) = error
    {
        bail!("kafka does not let this client read: {code}");
    }
    // Passing trouble: librdkafka tries again by itself, and has told its context.
    tracing::debug!(%error, "reading sources");
    Ok(())
}
