//! One life of the work: a consumer in the group, a task for each partition it is given, and the
//! loop that processes, writes and commits.

mod assignment;
mod catching_up;
mod intake;
mod partitions;
mod placing;
mod restoring;
mod stops;

use crate::{
    Config, Delivery, Metrics, Places, Status,
    changelogs::Ids,
    clock,
    definition::{Definition, Role},
    instance::Instance,
    native::{Inbox, admin::topic_ids},
    owners,
    places::Place,
    reader::{Reader, Reads},
    status::{Part, Report, Worker},
    store::Store,
    tables::Tables,
    upstream::{Look, Question},
    watch::Assigned,
    writer::{Meanwhile, Outcome, Undone, Writer},
};
use anyhow::{Context as _, bail};
use assignment::Assignment;
use catching_up::CatchingUp;
use footfall_task::{Kind, Offset, Processor, Timestamp};
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
use stops::Stops;
use tokio::sync::{
    mpsc,
    oneshot::{self, error::TryRecvError},
    watch,
};
use tokio_util::sync::CancellationToken;

/// How often the loop looks around when there are no records.
const TICK: Duration = Duration::from_millis(50);
/// How often it is looked how far partitions upstream are read.
const LOOK: Duration = Duration::from_millis(250);
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

/// How long the group may take to say which changelogs are there, which work does not depend on.
const ASKING: Duration = Duration::from_secs(1);
/// Until a changelog that is gone has been made anew.
const AFTER_A_LOSS: Duration = Duration::from_secs(1);
/// How long it may take to seek.
const SEEKING: Duration = Duration::from_secs(3);
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
    /// How the whole process is.
    pub(crate) whole: Arc<Status>,
    pub(crate) metrics: Metrics,
    pub(crate) tables: Arc<Tables>,
    /// How many partitions topics have.
    pub(crate) places: Arc<Places>,
    /// What all members of the group must agree on.
    pub(crate) definition: Arc<Definition>,
    /// What the changelogs are, as far as that is known.
    pub(crate) changelogs: watch::Receiver<Ids>,
    /// What is kept of changelogs on this machine, if anything.
    pub(crate) store: Option<Store>,
    /// Where to ask how far partitions upstream are read.
    pub(crate) looks: mpsc::Sender<Question>,
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

    /// A producer of this worker's effects.
    fn writer(&self) -> anyhow::Result<Writer> {
        let writer = Writer::new(
            &self
                .config
                .effect_producer(self.instance.name(), self.worker),
            self.status.clone(),
            self.metrics.clone(),
            self.stop.clone(),
        )?;
        if self.config.delivery == Delivery::ExactlyOnce {
            writer.prepare_transactions()?;
        }
        Ok(writer)
    }

    /// For a consumer of this worker.
    pub(crate) fn reader(&self, reads: Reads) -> Reader {
        Reader::new(reads, &self.whole, &self.metrics)
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
    seeks: BTreeMap<Place, Offset>,
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
    /// What the changelogs are that hold the state of what is here.
    changelogs: Ids,
    /// How far partitions upstream are read, once that is known.
    look: Option<oneshot::Receiver<Look>>,
    next_look: Instant,
}

