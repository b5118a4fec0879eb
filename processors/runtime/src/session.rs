//! One life of the work: a consumer in the group, a task for each partition it is given, and the
//! loop that processes, writes and commits.

mod assignment;
mod catching_up;
mod intake;
mod partitions;
mod placing;
mod restoring;

use crate::{
    Config, Delivery, Metrics, clock,
    instance::Instance,
    native::Inbox,
    owners,
    places::Place,
    status::{Part, Report, Worker},
    store::Store,
    tables::Tables,
    watch::Assigned,
    writer::{Meanwhile, Outcome, Writer},
};
use anyhow::{Context as _, bail};
use assignment::Assignment;
use catching_up::CatchingUp;
use footfall_task::{Kind, Processor};
use intake::{Intake, check};
use partitions::{Partitions, Underway};
use placing::Placing;
use rdkafka::{
    Message as _, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerGroupMetadata},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the loop looks around when there are no records.
const TICK: Duration = Duration::from_millis(50);
/// How long the loop waits for records while state is restored.
const WHILE_RESTORING: Duration = Duration::from_millis(1);
/// How often the loop looks around while it has no partitions.
const WHILE_WAITING: Duration = Duration::from_millis(10);
/// After so many commits that the group has refused, only joining it anew helps.
const REFUSALS: u32 = 50;
/// How long it may take to wake the threads that fetch.
const WAKING: Duration = Duration::from_millis(200);
/// How many commit intervals a slow commit puts off the next one at most.
const LONGEST_BREATH: u32 = 4;

/// How long one try to claim or to place partitions may hold up the work, and how long until the next one.
const CLAIM: Duration = Duration::from_millis(500);

/// What sessions stand on, one after the other.
#[derive(Debug)]
pub(crate) struct Ground<P> {
    pub(crate) processor: Arc<P>,
    pub(crate) config: Arc<Config>,
    pub(crate) instance: Arc<Instance>,
    pub(crate) worker: Worker,
    pub(crate) status: Report,
    pub(crate) metrics: Metrics,
    pub(crate) tables: Arc<Tables>,
    /// What is kept of changelogs on this machine, if anything.
    pub(crate) store: Option<Store>,
    /// The sources that can be read.
    pub(crate) readable: watch::Receiver<Vec<String>>,
    /// Tells which partitions this worker has.
    pub(crate) assigned: watch::Sender<Assigned>,
    pub(crate) stop: CancellationToken,
}

impl<P> Ground<P> {
    /// Until partitions are given out, this worker is not ready.
    pub(crate) fn joins(&self) {
        let reason = format!("waiting for consumer group `{}`", self.config.group);
        self.status.holds_up(Part::Joining, reason);
    }

    /// Tells which partitions this worker has.
    pub(crate) fn assign(&self, places: BTreeSet<(String, i32)>) {
        let mut count = 0;
        self.assigned.send_modify(|assigned| {
            assigned.insert(self.worker, places);
            count = assigned.values().map(BTreeSet::len).sum();
        });
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.partitions.set(count);
    }
}

pub(crate) struct Session<'a, P: Processor> {
    ground: &'a Ground<P>,
    /// Before the consumer, so that it is dropped before it.
    intake: Intake<'a, P>,
    consumer: Arc<BaseConsumer<Assignment>>,
    writer: Writer,
    subscribed: Vec<String>,
    catching_up: CatchingUp,
    /// Where partitions are to be read from that are not placed yet.
    seeks: BTreeMap<Place, footfall_task::Offset>,
    /// Whether the group has decided something since old records were begun to be read.
    is_reassigned: bool,
    /// When it is asked again where partitions are read from.
    next_placing: Instant,
    /// So many commits in a row the group has refused.
    refusals: u32,
    began: Instant,
    /// When to say whose the partitions are of which nothing has been committed.
    next_claim: Option<Instant>,
    /// When the tasks are to be told of the clock again.
    next_tick: Instant,
}

