//! Effects and the offsets of the records they came from, in one transaction.

use super::{Failure, Item, Meanwhile, Verdict, Writer, care};
use crate::status::Part;
use anyhow::Context as _;
use rdkafka::{
    TopicPartitionList,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    producer::{Producer as _, PurgeConfig},
};
use std::{sync::PoisonError, time::Duration};

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
    /// Nothing of it is, because these records were not taken.
    Failed(Vec<Failure>),
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
        items: &[Item<'_>],
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<Outcome> {
        self.producer()
            .begin_transaction()
            .context("begin a transaction")?;
        // Offsets first: with them the transaction has begun for Kafka, too, and can be undone
        // whatever becomes of the records; librdkafka takes an end that Kafka knows no beginning of
        // for fatal.
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
        match self.write_within(items, meanwhile) {
            Ok(failures) if failures.is_empty() => {}
            Ok(failures) => {
                let queue = PurgeConfig::default().queue().inflight();
                self.producer().purge(queue);
                self.abort().context("undo a transaction")?;
                // Whatever else is told of it is no news.
                let _told = self.deliveries().some();
                return Ok(Outcome::Failed(failures));
            }
            Err(error) => {
                self.undo();
                return Err(error.context(Undone));
            }
        }
        if let Err(error) = self.repeat(|| self.producer().commit_transaction(ONE_TRY)) {
            self.undo();
            return Err(error).context("commit a transaction");
        }
        Ok(Outcome::Committed)
    }

    /// Up to the first part of which something is not taken: nothing more of the transaction counts
    /// then.
    fn write_within(
        &self,
        items: &[Item<'_>],
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<Vec<Failure>> {
        self.left_out();
        for part in care::parts(items) {
            self.send(items, part, meanwhile)?;
            // A report that is still to come would find the commit refused.
            let mut failed = self.deliveries().some();
            if !failed.is_empty() {
                self.blame(&mut failed, items);
                self.report(&mut failed, items)?;
                return Ok(failed);
            }
        }
        Ok(Vec::new())
    }

    /// One topic that is left out of a transaction has the records of all others taken back, with
    /// no word of why.
    pub(super) fn blame(&self, failed: &mut [Failure], items: &[Item<'_>]) {
        let mut obstacles = self.left_out();
        let is_told = |failure: &Failure| failure.verdict() != Verdict::Innocent;
        if !failed.is_empty() && obstacles.is_empty() && !failed.iter().any(is_told) {
            let topics = failed
                .iter()
                .map(|failure| &*items[failure.index].record.topic);
            let topics: std::collections::BTreeSet<_> = topics.collect();
            let found = self.obstacles(topics.into_iter()).unwrap_or_default();
            obstacles.extend(
                found
                    .into_iter()
                    .map(|(topic, code)| (topic.to_owned(), code)),
            );
        }
        for failure in failed {
            let topic = &*items[failure.index].record.topic;
            if let Some(code) = obstacles.get(topic)
                && failure.verdict() == Verdict::Innocent
            {
                failure.code = *code;
            }
        }
    }

    /// The topics that the transaction did not take in.
    fn left_out(&self) -> std::collections::BTreeMap<String, RDKafkaErrorCode> {
        let left_out = self.deliveries().left_out.lock();
        std::mem::take(&mut *left_out.unwrap_or_else(PoisonError::into_inner))
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

/// The topic and the reason in librdkafka's line about a partition that is left out of a
/// transaction, unless that is another's fault.
pub(super) fn left_out(message: &str) -> Option<(String, RDKafkaErrorCode)> {
    let (_, told) = message.split_once("Failed to add partition \"")?;
    let (topic, why) = told.split_once('"')?;
    let is_forbidden = why.contains("uthorization");
    let is_innocent = why.contains("not attempted");
    let code = if is_forbidden {
        RDKafkaErrorCode::TopicAuthorizationFailed
    } else {
        RDKafkaErrorCode::Unknown
    };
    (!is_innocent).then(|| (topic.to_owned(), code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_left_out_of_a_transaction_is_read_from_the_line_about_it() {
        let line = |topic: &str, why: &str| {
            let text = format!(
                "[thrd:127.0.0.1:1/1]: 127.0.0.1:1/1: Failed to add partition \"{topic}\" [0] to transaction: {why}"
            );
            left_out(&text)
        };
        assert_eq!(
            line("x-out", "Broker: Topic authorization failed"),
            Some(("x-out".into(), RDKafkaErrorCode::TopicAuthorizationFailed))
        );
        assert_eq!(line("y-out", "Broker: Operation not attempted"), None);
        assert_eq!(left_out("Failed to parse"), None);
    }
}
