//! Brings state back from a changelog, or from the local store and what the changelog has beyond it:
//! to the end it has now.

use crate::{
    Metrics, clock,
    reader::{Reader, is_of_content},
    store::{self, Place, Snapshot, Store, Unusable},
};
use anyhow::{Context as _, anyhow, bail};
use footfall_service::kafka::Brief;
use prometheus_client::metrics::counter::Counter;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// How often it is asked whether a transaction is decided.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Without a record and without an end for so long, something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many changes are taken between two looks at the clock.
const CHANGES_AT_ONCE: u32 = 256;

/// The reading of some partitions of a changelog, in slices, so that other work can go on between.
pub(crate) struct Restoration {
    changelog: Arc<str>,
    /// Sees what is committed. One for each changelog: the event that says "end" names a partition
    /// and no topic.
    consumer: Brief<BaseConsumer<Reader>>,
    stage: Stage,
    store: Option<Store>,
    from_changelog: Counter,
    from_store: Counter,
    last_sign: Instant,
}

enum Stage {
    Settling(Settling),
    Reading(Reading),
}

#[derive(Default)]
struct Reading {
    /// The partitions whose ends have not been seen.
    unread: BTreeSet<i32>,
    /// What the store has of them, until the changelog shows that it goes on from there.
    unproven: BTreeMap<i32, Snapshot>,
}

/// Takes a change: partition, key, value.
pub(crate) trait Take: FnMut(i32, &[u8], Option<&[u8]>) -> anyhow::Result<()> {}

impl<T: FnMut(i32, &[u8], Option<&[u8]>) -> anyhow::Result<()>> Take for T {}

enum Found {
    Some,
    /// Not at the moment.
    Nothing,
    All,
}

/// The wait until every transaction that has written to these partitions is decided, so that what
/// is read belongs to the offsets of the group.
///
/// A predecessor that was killed or stopped in the middle of one holds this up until Kafka aborts
/// it, which its `transaction.timeout.ms` brings about.
struct Settling {
    /// By partition, the end of what was written, decided or not.
    undecided: BTreeMap<i32, i64>,
    /// The partitions that hold anything.
    filled: BTreeSet<i32>,
    next_look: Instant,
}

impl Restoration {
    /// Begins to read these partitions.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub(crate) fn begin(
        (config, reader): (&ClientConfig, &Reader),
        changelog: &Arc<str>,
        partitions: &BTreeSet<i32>,
        store: Option<&Store>,
        metrics: &Metrics,
    ) -> anyhow::Result<Self> {
        let consumer = consumer(config, reader, changelog)?;
        let settling = Settling::begin((config, reader), changelog, partitions)?;
        Ok(Self {
            from_changelog: metrics.restored(changelog, "changelog"),
            from_store: metrics.restored(changelog, "store"),
            changelog: Arc::clone(changelog),
            consumer,
            store: store.cloned(),
            stage: Stage::Settling(settling),
            last_sign: clock::now(),
        })
    }

    /// Hands changes to `take` (partition, key, value) for about so long, or for as long as there
    /// are any. Returns whether all of them have been.
    ///
    /// # Errors
    /// When Kafka does not answer, or `take` fails.
    pub(crate) fn go_on(&mut self, slice: Duration, mut take: impl Take) -> anyhow::Result<bool> {
        if let Stage::Settling(settling) = &mut self.stage {
            let Some(filled) = settling.go_on(&self.consumer, &self.changelog)? else {
                return Ok(false);
            };
            self.read(filled)?;
        }
        let end = clock::now() + slice;
        loop {
            let found = self.take_some(&mut take)?;
            let now = clock::now();
            match found {
                Found::Some => self.last_sign = now,
                Found::Nothing => return self.wait(now).map(|()| false),
                Found::All => return Ok(true),
            }
            if now >= end {
                return Ok(false);
            }
        }
    }

    fn take_some(&mut self, take: &mut impl Take) -> anyhow::Result<Found> {
        let Stage::Reading(reading) = &mut self.stage else {
            return Ok(Found::Nothing);
        };
        let mut found = Found::Nothing;
        for _ in 0..CHANGES_AT_ONCE {
            if reading.unread.is_empty() {
                return Ok(Found::All);
            }
            match self.consumer.poll(Duration::ZERO) {
                Some(Ok(change)) => {
                    let partition = change.partition();
                    if let Some(snapshot) = reading.unproven.remove(&partition) {
                        if store::mark(&change) == snapshot.checkpoint().last {
                            self.take_stored(partition, &snapshot, take)?;
                        } else {
                            drop(change);
                            self.begin_anew(partition)?;
                        }
                        return Ok(Found::Some);
                    }
                    take(
                        partition,
                        change.key().unwrap_or_default(),
                        change.payload(),
                    )?;
                    self.from_changelog.inc();
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    if reading.unproven.remove(&partition).is_some() {
                        self.begin_anew(partition)?;
                        return Ok(Found::Some);
                    }
                    reading.unread.remove(&partition);
                }
                Some(Err(error)) => {
                    let code = error.rdkafka_error_code();
                    if let Some(code) = code.filter(|code| is_of_content(*code)) {
                        let changelog = &self.changelog;
                        bail!("changelog `{changelog}` cannot be read: {code}");
                    }
                    // Passing trouble, which its context has told.
                    break;
                }
                None => break,
            }
            found = Found::Some;
        }
        Ok(found)
    }

    /// All that the store has, at once.
    fn take_stored(
        &self,
        partition: i32,
        snapshot: &Snapshot,
        take: &mut impl Take,
    ) -> anyhow::Result<()> {
        let taken = snapshot.read(|(key, value)| {
            self.from_store.inc();
            take(partition, key, value)
        });
        taken.map_err(|error| match (error.downcast(), &self.store) {
            (Ok(damage), Some(store)) => {
                let told = anyhow!("the local store is of no use: {damage}");
                store.begin_anew(damage);
                told
            }
            (Ok(damage), None) => damage.into(),
            (Err(error), _) => error,
        })
    }

    /// The changelog does not go on where the store ends.
    fn begin_anew(&self, partition: i32) -> anyhow::Result<()> {
        let changelog = &*self.changelog;
        let why = Unusable::Unproven;
        tracing::info!(changelog, partition, "the local store is not used: {why}");
        self.consumer
            .seek(changelog, partition, Offset::Beginning, PATIENCE)
            .with_context(|| format!("read changelog `{changelog}` from its beginning"))
    }

    fn read(&mut self, partitions: BTreeSet<i32>) -> anyhow::Result<()> {
        let changelog = &self.changelog;
        let mut reading = Reading::default();
        let mut assignment = TopicPartitionList::new();
        for partition in partitions {
            let place = Place {
                changelog: Arc::clone(changelog),
                partition,
            };
            let stored = self.store.as_ref().and_then(|store| store.snapshot(&place));
            let offset = match &stored {
                Some(snapshot) => Offset::Offset(snapshot.checkpoint().last.offset),
                None => Offset::Beginning,
            };
            assignment.add_partition_offset(changelog, partition, offset)?;
            reading
                .unproven
                .extend(stored.map(|stored| (partition, stored)));
            reading.unread.insert(partition);
        }
        self.consumer
            .assign(&assignment)
            .with_context(|| format!("begin to read changelog `{changelog}`"))?;
        self.stage = Stage::Reading(reading);
        self.last_sign = clock::now();
        Ok(())
    }

    /// Nothing is there at the moment.
    fn wait(&self, now: Instant) -> anyhow::Result<()> {
        if now.saturating_duration_since(self.last_sign) > PATIENCE {
            let changelog = &self.changelog;
            bail!("changelog `{changelog}` cannot be read to its end: kafka does not answer");
        }
        Ok(())
    }
}

