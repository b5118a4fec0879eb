//! The tasks of the partitions that this process has.

use super::{Ground, assignment::Event, catching_up::Old, placing::Placed, restoring::Restoring};
use crate::{
    Metrics, places,
    stand::Stand,
    status::Part,
    store::{Followed, Place},
    upstream::{Look, Own},
};
use anyhow::{Context as _, bail};
use bytes::Bytes;
use footfall_task::{
    Effects, Kind, Offset, Partition, Processor, Record, Send, Source, Task, Timestamp, Upstream,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// So many bytes and so many effects gather at most, whatever the commit interval.
const BYTES_AT_ONCE: usize = 16 << 20;
const EFFECTS_AT_ONCE: usize = 100_000;

pub(super) struct Partitions<'a, P: Processor> {
    ground: &'a Ground<P>,
    gathered: Gathered,
    sources: Vec<Source>,
    /// Sources that the processor itself writes.
    internal: BTreeSet<Arc<str>>,
    /// By topic, then partition: a record finds its task without a copy of its topic's name.
    running: Tasks<P::Task>,
    /// Those that wait for their state, as they came.
    restoring: VecDeque<Restoring<P::Task>>,
    /// Those that wait until the topics beside theirs have as many partitions.
    waiting: BTreeSet<(String, i32)>,
    /// Where records were expected and did not come: from, to.
    gaps: Vec<Gap>,
}

/// A leap in the offsets of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// Where a record was expected.
    pub(super) expected: Offset,
    /// Where one came.
    pub(super) found: Offset,
}

/// What is being written, and where the records end that it came from.
pub(super) struct Underway(Vec<Portion>);

/// That of one partition.
struct Portion {
    topic: String,
    partition: i32,
    next: Option<Offset>,
    stand: Stand,
    effects: Effects,
}

pub(super) type Tasks<T> = BTreeMap<String, BTreeMap<i32, Running<T>>>;

/// A task and what it has not committed yet.
pub(super) struct Running<T> {
    pub(super) task: T,
    effects: Effects,
    records: prometheus_client::metrics::counter::Counter,
    /// Where reading goes on.
    next: Option<Offset>,
    /// What the group knows of that.
    committed: Option<Offset>,
    /// Where those who read it stand.
    stand: Stand,
    /// What the group knows of that.
    known_stand: Stand,
    /// Whether any of those stands elsewhere than the group.
    is_split: bool,
    /// Whether it is known where it is read from. Until then nothing is read or written.
    is_placed: bool,
    /// Whether the group knows that it is here.
    is_claimed: bool,
    /// Whether there is something to write without a record.
    is_due: bool,
    look: Looking,
    /// Its state in the local store, for as long as this is.
    followed: Vec<Followed>,
}

/// What a task is to know of the partitions upstream.
enum Looking {
    No,
    /// It is being asked for.
    Asked,
    /// It may know once its own partition is read up to the end that it had then.
    Found(Arc<[Upstream]>, Own),
}

impl<'a, P: Processor> Partitions<'a, P> {
    pub(super) fn new(ground: &'a Ground<P>) -> Self {
        let sources = ground.processor.sources();
        let written = sources.iter().flat_map(|source| &source.beside);
        let internal = written.map(|internal| Arc::clone(&internal.topic));
        Self {
            internal: internal.collect(),
            sources,
            ground,
            gathered: Gathered::default(),
            running: BTreeMap::new(),
            restoring: VecDeque::new(),
            waiting: BTreeSet::new(),
            gaps: Vec::new(),
        }
    }