impl<'a, P: Processor> Session<'a, P> {
    pub(crate) fn new(ground: &'a Ground<P>) -> anyhow::Result<Self> {
        let config = ground.config.source_consumer(ground.worker);
        let consumer = BaseConsumer::from_config_and_context(&config, Assignment::default())
            .context("make a consumer")?;
        let consumer = Arc::new(consumer);
        let inbox = Inbox::of(&consumer)?;
        consumer.context().set_inbox(Arc::downgrade(inbox.queue()));
        let writer = Writer::new(
            &ground
                .config
                .effect_producer(ground.instance.name(), ground.worker),
            ground.status.clone(),
            ground.metrics.clone(),
            ground.stop.clone(),
        )?;
        if ground.config.delivery == Delivery::ExactlyOnce {
            writer.prepare_transactions()?;
        }
        Ok(Self {
            ground,
            intake: Intake::new(inbox, Partitions::new(ground)),
            consumer,
            writer,
            subscribed: Vec::new(),
            catching_up: CatchingUp::default(),
            is_reassigned: false,
            seeks: BTreeMap::new(),
            next_placing: clock::now(),
            refusals: 0,
            began: clock::now(),
            next_claim: None,
            next_tick: clock::now(),
        })
    }

    /// Works until it is time to stop.
    ///
    /// # Errors
    /// When nothing but a new session helps.
    pub(crate) fn run(&mut self) -> anyhow::Result<()> {
        while !self.ground.stop.is_cancelled() {
            if !self.ground.tables.are_whole() {
                bail!("a table is read anew");
            }
            self.subscribe()?;
            self.read()?;
            self.restore()?;
            self.catch_up()?;
            self.tick();
            self.claim();
            if self.is_commit_due() {
                self.commit_and_breathe()?;
            }
        }
        self.commit()
    }

    /// Processes what is there, or waits for it.
    fn read(&mut self) -> anyhow::Result<()> {
        self.follow_the_group()?;
        let wait = self.until_commit();
        self.intake.process(wait).map(drop)
    }

    /// Does what the group has decided. Records come by the inbox alone.
    fn follow_the_group(&mut self) -> anyhow::Result<()> {
        loop {
            let polled = self.consumer.poll(Duration::ZERO);
            let events = self.consumer.context().take();
            let is_quiet = polled.is_none() && events.is_empty();
            let has_changed = !events.is_empty();
            for event in events {
                self.next_claim = Some(clock::now());
                self.next_placing = clock::now();
                self.intake.partitions.change(event);
            }
            self.is_reassigned |= has_changed;
            match polled {
                Some(Ok(record)) => bail!(
                    "a record of `{}` came past the inbox, which a new session will mend",
                    record.topic()
                ),
                Some(Err(error)) => check(&error)?,
                None if is_quiet => return Ok(()),
                None => {}
            }
        }
    }

    /// Brings state back a little further. Partitions that have theirs are read meanwhile.
    fn restore(&mut self) -> anyhow::Result<()> {
        if self.intake.partitions.restore()? {
            self.next_placing = clock::now();
        }
        let unplaced = self.intake.partitions.unplaced();
        self.seeks.retain(|place, _| unplaced.contains(place));
        if unplaced.is_empty() || self.next_placing > clock::now() {
            return Ok(());
        }
        let readable = self.place(&unplaced);
        self.intake.partitions.tell();
        let Some(readable) = readable.filter(|readable| readable.count() > 0) else {
            return Ok(());
        };
        self.next_claim = Some(clock::now());
        if !self.intake.partitions.behind().is_empty() {
            self.read_old()?;
        }
        self.consumer
            .resume(&readable)
            .context("read on where state is restored")?;
        // Resuming does not wake the threads that fetch, which may sleep for a second; a question
        // to every leader does.
        if let Err(error) = self.consumer.offsets_for_times(readable, WAKING) {
            tracing::debug!(%error, "waking those who fetch");
        }
        Ok(())
    }

    /// Finds out where partitions are read from; those for which that is known may be read.
    fn place(&mut self, unplaced: &[Place]) -> Option<TopicPartitionList> {
        let config = &self.ground.config;
        let placing = Placing {
            consumer: &self.consumer,
            address: config.address.as_deref(),
            patience: CLAIM,
            resets_to_earliest: config.resets_to_earliest(),
        };
        let placed = placing.place(unplaced, |topic| self.ground.processor.readers(topic));
        let placed = match placed {
            Ok(placed) => placed,
            Err(error) => {
                tracing::debug!("placing partitions: {error:#}");
                self.next_placing = clock::now() + CLAIM;
                return None;
            }
        };
        let mut readable = TopicPartitionList::new();
        for (place, placed) in placed {
            self.seeks
                .extend(placed.seek.map(|offset| (place.clone(), offset)));
            let (topic, partition) = (&place.0, place.1);
            if let Some(offset) = self.seeks.get(&place) {
                let offset = rdkafka::Offset::Offset(offset.0);
                if let Err(error) = self.consumer.seek(topic, partition, offset, CLAIM) {
                    // The client is still about to begin with it.
                    tracing::debug!(%error, topic, partition, "placing a partition");
                    self.next_placing = clock::now() + TICK;
                    continue;
                }
            }
            // Only what is placed may be read.
            if readable
                .add_partition_offset(topic, partition, rdkafka::Offset::End)
                .is_ok()
            {
                self.intake.partitions.place(&place, placed);
            }
        }
        Some(readable)
    }