impl<'a, P: Processor> Session<'a, P> {
    pub(crate) fn new(ground: &'a Ground<P>) -> anyhow::Result<Self> {
        let mut config = ground.config.source_consumer(ground.worker);
        let mark = ground
            .definition
            .mark(ground.config.client_id(), Role::Works);
        config.set("client.id", mark);
        let reader = ground.reader(Reads::Sources);
        let context = Assignment::new(reader.clone());
        let consumer =
            BaseConsumer::from_config_and_context(&config, context).context("make a consumer")?;
        let consumer = Arc::new(consumer);
        let inbox = Inbox::of(&consumer)?;
        consumer.context().set_inbox(Arc::downgrade(inbox.queue()));
        let writer = ground.writer()?;
        Ok(Self {
            ground,
            intake: Intake::new(
                inbox,
                Partitions::new(ground),
                Stops::new(ground.status.clone()),
                reader,
                ground.metrics.deleted_records.clone(),
            ),
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
            changelogs: ground.changelogs.borrow().clone(),
            look: None,
            next_look: clock::now(),
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
            self.mend();
            self.refill();
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
                let Intake {
                    partitions, stops, ..
                } = &mut self.intake;
                stops.forget(|topic, partition| partitions.has(topic, partition));
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

    /// Has the state that a changelog held written once more, where it was made anew.
    fn refill(&mut self) {
        if *self.ground.changelogs.borrow() == self.changelogs {
            return;
        }
        let found = self.ground.changelogs.borrow().clone();
        for (changelog, id) in &found {
            if self
                .changelogs
                .get(changelog)
                .is_some_and(|known| known != id)
            {
                self.intake.partitions.refill(changelog);
                self.intake.due = Some(clock::now());
            }
        }
        self.changelogs = found;
    }

    /// After a transaction was undone: whether a changelog is gone, or is another one. Then the state
    /// that is here is all there is of it, and a new session would begin without.
    fn has_lost_a_changelog(&self) -> bool {
        let names: Vec<_> = self.changelogs.keys().map(String::as_str).collect();
        match topic_ids(self.consumer.client(), &names, ASKING) {
            Ok(found) => !names.is_empty() && found != self.changelogs,
            Err(error) => {
                tracing::debug!(%error, "asking which changelogs are there");
                false
            }
        }
    }

    /// Tries once more to read on where that was not possible.
    fn mend(&mut self) {
        for (topic, partition, failed_at) in self.intake.stops.due() {
            let next = self.intake.partitions.next(&topic, partition);
            let next = next.or_else(|| self.committed_at(&topic, partition));
            let Offset(next) = next.unwrap_or(failed_at);
            let to = rdkafka::Offset::Offset(next);
            let sought = self.consumer.seek(&topic, partition, to, SEEKING);
            if let Err(error) = &sought {
                tracing::debug!(%error, topic, partition, "reading on where that failed");
            }
            self.intake.stops.retried(&topic, partition, sought.is_ok());
        }
    }

    /// What the group knows of a partition of which nothing was read yet.
    fn committed_at(&self, topic: &str, partition: i32) -> Option<Offset> {
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition(topic, partition);
        let known = self.consumer.committed_offsets(wanted, SEEKING).ok()?;
        if let rdkafka::Offset::Offset(next) = known.elements().first()?.offset() {
            return Some(Offset(next));
        }
        None
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
        let now = Timestamp(clock::millis());
        let partitions = &mut self.intake.partitions;
        let has_some = self
            .catching_up
            .go_on(|topic, partition, old| Ok(partitions.catch_up(topic, partition, &old, now)))?;
        if has_some {
            let due = clock::now() + self.ground.config.commit_interval;
            self.intake.due = Some(self.intake.due.map_or(due, |earlier| earlier.min(due)));
        }
        Ok(())
    }

    fn subscribe(&mut self) -> anyhow::Result<()> {
        if *self.ground.readable.borrow() != self.subscribed {
            let readable = self.ground.readable.borrow().clone();
            if readable.is_empty() {
                bail!("the group works by another definition");
            }
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
            self.look_upstream(now);
        }
    }

    /// Has the tasks that want to know told how far partitions upstream are read.
    fn look_upstream(&mut self, now: Instant) {
        let partitions = &mut self.intake.partitions;
        match self.look.as_mut().map(oneshot::Receiver::try_recv) {
            Some(Ok(found)) => {
                partitions.looked(Some(&found));
                self.look = None;
            }
            Some(Err(TryRecvError::Closed)) => {
                partitions.looked(None);
                self.look = None;
            }
            Some(Err(TryRecvError::Empty)) | None => {}
        }
        if self.look.is_none() && now >= self.next_look {
            self.next_look = now + LOOK;
            self.pass_markers();
            let (topics, own) = self.intake.partitions.begin_look();
            if !own.is_empty() {
                let (answer, look) = oneshot::channel();
                let question = Question {
                    topics,
                    own,
                    answer,
                };
                // Where nobody answers, the sender is gone, which is seen at the next look.
                let _asked = self.ground.looks.try_send(question);
                self.look = Some(look);
            }
        }
        if self.intake.partitions.look() {
            self.intake.due = Some(now);
        }
    }

    /// Transactions leave markers between records. One at the end is read, too, or the partition
    /// would never be seen to be read to its end.
    fn pass_markers(&mut self) {
        let Ok(positions) = self.consumer.position() else {
            return;
        };
        let mut has_passed = false;
        for place in positions.elements() {
            // It is known from the first thing on that was taken of the partition. What could not be
            // read counts there as read, too.
            if let rdkafka::Offset::Offset(next) = place.offset()
                && !self.intake.stops.holds(place.topic(), place.partition())
            {
                let next = Offset(next);
                let partitions = &mut self.intake.partitions;
                has_passed |= partitions.pass(place.topic(), place.partition(), next);
            }
        }
        if has_passed {
            let interval = self.ground.config.commit_interval;
            self.intake.commit_within(interval);
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
        let outcome = match writer.transact(&sends, offsets, &membership, &mut meanwhile) {
            Err(error) if error.is::<Undone>() && self.has_lost_a_changelog() => {
                tracing::warn!(
                    "{error:#}; a changelog is gone, and what was read is written once more"
                );
                self.intake.partitions.take_back(underway);
                self.intake.due = Some(clock::now() + AFTER_A_LOSS);
                self.writer = self.ground.writer()?;
                return Ok(());
            }
            outcome => outcome?,
        };
        match outcome {
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