    /// Follows what the group has decided.
    pub(super) fn change(&mut self, event: Event) {
        match event {
            Event::Revoked(places) => {
                tracing::info!(count = places.len(), "partitions revoked");
                self.waiting.retain(|place| !places.contains(place));
                // What is not written yet is forgotten: the next owner reads those records again.
                let waiting = self.restoring.iter_mut().map(Restoring::tasks);
                for tasks in waiting.chain([&mut self.running]) {
                    for (topic, partition) in &places {
                        if let Some(partitions) = tasks.get_mut(topic) {
                            partitions.remove(partition);
                        }
                    }
                }
            }
            Event::Assigned(places) => {
                tracing::info!(count = places.len(), "partitions assigned");
                let is_wide = |place: &(String, i32)| self.is_wide(&place.0, place.1);
                let (wide, narrow): (BTreeSet<_>, _) = places.into_iter().partition(is_wide);
                self.waiting.extend(narrow);
                let tasks = self.begin(wide);
                self.restoring.push_back(Restoring::new(tasks));
                // Before it is said that they have come, or this would be ready for a moment.
                self.tell();
                self.ground.status.goes_on(Part::Joining);
                self.ground.status.goes_on(Part::Session);
            }
        }
        let waiting = self.restoring.iter_mut().map(Restoring::tasks);
        let all = waiting.chain([&mut self.running]);
        let places = all.flat_map(|tasks| places(tasks));
        let places = places.chain(self.waiting.iter().cloned()).collect();
        self.ground.assign(places);
    }

    /// Whether the group has given out none.
    pub(super) fn is_empty(&self) -> bool {
        self.restoring.is_empty() && self.running.values().all(BTreeMap::is_empty)
    }

    /// Whether partitions wait for their state.
    pub(super) fn is_restoring(&self) -> bool {
        !self.restoring.is_empty()
    }

    /// Goes on with bringing state back, for a short while, and says whether partitions have it now.
    ///
    /// # Errors
    /// When state cannot be restored.
    pub(super) fn restore(&mut self) -> anyhow::Result<bool> {
        self.take_up();
        let Some(first) = self.restoring.front_mut() else {
            return Ok(false);
        };
        let is_done = first.go_on(self.ground)?;
        if is_done && let Some(mut first) = self.restoring.pop_front() {
            let mut tasks = std::mem::take(first.tasks());
            for (topic, partitions) in &mut tasks {
                for (partition, running) in partitions {
                    let restored = running.task.restored();
                    restored
                        .with_context(|| format!("state of `{topic}`, partition {partition}"))?;
                }
            }
            self.follow(&mut tasks);
            for (topic, partitions) in tasks {
                self.running.entry(topic).or_default().extend(partitions);
            }
        }
        self.tell();
        Ok(is_done)
    }

    /// Begins to bring back the state of partitions that have what they need by now.
    fn take_up(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let waiting = self.waiting.iter();
        let wide = waiting.filter(|(topic, partition)| self.is_wide(topic, *partition));
        let wide: BTreeSet<_> = wide.cloned().collect();
        if !wide.is_empty() {
            self.waiting.retain(|place| !wide.contains(place));
            let tasks = self.begin(wide);
            self.restoring.push_back(Restoring::new(tasks));
        }
    }

    /// Whether all topics have this partition that must have it with a source: one that was added to
    /// the source alone has nowhere to leave its state. The watch says which topics lack it.
    fn is_wide(&self, topic: &str, partition: i32) -> bool {
        let sources = self.sources.iter().filter(|source| *source.topic == *topic);
        let mut beside = sources.flat_map(|source| &source.beside);
        beside.all(|internal| {
            let count = self.ground.places.count(&internal.topic);
            let has = |count| usize::try_from(partition).is_ok_and(|partition| partition < count);
            !internal.same_partitions || count.is_some_and(has)
        })
    }

    /// Says which state is waited for, if any, or that it is not known yet where records begin.
    pub(super) fn tell(&self) {
        let status = &self.ground.status;
        match self.restoring.iter().find_map(Restoring::awaited) {
            Some(changelog) => {
                let reason = format!("restoring state from `{changelog}`");
                status.holds_up(Part::Restore, reason);
            }
            None if !self.unplaced().is_empty() => {
                let group = &self.ground.config.group;
                let reason = format!("waiting for the offsets of consumer group `{group}`");
                status.holds_up(Part::Restore, reason);
            }
            None => status.goes_on(Part::Restore),
        }
    }

