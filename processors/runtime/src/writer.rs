//! Writes effects, and knows when all of them are acknowledged.

mod care;
mod failure;
mod obstacle;
mod short;
mod transaction;

pub(crate) use care::{Care, Item};
pub(crate) use failure::{Failure, Verdict};
pub(crate) use obstacle::said as said_of_obstacle;
pub(crate) use short::smaller;
pub(crate) use transaction::{Outcome, Undone};

use crate::{Metrics, clock, native::Outbox, quiet::Quiet, status::Report};
use anyhow::Context as _;
use footfall_task::Outgoing;
use rdkafka::{
    ClientConfig, ClientContext,
    config::{FromClientConfigAndContext as _, RDKafkaLogLevel},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicIsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long the client is told at a time to send whatever it has, and how long it is then left to
/// wait for answers: told all the time, it waits for them in a loop that costs a core.
const FLUSH: Duration = Duration::from_millis(1);
const BETWEEN_FLUSHES: Duration = Duration::from_millis(2);
/// After so long without an end it is looked whether a topic takes no records at all.
const UNTIL_LOOK: Duration = Duration::from_secs(3);
/// How long records that are under way may still take once it is time to stop.
const PATIENCE_AT_STOP: Duration = Duration::from_secs(5);

/// Writes effects.
pub(crate) struct Writer {
    outbox: Outbox<Deliveries>,
    status: Report,
    metrics: Metrics,
    stop: CancellationToken,
}

/// What is asked and done while records are under way.
pub(crate) struct Meanwhile<'a> {
    /// Whether the group has given the partitions away.
    pub(crate) is_lost: &'a dyn Fn() -> bool,
    /// Does a little of something else; whether there was anything to do.
    pub(crate) work: &'a mut dyn FnMut() -> anyhow::Result<bool>,
}

/// The group has given the partitions away while records were still under way. What had not been
/// sent is taken back, so that it does not meet what their new owner writes.
#[derive(Debug, thiserror::Error)]
#[error("the group gave the partitions away before all effects were acknowledged")]
pub(crate) struct Lost;

/// It was time to stop while records were still under way. They are neither lost nor done: their
/// sources' offsets are not committed, so they will be written by whoever goes on.
#[derive(Debug, thiserror::Error)]
#[error("stopped before all effects were acknowledged; they will be written again")]
pub(crate) struct Stopped;

impl Writer {
    pub(crate) fn new(
        config: &ClientConfig,
        status: Report,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let producer = ThreadedProducer::from_config_and_context(config, Deliveries::default())
            .context("make a producer")?;
        Ok(Self {
            outbox: Outbox::of(producer),
            status,
            metrics,
            stop,
        })
    }

