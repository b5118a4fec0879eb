//! The tasks of the partitions that this process has.

use super::{
    Ground,
    assignment::Event,
    held::Held,
    inquiry::Inquiry,
    parcels::{Parcel, Place as Done, Portion, Underway},
    restoring::Restoring,
};
use crate::{
    Metrics, places,
    status::Part,
    store::{Followed, Place},
    upstream::{Look, Own},
};
use anyhow::bail;
use footfall_task::{
    Cause, Effects, Kind, Offset, Partition, Processor, Record, Refusal, Send, Source, Task,
    Timestamp, Upstream,
};
use rdkafka::error::RDKafkaErrorCode;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
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
    /// The searches for records whose results Kafka does not take.
    inquiries: BTreeMap<(String, i32), Inquiry>,
    /// Records of which dead letters are to be made, until that is committed.
    aside: BTreeMap<(String, i32), Vec<(Offset, Refusal)>>,
    /// What waits for topics that take no records. Their partitions are not read.
    pub(super) held: Held,
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

pub(super) type Tasks<T> = BTreeMap<String, BTreeMap<i32, Running<T>>>;

/// A task and what it has not committed yet.
pub(super) struct Running<T> {
    pub(super) task: T,
    effects: Effects,
    /// The first record since the last commit, and how many there are.
    begin: Option<Offset>,
    count: usize,
    /// Whether what came of it waits for a topic.
    is_held: bool,
    records: prometheus_client::metrics::counter::Counter,
    /// Where reading goes on.
    next: Option<Offset>,
    /// Where the group has it begin, as far as that is known.
    begins: Option<Offset>,
    /// What the group knows of that.
    committed: Option<Offset>,
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
            inquiries: BTreeMap::new(),
            aside: BTreeMap::new(),
            held: Held::default(),
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
                self.held.forget(&places);
                self.inquiries.retain(|place, _| !places.contains(place));
                self.aside.retain(|place, _| !places.contains(place));
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