    /// Processes a record at about `now`, and says how long its effects may wait to be written.
    ///
    /// # Errors
    /// When it is of a partition that has not got its state yet.
    pub(super) fn process(
        &mut self,
        record: &Record<'_>,
        now: Timestamp,
    ) -> anyhow::Result<Duration> {
        let interval = self.ground.config.commit_interval;
        let partitions = self.running.get_mut(record.topic);
        let running = partitions.and_then(|running| running.get_mut(&record.partition.0));
        // A record of a partition that has just been revoked is another's matter.
        let Some(running) = running else {
            return self.pass_by(record).map(|()| interval);
        };
        if let Some(expected) = running.next
            && expected != record.offset
        {
            self.gaps.push(Gap {
                topic: record.topic.to_owned(),
                partition: record.partition.0,
                expected,
                found: record.offset,
            });
        }
        let before = running.effects.sends.len();
        running.task.process(record, now, &mut running.effects);
        running.comes_to(record.offset.next());
        running.records.inc();
        let sends = &running.effects.sends[before..];
        self.gathered.add(sends);
        // What goes by way of another partition waits twice, and no longer for that.
        Ok(if sends.iter().any(|send| send.kind == Kind::Repartition) {
            interval / 4
        } else if self.internal.contains(record.topic) {
            interval / 2
        } else {
            interval
        })
    }

    /// The partitions that have their state, and of which it is not known where they are read from.
    pub(super) fn unplaced(&self) -> Vec<(String, i32)> {
        let all = self.running.iter().flat_map(|(topic, partitions)| {
            let unplaced = partitions.iter().filter(|(_, running)| !running.is_placed);
            unplaced.map(|(partition, _)| (topic.clone(), *partition))
        });
        all.collect()
    }

    /// Says where the records of a partition begin, and for whom.
    pub(super) fn place(&mut self, (topic, partition): &(String, i32), placed: Placed) {
        let partitions = self.running.get_mut(topic);
        let Some(running) = partitions.and_then(|running| running.get_mut(partition)) else {
            return;
        };
        (running.next, running.committed) = (placed.group, placed.group);
        running.stand = placed.stand;
        running.known_stand.clone_from(&running.stand);
        running.is_split = running.stand.least().is_some();
        running.is_placed = true;
        for reader in self.ground.processor.readers(topic) {
            match running.stand.of(&reader.name) {
                Some(offset) if running.is_behind(offset) => {
                    running.task.reads_from(&reader.name, None);
                }
                other => running
                    .task
                    .reads_from(&reader.name, other.or(Some(Offset(0)))),
            }
        }
    }

    /// From where old records are read for readers that stand behind the group.
    pub(super) fn behind(&self) -> BTreeMap<(String, i32), Offset> {
        let all = self.running.iter().flat_map(|(topic, partitions)| {
            partitions.iter().filter_map(move |(partition, running)| {
                let least = running.stand.least()?;
                let is_behind = running.is_behind(least);
                is_behind.then_some(((topic.clone(), *partition), least))
            })
        });
        all.collect()
    }

    /// Processes a record for those alone who stand behind the group; whether there is nobody any
    /// more.
    pub(super) fn catch_up(
        &mut self,
        topic: &str,
        partition: i32,
        old: &Old<'_>,
        now: Timestamp,
    ) -> bool {
        let partitions = self.running.get_mut(topic);
        let Some(running) = partitions.and_then(|running| running.get_mut(&partition)) else {
            return true;
        };
        let Some(group) = running.next else {
            return true;
        };
        let next = match old {
            Old::Record(record) if record.offset < group => record.offset.next(),
            // All that the others have read was there.
            Old::Record(_) | Old::End => group,
        };
        let before = running.effects.sends.len();
        for reader in self.ground.processor.readers(topic) {
            let at = running.stand.of(&reader.name);
            let Some(at) = at.filter(|at| *at < group) else {
                continue;
            };
            if let Old::Record(record) = old
                && at <= record.offset
                && record.offset < group
            {
                let effects = &mut running.effects;
                running.task.catch_up(&reader.name, record, now, effects);
            }
            if next == group {
                running.stand.comes_to(&reader.name, None);
                running.task.reads_from(&reader.name, Some(group));
            } else {
                running.stand.comes_to(&reader.name, Some(at.max(next)));
            }
        }
        self.gathered.add(&running.effects.sends[before..]);
        next == group
    }