    /// Writes these records; when it returns, Kafka has acknowledged every one but those that it
    /// says.
    ///
    /// # Errors
    /// [`Stopped`], [`Lost`] as soon as the partitions are, what `meanwhile`'s work meets, or when
    /// the producer is of no more use.
    pub(crate) fn write(
        &self,
        items: &[Item<'_>],
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<Vec<Failure>> {
        let mut failures = Vec::new();
        for part in care::parts(items) {
            self.send(items, part, meanwhile)?;
            let mut failed = self.deliveries().all();
            self.blame(&mut failed, items);
            self.report(&mut failed, items)?;
            failures.extend(failed);
        }
        Ok(failures)
    }

    /// Sends a part and waits until each of it has met its end.
    fn send(
        &self,
        items: &[Item<'_>],
        part: Range<usize>,
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<()> {
        for index in part {
            self.enqueue(index, items[index].record, items, meanwhile)?;
        }
        self.wait(items, meanwhile)
    }

    /// Hands a record to the producer; while that is full, others are sent first.
    fn enqueue(
        &self,
        index: usize,
        record: &Outgoing,
        items: &[Item<'_>],
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<()> {
        self.deliveries().outstanding.fetch_add(1, Ordering::AcqRel);
        let mut patience = self.patience();
        let mut look = clock::now() + UNTIL_LOOK;
        loop {
            match self.outbox.send(record, index) {
                Ok(()) => return Ok(()),
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                    if !self.outbox.flush(FLUSH) {
                        self.let_go_on(&mut patience, meanwhile)?;
                        self.look_around(items, &mut look);
                    }
                }
                Err(error) => {
                    self.deliveries().done(index, Some(error));
                    return Ok(());
                }
            }
        }
    }

    /// Waits until no record is under way any more.
    fn wait(&self, items: &[Item<'_>], meanwhile: &mut Meanwhile<'_>) -> anyhow::Result<()> {
        let mut patience = self.patience();
        let mut look = clock::now() + UNTIL_LOOK;
        while !self.outbox.flush(FLUSH) {
            self.let_go_on(&mut patience, meanwhile)?;
            self.look_around(items, &mut look);
        }
        Ok(())
    }

    /// When it takes long, takes back what waits, if it waits for a topic that is not there or has
    /// no leader: otherwise all others would wait with it.
    fn look_around(&self, items: &[Item<'_>], look: &mut Instant) {
        let now = clock::now();
        if now < *look {
            return;
        }
        *look = now + UNTIL_LOOK;
        let topics: BTreeSet<_> = items.iter().map(|item| &*item.record.topic).collect();
        let obstacles = self.obstacles(topics.into_iter());
        if obstacles.is_some_and(|obstacles| !obstacles.is_empty()) {
            self.producer().purge(PurgeConfig::default().queue());
        }
    }

    /// Leaves the client to its answers for a moment.
    fn let_go_on(
        &self,
        patience: &mut Patience<'_>,
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<()> {
        patience.check()?;
        if !(meanwhile.work)()? {
            std::thread::sleep(BETWEEN_FLUSHES);
        }
        if (meanwhile.is_lost)() {
            self.producer()
                .purge(PurgeConfig::default().queue().inflight());
            return Err(Lost.into());
        }
        Ok(())
    }

    fn patience(&self) -> Patience<'_> {
        Patience {
            stop: &self.stop,
            until: None,
        }
    }

    /// Counts what was not taken.
    fn report(&self, failures: &mut [Failure], items: &[Item<'_>]) -> anyhow::Result<()> {
        if let Some((code, reason)) = self.producer().client().fatal_error() {
            anyhow::bail!("the producer is of no more use: {code}: {reason}");
        }
        for failure in failures.iter() {
            let topic = &items[failure.index].record.topic;
            let failed = &self.metrics.failed_deliveries;
            failed.get_or_create(&Metrics::topic(topic)).inc();
        }
        failure::convict(failures);
        Ok(())
    }

    fn producer(&self) -> &ThreadedProducer<Deliveries> {
        self.outbox.producer()
    }

    fn deliveries(&self) -> &Deliveries {
        self.producer().context().as_ref()
    }
}

/// Waits on while the process runs, and a little longer once it is time to stop.
struct Patience<'a> {
    stop: &'a CancellationToken,
    until: Option<Instant>,
}

impl Patience<'_> {
    fn check(&mut self) -> Result<(), Stopped> {
        if self.stop.is_cancelled() {
            let now = clock::now();
            if now > *self.until.get_or_insert(now + PATIENCE_AT_STOP) {
                return Err(Stopped);
            }
        }
        Ok(())
    }
}

/// Counts what is under way, told by the producer's own thread.
#[derive(Debug, Default)]
struct Deliveries {
    outstanding: AtomicIsize,
    failed: Mutex<Vec<Failure>>,
    /// Topics that a transaction did not take in, which librdkafka says in its log alone.
    left_out: Mutex<BTreeMap<String, RDKafkaErrorCode>>,
    all_done: Condvar,
}

impl Deliveries {
    /// What was refused, once each record has its report.
    fn all(&self) -> Vec<Failure> {
        let mut failed = self.lock();
        while self.outstanding.load(Ordering::Acquire) > 0 {
            let woken = self.all_done.wait(failed);
            failed = woken.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut failed)
    }

    /// What is known to be refused so far, where only refusals are reported.
    fn some(&self) -> Vec<Failure> {
        self.outstanding.store(0, Ordering::Release);
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Failure>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, index: usize, error: Option<KafkaError>) {
        if let Some(error) = error {
            let code = error.rdkafka_error_code();
            self.lock().push(Failure {
                index,
                code: code.unwrap_or(RDKafkaErrorCode::Fail),
                is_certain: false,
            });
        }
        if self.outstanding.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Who waits holds the lock from its look at the count until it sleeps.
            let _waiting = self.lock();
            self.all_done.notify_all();
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "ADDPARTS"
            && let Some((topic, code)) = transaction::left_out(message)
        {
            let left_out = self.left_out.lock();
            left_out
                .unwrap_or_else(PoisonError::into_inner)
                .insert(topic, code);
        }
        Quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Quiet.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let error = result.as_ref().err().map(|(error, _)| error.clone());
        self.done(index, error);
    }
}