    /// Reads what readers lack that stand behind the group.
    fn read_old(&mut self) -> anyhow::Result<()> {
        let behind = self.intake.partitions.behind();
        for ((topic, partition), offset) in &behind {
            tracing::info!(topic, partition, %offset, "old records are read for streams that are new or were away");
        }
        self.catching_up
            .read(&self.ground.config.observer(), &behind)
    }

    /// Processes what readers lack, beside what comes.
    fn catch_up(&mut self) -> anyhow::Result<()> {
        if self.catching_up.is_done() || self.intake.partitions.is_full() {
            return Ok(());
        }
        if std::mem::take(&mut self.is_reassigned) {
            self.read_old()?;
        }
        let partitions = &mut self.intake.partitions;
        let has_some = self
            .catching_up
            .go_on(|topic, partition, old| Ok(partitions.catch_up(topic, partition, &old)))?;
        if has_some {
            let due = clock::now() + self.ground.config.commit_interval;
            self.intake.due = Some(self.intake.due.map_or(due, |earlier| earlier.min(due)));
        }
        Ok(())
    }

    fn subscribe(&mut self) -> anyhow::Result<()> {
        if *self.ground.readable.borrow() != self.subscribed {
            let readable = self.ground.readable.borrow().clone();
            let topics: Vec<_> = readable.iter().map(String::as_str).collect();
            self.consumer.subscribe(&topics).context("subscribe")?;
            tracing::info!(topics = topics.join(", "), "subscribed");
            self.ground.joins();
            self.ground.status.goes_on(Part::Session);
            self.subscribed = readable;
        }
        Ok(())
    }