    /// Where records did not come one after the other since the last call: what transactions and
    /// compaction leave, or what Kafka has deleted.
    pub(super) fn take_gaps(&mut self) -> Vec<Gap> {
        std::mem::take(&mut self.gaps)
    }

    /// Has all state that this changelog held written with the next commit.
    pub(super) fn refill(&mut self, changelog: &str) {
        for running in all_mut(&mut self.running) {
            if running
                .task
                .changelogs()
                .iter()
                .any(|name| **name == *changelog)
            {
                running.task.refill(changelog);
                running.is_due = true;
            }
        }
    }

    /// A partition is read up to `next`, what transactions leave between records included. Returns
    /// whether that is further than its last record.
    pub(super) fn pass(&mut self, topic: &str, partition: i32, next: Offset) -> bool {
        let partitions = self.running.get_mut(topic);
        let running = partitions.and_then(|running| running.get_mut(&partition));
        let is_further = |running: &&mut Running<_>| running.is_placed && running.next < Some(next);
        let Some(running) = running.filter(is_further) else {
            return false;
        };
        running.comes_to(next);
        true
    }

    /// Which topics must be looked at for tasks that want to know how far they are read, and the
    /// places of those tasks.
    pub(super) fn begin_look(&mut self) -> (BTreeSet<Arc<str>>, BTreeSet<places::Place>) {
        let (mut topics, mut own) = (BTreeSet::new(), BTreeSet::new());
        for (topic, partitions) in &mut self.running {
            for (partition, running) in partitions {
                let may_ask = running.is_placed && matches!(running.look, Looking::No);
                if may_ask && running.task.begin_look() {
                    running.look = Looking::Asked;
                    topics.extend(running.task.upstream());
                    own.insert((topic.clone(), *partition));
                }
            }
        }
        (topics, own)
    }

    /// What was asked for is found, or cannot be.
    pub(super) fn looked(&mut self, found: Option<&Look>) {
        for (topic, partitions) in &mut self.running {
            for (partition, running) in partitions {
                if matches!(running.look, Looking::Asked) {
                    let place = (topic.clone(), *partition);
                    running.look = match found.map(|found| (found, found.own.get(&place))) {
                        Some((found, Some(own))) => {
                            Looking::Found(Arc::clone(&found.upstream), *own)
                        }
                        Some((_, None)) | None => Looking::No,
                    };
                }
            }
        }
    }

    /// Tells those tasks what was found that have come far enough, and whether one has something to
    /// write because of it.
    pub(super) fn look(&mut self) -> bool {
        let mut is_due = false;
        for running in all_mut(&mut self.running) {
            if let Looking::Found(upstream, Own { read, end }) = &running.look
                && running.all_have_read().max(*read) >= Some(*end)
            {
                running.is_due |= running.task.look(upstream);
                is_due |= running.is_due;
                running.look = Looking::No;
            }
        }
        is_due
    }

    /// Tells the tasks of the clock, and whether one has something to write because of it.
    pub(super) fn tick(&mut self, clock: Duration) -> bool {
        let mut is_due = false;
        let placed = all_mut(&mut self.running).filter(|running| running.is_placed);
        for running in placed {
            running.is_due |= running.task.tick(clock);
            is_due |= running.is_due;
        }
        is_due
    }

    /// Whether there is enough to write before the commit interval is over.
    pub(super) fn is_full(&self) -> bool {
        let tasks = self.running.values().flat_map(BTreeMap::values);
        let waiting: usize = tasks.map(|running| running.task.waiting()).sum();
        self.gathered.effects + waiting >= EFFECTS_AT_ONCE || self.gathered.bytes >= BYTES_AT_ONCE
    }

