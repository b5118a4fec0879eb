//! Effects and the offsets of the records they came from, in one transaction.

use super::{Meanwhile, Writer};
use crate::status::Part;
use anyhow::{Context as _, bail};
use footfall_task::Send;
use rdkafka::{
    TopicPartitionList,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, KafkaResult},
    producer::{Producer as _, PurgeConfig},
};
use std::time::Duration;

/// One try of a call; the client goes on where it was when the call is repeated.
const ONE_TRY: Duration = Duration::from_secs(1);
/// How long Kafka may take to undo a transaction before its own timeout is left to do it.
const TRIES_TO_ABORT: u32 = 10;

/// Nothing of the transaction is there for who reads only what is committed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a transaction was undone")]
pub(crate) struct Undone;

/// What has become of a transaction.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// All of it is in Kafka.
    Committed,
    /// Nothing of it is, because the group has moved on since; it may be tried again as a member
    /// of what the group is now.
    Refused(KafkaError),
}

impl Writer {
    /// Makes ready for transactions: whatever an earlier life of this instance has left open is
    /// undone.
    ///
    /// # Errors
    /// [`Stopped`](super::Stopped), or when Kafka refuses.
    pub(crate) fn prepare_transactions(&self) -> anyhow::Result<()> {
        self.status
            .holds_up(Part::Writer, "waiting for kafka's transactions");
        // Once the brokers are known: librdkafka drops the connection over which it learns of them, and
        // with it the question who coordinates, to ask again half a second later.
        let _brokers = self.producer().client().fetch_metadata(None, ONE_TRY);
        self.repeat(|| self.producer().init_transactions(ONE_TRY))
            .context("make ready for transactions")?;
        self.status.goes_on(Part::Writer);
        Ok(())
    }

    /// Writes these records and `offsets` in one transaction.
    ///
    /// # Errors
    /// As [`Writer::write`]. Nothing has been written then, as far as who reads only what is
    /// committed can see, and the producer is of no more use.
    pub(crate) fn transact(
        &self,
        sends: &[&Send],
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<Outcome> {
        self.producer()
            .begin_transaction()
            .context("begin a transaction")?;
        if let Err(error) = self.write_within(sends, meanwhile) {
            self.undo();
            return Err(error.context(Undone));
        }
        let add = || {
            self.producer()
                .send_offsets_to_transaction(offsets, group, ONE_TRY)
        };
        if let Err(error) = self.repeat(add) {
            self.abort().context("undo a transaction")?;
            return match error.downcast::<KafkaError>() {
                Ok(refusal) if !is_fatal(&refusal) => Ok(Outcome::Refused(refusal)),
                Ok(fatal) => Err(fatal).context("add offsets to a transaction"),
                Err(error) => Err(error),
            };
        }
        if let Err(error) = self.repeat(|| self.producer().commit_transaction(ONE_TRY)) {
            self.undo();
            return Err(error).context("commit a transaction");
        }
        self.status.goes_on(Part::Writer);
        Ok(Outcome::Committed)
    }

    fn write_within(&self, sends: &[&Send], meanwhile: &mut Meanwhile<'_>) -> anyhow::Result<()> {
        for (index, send) in sends.iter().enumerate() {
            self.enqueue(index, &send.record, meanwhile)?;
        }
        self.wait(meanwhile)?;
        // A report that is still to come would find the commit refused.
        let failed = self.deliveries().some();
        if let Some((_, error)) = failed.first() {
            self.report(&failed, sends)?;
            bail!("a record of a transaction was not taken: {error}");
        }
        Ok(())
    }

    /// Undoes what can be undone before the producer is given up; for the rest there is the
    /// transaction's timeout.
    fn undo(&self) {
        self.producer()
            .purge(PurgeConfig::default().queue().inflight());
        if let Err(error) = self.abort() {
            tracing::debug!(%error, "undoing a transaction");
        }
    }

    fn abort(&self) -> KafkaResult<()> {
        let mut tries = TRIES_TO_ABORT;
        loop {
            match self.producer().abort_transaction(ONE_TRY) {
                Err(error) if is_retriable(&error) && tries > 1 && !self.stop.is_cancelled() => {
                    tries -= 1;
                }
                done => return done,
            }
        }
    }

    /// Until it succeeds, or a further try would not help, or it is time to stop.
    fn repeat(&self, call: impl Fn() -> KafkaResult<()>) -> anyhow::Result<()> {
        let mut patience = self.patience();
        loop {
            match call() {
                Ok(()) => return Ok(()),
                Err(error) if is_retriable(&error) => patience.check()?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_retriable())
}

fn is_fatal(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_fatal())
}