    /// Tells the tasks how late it is, though not at every record.
    fn tick(&mut self) {
        let now = clock::now();
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            let clock = now.duration_since(self.began);
            if self.intake.partitions.tick(clock) {
                self.intake.due = Some(now);
            }
        }
    }

    /// Tells the group who answers for what is new here; what is read of it meanwhile tells it
    /// without this.
    fn claim(&mut self) {
        let now = clock::now();
        if let Some(address) = &self.ground.config.address
            && self.next_claim.is_some_and(|due| due <= now)
        {
            let unclaimed = self.intake.partitions.unclaimed(address);
            match owners::claim(&self.consumer, &unclaimed, CLAIM) {
                Ok(()) => {
                    self.intake.partitions.claimed();
                    self.next_claim = None;
                }
                Err(error) => {
                    tracing::debug!(%error, "claiming partitions");
                    self.next_claim = Some(now + CLAIM);
                }
            }
        }
    }

    fn until_commit(&self) -> Duration {
        let is_busy = self.intake.partitions.is_restoring() || !self.catching_up.is_done();
        let longest = if is_busy {
            WHILE_RESTORING
        } else if self.intake.partitions.is_empty() {
            WHILE_WAITING
        } else {
            TICK
        };
        let due = self
            .intake
            .due()
            .map(|due| due.saturating_duration_since(clock::now()));
        due.map_or(longest, |left| left.min(longest))
    }

    fn is_commit_due(&self) -> bool {
        let is_due = self.intake.due().is_some_and(|due| due <= clock::now());
        is_due || self.intake.partitions.is_full()
    }

    /// While more is left on Kafka than the last commit was about, a commit that took longer than
    /// the interval is followed by as long a time without one: the more records there are to it,
    /// the fewer changes of state and results each of them brings about.
    fn commit_and_breathe(&mut self) -> anyhow::Result<()> {
        let processed = self.intake.take_processed();
        let begin = clock::now();
        self.commit()?;
        let end = clock::now();
        let took = end.saturating_duration_since(begin);
        let interval = self.ground.config.commit_interval;
        if took > interval && self.intake.lag() > processed {
            self.intake.not_before = end + took.min(interval * LONGEST_BREATH);
        }
        Ok(())
    }

    /// Writes what has gathered and commits the offsets it came from.
    fn commit(&mut self) -> anyhow::Result<()> {
        self.intake.due = None;
        self.intake.partitions.gather();
        let underway = self.intake.partitions.take();
        let mut offsets = TopicPartitionList::new();
        let address = self.ground.config.address.as_deref();
        for (topic, partition, offset, stand) in underway.offsets() {
            let metadata = stand.metadata(address);
            owners::add(&mut offsets, topic, partition, offset, &metadata)?;
        }
        match self.ground.config.delivery {
            Delivery::AtLeastOnce => self.write_then_commit(&underway, offsets),
            Delivery::ExactlyOnce => self.commit_as_one(underway, &offsets),
        }
    }

    /// Changes of state are written after results, so that a result whose window is gone from the
    /// state has been said.
    fn write_then_commit(
        &mut self,
        underway: &Underway,
        offsets: TopicPartitionList,
    ) -> anyhow::Result<()> {
        let (changes, results): (Vec<_>, Vec<_>) =
            underway.sends().partition(|send| send.kind == Kind::Change);
        for sends in [results, changes] {
            let mut meanwhile = Meanwhile {
                is_lost: &|| self.consumer.assignment_lost(),
                work: &mut || self.intake.process(Duration::ZERO),
            };
            self.writer.write(&sends, &mut meanwhile)?;
        }
        self.intake.partitions.written(underway);
        if offsets.count() == 0 {
            return Ok(());
        }
        match self.consumer.commit(&offsets, CommitMode::Sync) {
            Ok(()) => {
                self.consumer.context().owe_nothing();
                self.committed(underway);
            }
            // While the group rebalances or its coordinator is away. The effects are written; the
            // offsets go with the next commit, or with the partition to who gets it.
            Err(error) => {
                self.ground.metrics.failed_commits.inc();
                tracing::warn!(%error, "offsets are not committed, and will be with the next commit");
                self.consumer.context().owe(offsets);
                self.intake.due = Some(clock::now() + self.ground.config.commit_interval);
            }
        }
        Ok(())
    }

    /// In one transaction, so that no crash can come in between.
    fn commit_as_one(
        &mut self,
        underway: Underway,
        offsets: &TopicPartitionList,
    ) -> anyhow::Result<()> {
        let sends: Vec<_> = underway.sends().collect();
        if sends.is_empty() && offsets.count() == 0 {
            return Ok(());
        }
        let membership = self.membership();
        let membership = membership.context("the group has given out no partitions yet")?;
        let mut meanwhile = Meanwhile {
            is_lost: &|| self.consumer.assignment_lost(),
            work: &mut || self.intake.process(Duration::ZERO),
        };
        let writer = &self.writer;
        match writer.transact(&sends, offsets, &membership, &mut meanwhile)? {
            Outcome::Committed => {
                self.refusals = 0;
                self.intake.partitions.written(&underway);
                self.committed(&underway);
            }
            // Effects of partitions that stay are written with the next transaction; others go
            // with their partitions, when the event that says so comes.
            Outcome::Refused(error) => {
                self.refusals += 1;
                self.ground.metrics.failed_commits.inc();
                if self.refusals >= REFUSALS {
                    return Err(error).context("commit as a member of the group");
                }
                tracing::info!(%error, "the group has moved on; what was read is written once more");
                self.intake.partitions.take_back(underway);
                self.intake.due = Some(clock::now() + self.ground.config.commit_interval);
            }
        }
        Ok(())
    }

    /// With the newer protocol a member's epoch moves on only after the member has let go of what it
    /// must (KIP-848), and also without any event; with the older one each generation has its event.
    fn membership(&self) -> Option<Arc<ConsumerGroupMetadata>> {
        if self.ground.config.is_group_of_brokers() {
            self.consumer.group_metadata().map(Arc::new)
        } else {
            self.consumer.context().membership()
        }
    }

    fn committed(&mut self, underway: &Underway) {
        self.intake.partitions.committed(underway);
        self.ground.metrics.commits.inc();
    }
}