    /// Has the tasks say what has gathered since they were asked last.
    pub(super) fn gather(&mut self) {
        self.gathered = Gathered::default();
        let changed = all_mut(&mut self.running).filter(|running| running.has_changed());
        for running in changed {
            running.is_due = false;
            running.task.commit(&mut running.effects);
        }
    }

    /// Takes out what has gathered, to be written. What is processed from now on comes after it.
    pub(super) fn take(&mut self) -> Underway {
        let mut parts = Vec::new();
        for (topic, partitions) in &mut self.running {
            for (partition, running) in partitions {
                if running.is_ahead() || !running.effects.sends.is_empty() {
                    parts.push(Portion {
                        topic: topic.clone(),
                        partition: *partition,
                        next: running.next,
                        stand: running.stand.clone(),
                        effects: std::mem::take(&mut running.effects),
                    });
                }
            }
        }
        Underway(parts)
    }

    /// Tells of what is written.
    pub(super) fn written(&self, underway: &Underway) {
        for part in &underway.0 {
            let metrics = &self.ground.metrics;
            metrics.count(&part.topic, part.partition, &part.effects);
            self.ground.processor.written(&part.effects);
        }
    }

    /// Puts back what could not be written, before what has come since.
    pub(super) fn take_back(&mut self, underway: Underway) {
        for part in underway.0 {
            let partitions = self.running.get_mut(&part.topic);
            if let Some(running) = partitions.and_then(|all| all.get_mut(&part.partition)) {
                self.gathered.add(&part.effects.sends);
                let later = std::mem::replace(&mut running.effects, part.effects);
                running.effects.sends.extend(later.sends);
                running.effects.counted.extend(later.counted);
            }
        }
    }

    /// Remembers that the group knows its offsets.
    pub(super) fn committed(&mut self, underway: &Underway) {
        for part in &underway.0 {
            let partitions = self.running.get_mut(&part.topic);
            if let Some(running) = partitions.and_then(|all| all.get_mut(&part.partition)) {
                running.committed = part.next;
                running.known_stand.clone_from(&part.stand);
                running.is_claimed = true;
            }
        }
    }

    /// Whether a partition is here and has its state.
    pub(super) fn has(&self, topic: &str, partition: i32) -> bool {
        let partitions = self.running.get(topic);
        partitions.is_some_and(|running| running.contains_key(&partition))
    }

    /// Where reading a partition goes on, once a record of it was read.
    pub(super) fn next(&self, topic: &str, partition: i32) -> Option<Offset> {
        self.running.get(topic)?.get(&partition)?.next
    }

    /// How many records lie between what was processed and the `end` of each partition.
    pub(super) fn lag(&self, end: impl Fn(&str, i32) -> Option<Offset>) -> u64 {
        let places = self.running.iter().flat_map(|(topic, partitions)| {
            let end = &end;
            partitions.iter().filter_map(move |(partition, running)| {
                let left = end(topic, *partition)?.0 - running.next?.0;
                u64::try_from(left).ok()
            })
        });
        places.sum()
    }

    /// Partitions that the group does not know to be here, and of which nothing was read yet.
    /// With what they say: this address, and where readers stand.
    pub(super) fn unclaimed(&self, address: &str) -> BTreeMap<(String, i32), String> {
        let all = self.running.iter().flat_map(|(topic, partitions)| {
            let unclaimed = partitions
                .iter()
                .filter(|(_, running)| running.is_unclaimed());
            unclaimed.map(|(partition, running)| {
                let metadata = running.known_stand.metadata(Some(address));
                ((topic.clone(), *partition), metadata)
            })
        });
        all.collect()
    }

    /// Remembers that the group knows.
    pub(super) fn claimed(&mut self) {
        for running in all_mut(&mut self.running) {
            running.is_claimed = true;
        }
    }

    /// From now on the local store follows their changelogs.
    fn follow(&self, tasks: &mut Tasks<P::Task>) {
        let Some(store) = &self.ground.store else {
            return;
        };
        let tasks = tasks.values_mut().flatten();
        for (partition, running) in tasks {
            let changelogs = running.task.changelogs().into_iter();
            let places = changelogs.map(|changelog| Place {
                changelog,
                partition: *partition,
            });
            running.followed = places.map(|place| store.follow(place)).collect();
        }
    }

