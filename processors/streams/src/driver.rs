//! Streams without Kafka: pipe records in, commit, read what they would have written.

use crate::{Definition, Size, Span, StreamsTask, Topology};
use bytes::Bytes;
use footfall_task::{
    Effects, Kind, Offset, Outgoing, Partition, Processor as _, Record, Task as _, Timestamp,
    Upstream,
};
use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

/// Runs streams in memory, for tests.
///
/// Event time goes on when a record is piped in that is newer than those before it; the wall clock
/// only when it is told to. Behind several source partitions, event time is the least that those
/// have reached; one whose records have all been processed holds it back for another second of the
/// clock.
///
/// ```
/// use footfall_streams::{TestDriver, Topology, TimeWindows, millis, seconds, stream};
/// let windows = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
/// let counts = stream("in").group_by_read_key().windowed_by(windows).count().to("out");
/// let mut driver = TestDriver::with_partitions(Topology::new("app", [counts]), 2);
/// for (partition, time) in [(0, 5), (0, 25), (1, 7)] {
///     driver.write_to("in", partition, "key", "", time);
/// }
/// while driver.read_next("in", 0) {}
/// driver.advance_clock(seconds(1));
/// driver.read_next("in", 1);
/// assert_eq!(driver.late(), 0);
/// driver.advance_clock(seconds(1));
/// driver.write_to("in", 1, "key", "", 9);
/// driver.read_next("in", 1);
/// assert_eq!(driver.late(), 1);
/// ```
#[derive(Debug)]
pub struct TestDriver {
    topology: Topology,
    partitions: u32,
    tasks: BTreeMap<(String, Partition), StreamsTask>,
    topics: BTreeMap<String, Vec<Outgoing>>,
    changelogs: BTreeMap<(String, Partition), Vec<Outgoing>>,
    /// Records that are there and have not been read yet.
    unread: BTreeMap<(String, Partition), VecDeque<Outgoing>>,
    progress: Progress,
    clock: Duration,
    wall_clock: Timestamp,
    since_commit: SinceCommit,
}

/// How far it has come.
#[derive(Clone, Debug, Default)]
struct Progress {
    offsets: BTreeMap<(String, Partition), i64>,
    late: u64,
    duplicates: u64,
}

/// What a crash undoes and makes happen again.
#[derive(Debug, Default)]
struct SinceCommit {
    before: Progress,
    piped: Vec<Outgoing>,
    written: BTreeMap<String, usize>,
}

/// A record that a stream has written, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Its key; empty when it has none.
    pub key: String,
    /// Its value; empty when it has none.
    pub value: String,
    /// Milliseconds since the Unix epoch.
    pub timestamp: Option<i64>,
    /// The partition it must go to, if its key does not decide that.
    pub partition: Option<i32>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
}

impl TestDriver {
    /// One stream over topics of one partition.
    #[must_use]
    pub fn new(stream: Definition) -> Self {
        Self::with_partitions(Topology::new("test", [stream]), 1)
    }

    /// Streams over topics with this many partitions.
    #[must_use]
    pub fn with_partitions(topology: Topology, partitions: u32) -> Self {
        Self {
            topology,
            partitions: partitions.max(1),
            tasks: BTreeMap::new(),
            topics: BTreeMap::new(),
            changelogs: BTreeMap::new(),
            unread: BTreeMap::new(),
            progress: Progress::default(),
            clock: Duration::ZERO,
            wall_clock: Timestamp(i64::MAX),
            since_commit: SinceCommit::default(),
        }
    }

    /// Pipes one record in, into the partition of its key.
    pub fn pipe(&mut self, topic: &str, key: &str, value: &str, timestamp: i64) {
        let record = Outgoing {
            topic: topic.into(),
            partition: None,
            timestamp: Some(Timestamp(timestamp)),
            key: Some(Bytes::copy_from_slice(key.as_bytes())),
            value: Some(Bytes::copy_from_slice(value.as_bytes())),
            headers: Vec::new(),
        };
        self.pipe_record(&record);
    }

