//! Writes effects, and knows when all of them are acknowledged.

mod transaction;

pub(crate) use transaction::{Outcome, Undone};

use crate::{
    Metrics, clock,
    native::Outbox,
    quiet::Quiet,
    status::{Part, Report},
};
use anyhow::Context as _;
use footfall_task::{Outgoing, Send};
use rdkafka::{
    ClientConfig, ClientContext,
    config::{FromClientConfigAndContext as _, RDKafkaLogLevel},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer},
};
use std::{
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
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);
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

    /// Writes these records; when it returns, Kafka has acknowledged every one. What Kafka refuses
    /// is tried again for as long as it takes, because a record that is left out would be lost.
    ///
    /// # Errors
    /// [`Stopped`], [`Lost`] as soon as the partitions are, what `meanwhile`'s work meets, or when
    /// the producer is of no more use.
    pub(crate) fn write(
        &self,
        sends: &[&Send],
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<()> {
        let mut waiting: Vec<usize> = (0..sends.len()).collect();
        let mut pause = FIRST_RETRY;
        loop {
            for index in waiting {
                self.enqueue(index, &sends[index].record, meanwhile)?;
            }
            self.wait(meanwhile)?;
            let failed = self.deliveries().all();
            if failed.is_empty() {
                self.status.goes_on(Part::Writer);
                return Ok(());
            }
            self.report(&failed, sends)?;
            waiting = failed.into_iter().map(|(index, _)| index).collect();
            waiting.sort_unstable();
            self.sleep(pause)?;
            pause = LAST_RETRY.min(pause * 2);
        }
    }

    /// Hands a record to the producer; while that is full, others are sent first.
    fn enqueue(
        &self,
        index: usize,
        record: &Outgoing,
        meanwhile: &mut Meanwhile<'_>,
    ) -> anyhow::Result<()> {
        self.deliveries().outstanding.fetch_add(1, Ordering::AcqRel);
        let mut patience = self.patience();
        loop {
            match self.outbox.send(record, index) {
                Ok(()) => return Ok(()),
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                    if !self.outbox.flush(FLUSH) {
                        self.let_go_on(&mut patience, meanwhile)?;
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
    fn wait(&self, meanwhile: &mut Meanwhile<'_>) -> anyhow::Result<()> {
        let mut patience = self.patience();
        while !self.outbox.flush(FLUSH) {
            self.let_go_on(&mut patience, meanwhile)?;
        }
        Ok(())
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

    fn report(&self, failed: &[(usize, KafkaError)], sends: &[&Send]) -> anyhow::Result<()> {
        if let Some((code, reason)) = self.producer().client().fatal_error() {
            anyhow::bail!("the producer is of no more use: {code}: {reason}");
        }
        for (index, error) in failed {
            let topic = &sends[*index].record.topic;
            self.metrics
                .failed_deliveries
                .get_or_create(&Metrics::topic(topic))
                .inc();
            let reason = format!("kafka does not take a record for topic `{topic}`: {error}");
            self.status.holds_up(Part::Writer, reason);
        }
        Ok(())
    }

    fn sleep(&self, pause: Duration) -> Result<(), Stopped> {
        if self.stop.is_cancelled() {
            return Err(Stopped);
        }
        std::thread::sleep(pause);
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
    failed: Mutex<Vec<(usize, KafkaError)>>,
    all_done: Condvar,
}

impl Deliveries {
    /// What was refused, once each record has its report.
    fn all(&self) -> Vec<(usize, KafkaError)> {
        let mut failed = self.lock();
        while self.outstanding.load(Ordering::Acquire) > 0 {
            let woken = self.all_done.wait(failed);
            failed = woken.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut failed)
    }

    /// What is known to be refused so far, where only refusals are reported.
    fn some(&self) -> Vec<(usize, KafkaError)> {
        self.outstanding.store(0, Ordering::Release);
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, KafkaError)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, index: usize, error: Option<KafkaError>) {
        if let Some(error) = error {
            self.lock().push((index, error));
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