    /// A partition that is restored is paused. Should a record of it come all the same, it must not
    /// be left out.
    fn pass_by(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        let (topic, partition) = (record.topic, record.partition.0);
        let mut waiting = self.restoring.iter_mut().map(Restoring::tasks);
        if waiting.any(|tasks| {
            tasks
                .get(topic)
                .is_some_and(|at| at.contains_key(&partition))
        }) {
            bail!("a record of topic `{topic}`, partition {partition}, came before its state");
        }
        Ok(())
    }

    fn begin(&self, places: BTreeSet<(String, i32)>) -> Tasks<P::Task> {
        let mut begun = Tasks::new();
        for (topic, partition) in places {
            let metrics = &self.ground.metrics;
            let running = Running {
                task: self.ground.processor.task(&topic, Partition(partition)),
                effects: Effects::default(),
                records: metrics.records.get_or_create_owned(&Metrics::topic(&topic)),
                next: None,
                committed: None,
                stand: Stand::default(),
                known_stand: Stand::default(),
                is_split: false,
                is_placed: false,
                is_claimed: false,
                is_due: false,
                look: Looking::No,
                followed: Vec::new(),
            };
            begun.entry(topic).or_default().insert(partition, running);
        }
        begun
    }
}

impl Underway {
    /// What is to be written, in this order for each partition.
    pub(super) fn sends(&self) -> impl Iterator<Item = &Send> {
        self.0.iter().flat_map(|part| &part.effects.sends)
    }

    /// The offsets that the group does not know yet. What the clock has brought about goes with the
    /// last one, so that the group can refuse it from who has lost the partition.
    pub(super) fn offsets(&self) -> impl Iterator<Item = (&str, i32, Offset, &Stand)> {
        let parts = self.0.iter();
        parts.filter_map(|part| {
            let (topic, partition) = (part.topic.as_str(), part.partition);
            Some((topic, partition, part.next?, &part.stand))
        })
    }
}

fn places<T>(tasks: &Tasks<T>) -> impl Iterator<Item = (String, i32)> {
    tasks.iter().flat_map(|(topic, partitions)| {
        let partitions = partitions.keys();
        partitions.map(|partition| (topic.clone(), *partition))
    })
}

fn all_mut<T>(tasks: &mut Tasks<T>) -> impl Iterator<Item = &mut Running<T>> {
    tasks.values_mut().flat_map(BTreeMap::values_mut)
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Gathered {
    effects: usize,
    bytes: usize,
}

impl Gathered {
    fn add(&mut self, sends: &[Send]) {
        for Send { record, .. } in sends {
            let parts = record.key.iter().chain(&record.value);
            self.bytes += parts.map(Bytes::len).sum::<usize>();
        }
        self.effects += sends.len();
    }
}

impl<T> Running<T> {
    fn has_changed(&self) -> bool {
        self.is_placed && (self.is_ahead() || self.is_due)
    }

    fn is_unclaimed(&self) -> bool {
        self.is_placed && !self.is_claimed && !self.is_ahead()
    }

    fn is_ahead(&self) -> bool {
        self.next != self.committed || self.stand != self.known_stand
    }

    /// Up to where nobody lacks anything.
    fn all_have_read(&self) -> Option<Offset> {
        let least = self.stand.least();
        self.next
            .map(|group| least.map_or(group, |least| least.min(group)))
    }

    /// Whether a reader that stands there is behind the group.
    fn is_behind(&self, offset: Offset) -> bool {
        self.next.is_some_and(|group| offset < group)
    }

    /// All but those who stand elsewhere have read until there.
    fn comes_to(&mut self, next: Offset) {
        if self.is_split {
            let before = self.next.unwrap_or(Offset(0));
            self.stand.group_comes_to(before, next);
            self.is_split = self.stand.least().is_some();
        }
        self.next = Some(next);
    }
}