    /// Pipes in any record; one of a table's topic changes the table, too, and one without a value
    /// deletes a row there.
    ///
    /// # Panics
    /// When the table has no room for it.
    #[expect(clippy::panic, reason = "a driver of tests fails as assertions do")]
    pub fn pipe_record(&mut self, sent: &Outgoing) {
        for table in self.topology.tables() {
            let key = sent.key.as_deref().unwrap_or_default();
            if table.topic() == &*sent.topic
                && let Err(full) = table.change(key, sent.value.as_deref())
            {
                panic!("table {}: {full}", sent.topic);
            }
        }
        self.process(sent);
    }

    /// Writes a record to the end of a partition, from where [`read_next`](Self::read_next) takes it.
    pub fn write_to(&mut self, topic: &str, partition: i32, key: &str, value: &str, time: i64) {
        let record = Outgoing {
            topic: topic.into(),
            partition: Some(Partition(partition)),
            timestamp: Some(Timestamp(time)),
            key: Some(Bytes::copy_from_slice(key.as_bytes())),
            value: Some(Bytes::copy_from_slice(value.as_bytes())),
            headers: Vec::new(),
        };
        let unread = self.unread.entry((topic.into(), Partition(partition)));
        unread.or_default().push_back(record);
    }

    /// Takes the next record of a partition; whether there was one.
    pub fn read_next(&mut self, topic: &str, partition: i32) -> bool {
        let unread = self.unread.get_mut(&(topic.into(), Partition(partition)));
        let next = unread.and_then(VecDeque::pop_front);
        if let Some(record) = &next {
            self.pipe_record(record);
        }
        next.is_some()
    }

    fn process(&mut self, sent: &Outgoing) {
        self.since_commit.piped.push(sent.clone());
        self.deliver(sent);
    }

    fn deliver(&mut self, sent: &Outgoing) {
        let topic = sent.topic.to_string();
        let partition = sent
            .partition
            .unwrap_or_else(|| self.partition_of(sent.key.as_deref()));
        let place = (topic, partition);
        let offset = self.progress.offsets.entry(place.clone()).or_default();
        let headers = sent.headers.iter();
        let record = Record {
            topic: &sent.topic,
            partition,
            offset: Offset(*offset),
            timestamp: sent.timestamp,
            key: sent.key.as_deref(),
            value: sent.value.as_deref(),
            headers: headers
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .collect(),
        };
        *offset += 1;
        if !self.tasks.contains_key(&place) {
            let task = self.topology.task(&sent.topic, partition);
            self.tasks.insert(place.clone(), task);
            self.look(&place);
        }
        let mut effects = Effects::default();
        if let Some(task) = self.tasks.get_mut(&place) {
            task.process(&record, self.wall_clock, &mut effects);
            task.tick(self.clock);
        }
        self.apply(effects);
    }

    /// Says what the wall clock shows, in milliseconds since the Unix epoch; until then it is after
    /// all records.
    pub fn set_wall_clock(&mut self, millis: i64) {
        self.wall_clock = Timestamp(millis);
    }

    /// Lets time pass, as measured by a clock that only goes forward.
    pub fn advance_clock(&mut self, by: Span) {
        self.clock = self.clock.saturating_add(by.as_duration());
        let places: Vec<_> = self.tasks.keys().cloned().collect();
        for place in places {
            if let Some(task) = self.tasks.get_mut(&place) {
                task.tick(self.clock);
            }
            self.look(&place);
        }
    }

    /// Tells a task how far its source partitions are read, if it wants to know.
    fn look(&mut self, place: &(String, Partition)) {
        let Some(task) = self.tasks.get_mut(place) else {
            return;
        };
        if !task.begin_look() {
            return;
        }
        let mut upstream = Vec::new();
        for topic in task.upstream() {
            for partition in 0..i32::try_from(self.partitions).unwrap_or(i32::MAX) {
                let place = (topic.to_string(), Partition(partition));
                let read = self.progress.offsets.get(&place).copied().unwrap_or(0);
                let unread = self.unread.get(&place).map_or(0, VecDeque::len);
                let unread = i64::try_from(unread).unwrap_or(i64::MAX);
                upstream.push(Upstream {
                    topic: Arc::clone(&topic),
                    partition: Partition(partition),
                    read: Some(Offset(read)),
                    end: Some(Offset(read.saturating_add(unread))),
                });
            }
        }
        task.look(&upstream);
    }