    /// Goes on with bringing state back, for a short while, and says which partitions have it now.
    ///
    /// # Errors
    /// When state cannot be restored.
    pub(super) fn restore(&mut self) -> anyhow::Result<Vec<(String, i32)>> {
        self.take_up();
        let Some(first) = self.restoring.front_mut() else {
            return Ok(Vec::new());
        };
        let is_done = first.go_on(self.ground)?;
        let mut restored = Vec::new();
        if is_done && let Some(mut first) = self.restoring.pop_front() {
            let mut tasks = std::mem::take(first.tasks());
            restored.extend(places(&tasks));
            self.follow(&mut tasks);
            for (topic, partitions) in tasks {
                self.running.entry(topic).or_default().extend(partitions);
            }
        }
        self.tell();
        Ok(restored)
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

    /// Says which state is waited for, if any.
    fn tell(&self) {
        let status = &self.ground.status;
        match self.restoring.iter().find_map(Restoring::awaited) {
            Some(changelog) => {
                let reason = format!("restoring state from `{changelog}`");
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
        if let Some(expected) = running.next.or(running.begins)
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
        running.next = Some(record.offset.next());
        running.begin.get_or_insert(record.offset);
        running.count += 1;
        running.records.inc();
        for send in &mut running.effects.sends[before..] {
            send.cause = Cause::Record(record.offset);
        }
        let sends = &running.effects.sends[before..];
        self.gathered.add(sends);
        if !self.inquiries.is_empty() {
            let place = (record.topic.to_owned(), record.partition.0);
            if let Some(inquiry) = self.inquiries.get_mut(&place) {
                inquiry.process();
                return Ok(Duration::ZERO);
            }
        }
        // What goes by way of another partition waits twice, and no longer for that.
        Ok(if sends.iter().any(|send| send.kind == Kind::Repartition) {
            interval / 4
        } else if self.internal.contains(record.topic) {
            interval / 2
        } else {
            interval
        })
    }

    /// Where records did not come one after the other since the last call: what transactions and
    /// compaction leave, or what Kafka has deleted.
    pub(super) fn take_gaps(&mut self) -> Vec<Gap> {
        std::mem::take(&mut self.gaps)
    }

    /// Says where the group has a partition begin.
    pub(super) fn begins(&mut self, topic: &str, partition: i32, at: Offset) {
        let partitions = self.running.get_mut(topic);
        if let Some(running) = partitions.and_then(|running| running.get_mut(&partition)) {
            running.begins = Some(at);
        }
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
        let Some(running) = running.filter(|running| running.next < Some(next)) else {
            return false;
        };
        running.next = Some(next);
        true
    }

    /// Which topics must be looked at for tasks that want to know how far they are read, and the
    /// places of those tasks.
    pub(super) fn begin_look(&mut self) -> (BTreeSet<Arc<str>>, BTreeSet<places::Place>) {
        let (mut topics, mut own) = (BTreeSet::new(), BTreeSet::new());
        for (topic, partitions) in &mut self.running {
            for (partition, running) in partitions {
                if matches!(running.look, Looking::No) && running.task.begin_look() {
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
                && running.next.max(*read) >= Some(*end)
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
        for running in all_mut(&mut self.running) {
            running.is_due |= running.task.tick(clock);
            is_due |= running.is_due;
        }
        is_due
    }

    /// Whether there is enough to write before the commit interval is over.
    pub(super) fn is_full(&self) -> bool {
        let tasks = self.running.values().flat_map(BTreeMap::values);
        let waiting: usize = tasks.map(|running| running.task.waiting()).sum();
        self.gathered.effects + waiting >= EFFECTS_AT_ONCE
            || self.gathered.bytes >= BYTES_AT_ONCE
            || self.inquiries.values().any(Inquiry::is_at_step)
    }

    /// Whether a record is searched for, so that they are processed one by one.
    pub(super) fn is_searching(&self) -> bool {
        !self.inquiries.is_empty()
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
                let is_open = !running.is_held;
                if is_open && (running.is_ahead() || !running.effects.sends.is_empty()) {
                    let effects = std::mem::take(&mut running.effects);
                    parts.push(Portion {
                        topic: topic.clone(),
                        partition: *partition,
                        begin: running.begin.take(),
                        count: std::mem::take(&mut running.count),
                        next: running.next,
                        parcels: effects.sends.into_iter().map(Parcel::of).collect(),
                        counted: effects.counted,
                    });
                }
            }
        }
        Underway(parts)
    }

    /// Tells of what is written. Returns the partitions that may be read again because of that.
    pub(super) fn written(&mut self, underway: Underway) -> Vec<(String, i32)> {
        let mut freed = Vec::new();
        for portion in underway.0 {
            let place = (portion.topic.clone(), portion.partition);
            if let Entry::Occupied(mut inquiry) = self.inquiries.entry(place.clone())
                && !inquiry.get_mut().acquit(portion.count)
            {
                inquiry.remove();
            }
            if let Some(aside) = self.aside.get_mut(&place) {
                aside.retain(|(offset, _)| portion.next.is_none_or(|next| *offset >= next));
                if aside.is_empty() {
                    self.aside.remove(&place);
                }
            }
            if let Some(running) = self.running_mut(&place.0, place.1)
                && std::mem::take(&mut running.is_held)
            {
                freed.push(place);
            }
            let (topic, partition) = (portion.topic.clone(), portion.partition);
            let effects = portion.into_effects();
            self.ground.metrics.count(&topic, partition, &effects);
            self.ground.processor.written(&effects);
        }
        freed
    }

    fn running_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Running<P::Task>> {
        self.running.get_mut(topic)?.get_mut(&partition)
    }

    /// The task at work on a partition.
    pub(super) fn task_mut(&mut self, topic: &str, partition: i32) -> Option<&mut P::Task> {
        let running = self.running_mut(topic, partition);
        running.map(|running| &mut running.task)
    }

    /// Keeps what cannot be written now. Nothing more of its partition is processed until it is.
    pub(super) fn hold(&mut self, portion: Portion, topic: Arc<str>, why: RDKafkaErrorCode) {
        let running = self.running_mut(&portion.topic, portion.partition);
        if let Some(running) = running {
            running.is_held = true;
            self.held.push(portion, topic, why);
        }
    }

    /// Takes a partition back to where it was before this: its state comes anew from its changelog.
    /// The next records are suspects, or one of them is known to be refused.
    pub(super) fn rewind(&mut self, portion: &Portion, refused: Option<(Offset, Refusal)>) {
        let place = (portion.topic.clone(), portion.partition);
        match refused {
            Some(refused) => {
                self.inquiries.remove(&place);
                self.aside.entry(place.clone()).or_default().push(refused);
            }
            None => {
                let inquiry = Inquiry::among(portion.count);
                self.inquiries.insert(place.clone(), inquiry);
            }
        }
        if let Some(partitions) = self.running.get_mut(&portion.topic)
            && partitions.remove(&portion.partition).is_some()
        {
            let mut tasks = self.begin([place.clone()].into());
            for running in all_mut(&mut tasks) {
                running.is_claimed = true;
                for (offset, refusal) in self.aside.get(&place).into_iter().flatten() {
                    running.task.set_aside(*offset, refusal.clone());
                }
            }
            self.restoring.push_back(Restoring::new(tasks));
            self.tell();
        }
    }

    /// Puts back what could not be written, before what has come since.
    pub(super) fn take_back(&mut self, underway: Underway) {
        for portion in underway.0 {
            let running = self.running.get_mut(&portion.topic);
            let Some(running) = running.and_then(|all| all.get_mut(&portion.partition)) else {
                continue;
            };
            if running.is_held {
                self.held.put_back(portion);
                continue;
            }
            running.begin = portion.begin.or(running.begin);
            running.count += portion.count;
            let effects = portion.into_effects();
            self.gathered.add(&effects.sends);
            let later = std::mem::replace(&mut running.effects, effects);
            running.effects.sends.extend(later.sends);
            running.effects.counted.extend(later.counted);
        }
    }

    /// The partitions that have something to write, and of which no record has come yet.
    pub(super) fn placeless(&self) -> Vec<(String, i32)> {
        let partitions = self.running.iter().flat_map(|(topic, partitions)| {
            let placeless = partitions
                .iter()
                .filter(|(_, running)| running.next.is_none() && !running.effects.sends.is_empty());
            placeless.map(|(partition, _)| (topic.clone(), *partition))
        });
        partitions.collect()
    }

    /// Says where the first record of a partition will be read.
    pub(super) fn place(&mut self, topic: &str, partition: i32, next: Offset) {
        let partitions = self.running.get_mut(topic);
        if let Some(running) = partitions.and_then(|running| running.get_mut(&partition)) {
            running.next = Some(next);
            running.committed = Some(next);
        }
    }

    /// Remembers that the group knows its offsets.
    pub(super) fn committed(&mut self, places: &[Done]) {
        for place in places {
            if let Some(running) = self.running_mut(&place.topic, place.partition) {
                running.committed = place.next;
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
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = (String, i32)> {
        self.running.iter().flat_map(|(topic, partitions)| {
            let unclaimed = partitions
                .iter()
                .filter(|(_, running)| running.is_unclaimed());
            unclaimed.map(|(partition, _)| (topic.clone(), *partition))
        })
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
                begin: None,
                count: 0,
                is_held: false,
                records: metrics.records.get_or_create_owned(&Metrics::topic(&topic)),
                next: None,
                begins: None,
                committed: None,
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
        let sizes = sends.iter().map(|send| send.record.size());
        self.bytes += sizes.sum::<usize>();
        self.effects += sends.len();
    }
}

impl<T> Running<T> {
    fn has_changed(&self) -> bool {
        !self.is_held && (self.is_ahead() || self.is_due)
    }

    fn is_unclaimed(&self) -> bool {
        !self.is_claimed && self.next.is_none()
    }

    fn is_ahead(&self) -> bool {
        self.next != self.committed
    }
}