impl Settling {
    fn begin(
        (config, reader): (&ClientConfig, &Reader),
        changelog: &str,
        partitions: &BTreeSet<i32>,
    ) -> anyhow::Result<Self> {
        let mut config = config.clone();
        config.set("isolation.level", "read_uncommitted");
        let written = consumer(&config, reader, changelog)?;
        let mut settling = Self {
            undecided: BTreeMap::new(),
            filled: BTreeSet::new(),
            next_look: clock::now(),
        };
        for partition in partitions {
            let (begin, end) = ends(&written, changelog, *partition)?;
            settling.undecided.insert(*partition, end);
            if begin < end {
                settling.filled.insert(*partition);
            }
        }
        Ok(settling)
    }

    /// Looks whether all is decided, and says then which partitions hold anything.
    fn go_on(
        &mut self,
        committed: &BaseConsumer<Reader>,
        changelog: &str,
    ) -> anyhow::Result<Option<BTreeSet<i32>>> {
        let now = clock::now();
        if now < self.next_look {
            return Ok(None);
        }
        self.next_look = now + BETWEEN_LOOKS;
        while let Some(first) = self.undecided.first_entry() {
            if ends(committed, changelog, *first.key())?.1 < *first.get() {
                return Ok(None);
            }
            first.remove();
        }
        Ok(Some(std::mem::take(&mut self.filled)))
    }
}

/// A consumer that knows who leads the changelog's partitions: the first question to leaders that are
/// not known may wait 100 ms for them.
fn consumer(
    config: &ClientConfig,
    reader: &Reader,
    changelog: &str,
) -> anyhow::Result<Brief<BaseConsumer<Reader>>> {
    let consumer = BaseConsumer::from_config_and_context(config, reader.clone());
    let consumer = Brief::new(consumer.context("make a consumer of changelogs")?);
    consumer
        .fetch_metadata(Some(changelog), PATIENCE)
        .with_context(|| format!("find who leads changelog `{changelog}`"))?;
    Ok(consumer)
}

fn ends(
    consumer: &BaseConsumer<Reader>,
    changelog: &str,
    partition: i32,
) -> anyhow::Result<(i64, i64)> {
    consumer
        .fetch_watermarks(changelog, partition, PATIENCE)
        .with_context(|| format!("find the end of changelog `{changelog}`"))
}