    /// Commits: results that have gathered are written, and the state is saved.
    pub fn commit(&mut self) {
        let mut effects = Effects::default();
        for task in self.tasks.values_mut() {
            task.commit(&mut effects);
        }
        self.apply(effects);
        self.since_commit = SinceCommit {
            before: self.progress.clone(),
            ..SinceCommit::default()
        };
    }

    /// Crashes, and goes on as with exactly once: nothing of what has happened since the last
    /// commit ever was, and the records since then come anew. Tables are what they are by now.
    pub fn crash(&mut self) {
        let undone = std::mem::take(&mut self.since_commit);
        for (topic, count) in undone.written {
            if let Some(records) = self.topics.get_mut(&topic) {
                records.truncate(records.len().saturating_sub(count));
            }
        }
        self.progress = undone.before.clone();
        self.since_commit.before = undone.before;
        self.restart();
        for record in undone.piped {
            self.process(&record);
        }
    }

    /// Loses what is in memory and starts anew from what the last commit has saved.
    ///
    /// # Panics
    /// When the saved state cannot be read.
    #[expect(clippy::panic, reason = "a driver of tests fails as assertions do")]
    pub fn restart(&mut self) {
        let places: Vec<_> = std::mem::take(&mut self.tasks).into_keys().collect();
        for (topic, partition) in places {
            let mut task = self.topology.task(&topic, partition);
            for changelog in task.changelogs() {
                let saved = self.changelogs.get(&(changelog.to_string(), partition));
                for change in saved.into_iter().flatten() {
                    let key = change.key.as_deref().unwrap_or_default();
                    if let Err(error) = task.restore(&changelog, key, change.value.as_deref()) {
                        panic!("state of {changelog} cannot be read: {error}");
                    }
                }
            }
            if let Err(error) = task.restored() {
                panic!("state of {topic} cannot be read: {error}");
            }
            let place = (topic, partition);
            self.tasks.insert(place.clone(), task);
            self.look(&place);
        }
    }

    /// Takes the records that have been written to a topic since they were last read.
    pub fn read(&mut self, topic: &str) -> Vec<Read> {
        let sent = self.topics.remove(topic).unwrap_or_default();
        sent.into_iter().map(Read::from).collect()
    }

    /// How many records have come too late for one of their windows or more, or too early by the
    /// wall clock.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.progress.late
    }

    /// How many records have been left out because their id had been seen.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.progress.duplicates
    }

    /// How much a stream holds, over all partitions.
    #[must_use]
    pub fn size(&self, stream: &str) -> Size {
        let sizes = self.tasks.values().filter_map(|task| task.size(stream));
        sizes.fold(Size::default(), Size::plus)
    }

    fn apply(&mut self, effects: Effects) {
        for (_, kind) in &effects.counted {
            self.progress.late += u64::from(is_late(*kind));
            self.progress.duplicates += u64::from(*kind == Kind::Duplicate);
        }
        for send in effects.sends {
            self.progress.late += u64::from(is_late(send.kind));
            let topic = send.record.topic.to_string();
            match (send.kind, send.record.partition) {
                (Kind::Repartition, _) => self.deliver(&send.record),
                (Kind::Change, Some(partition)) => {
                    let log = self.changelogs.entry((topic, partition)).or_default();
                    log.push(send.record);
                }
                _ => {
                    let written = &mut self.since_commit.written;
                    *written.entry(topic.clone()).or_default() += 1;
                    self.topics.entry(topic).or_default().push(send.record);
                }
            }
        }
    }

    /// Not Kafka's partitioner: only that one key stays in one partition matters here.
    fn partition_of(&self, key: Option<&[u8]>) -> Partition {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let number = hasher.finish() % u64::from(self.partitions);
        Partition(i32::try_from(number).unwrap_or_default())
    }
}

fn is_late(kind: Kind) -> bool {
    matches!(kind, Kind::Late | Kind::Ahead)
}

impl From<Outgoing> for Read {
    fn from(sent: Outgoing) -> Self {
        let text =
            |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let headers = sent.headers.into_iter();
        Self {
            key: text(sent.key.as_deref()),
            value: text(sent.value.as_deref()),
            timestamp: sent.timestamp.map(|time| time.0),
            partition: sent.partition.map(|partition| partition.0),
            headers: headers
                .map(|(name, value)| (name, text(value.as_deref())))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
