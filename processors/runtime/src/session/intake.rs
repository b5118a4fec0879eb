//! The way of records from Kafka into their tasks.

use super::{assignment::Assignment, partitions::Partitions};
use crate::{clock, native::Inbox};
use anyhow::bail;
use footfall_task::{Processor, Timestamp};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::{Duration, Instant};

/// So many records are processed between two looks at everything else.
const RECORDS_AT_ONCE: usize = 1_024;

/// Where records come in, the tasks that take them, and when what they bring about is to be written.
pub(super) struct Intake<'a, P: Processor> {
    inbox: Inbox<Assignment>,
    pub(super) partitions: Partitions<'a, P>,
    /// When what has gathered should be written and committed.
    pub(super) due: Option<Instant>,
    /// When that will not be too much at the earliest.
    pub(super) not_before: Instant,
    /// Records that were processed since this was asked last.
    processed: u64,
}

impl<'a, P: Processor> Intake<'a, P> {
    pub(super) fn new(inbox: Inbox<Assignment>, partitions: Partitions<'a, P>) -> Self {
        Self {
            inbox,
            partitions,
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
        let most = if self.partitions.is_searching() {
            1
        } else {
            RECORDS_AT_ONCE
        };
        let batch = self.inbox.take(wait, most);
        let now = Timestamp(clock::millis());
        let (mut shortest, mut count) = (None::<Duration>, 0);
        for record in batch.iter() {
            match record {
                Ok(message) => {
                    let wait = self.partitions.process(&message.record(), now)?;
                    shortest = Some(shortest.map_or(wait, |other| other.min(wait)));
                }
                Err(error) => check(&error)?,
            }
            count += 1;
        }
        drop(batch);
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
    // Passing trouble: librdkafka tries again by itself, and the watch tells the user.
    tracing::debug!(%error, "reading sources");
    Ok(())
}
