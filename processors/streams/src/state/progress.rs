//! How far the partitions have come whose records a stream counts in one of its own.
//!
//! Behind a repartition topic, or a topic that routes write, a partition mixes records of many
//! source partitions, which are read at different speeds. Its stream time is the least of what they
//! have reached, so that a record that is in order in its own source partition is never late because
//! another was read faster.
//!
//! A source partition reaches the event times of its records. One whose records do not come here, or
//! that has none, reaches what had come here before it was seen to be read to its end: what is
//! written to it later was written after that.

use footfall_task::{Offset, Upstream};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// What has come here waits so long for records of other partitions that are still on their way to
/// Kafka, before the ends of those are looked at.
const SETTLING: Duration = Duration::from_secs(1);
/// While records come, it is looked so often whether there are more partitions.
const LOOK: Duration = Duration::from_secs(2);

/// More partitions than a topic has; a header that names one beyond is no place.
const MOST_PARTITIONS: usize = 1 << 16;

/// Offsets of partitions, each known by the place of its topic among those of a stream.
type Ends = BTreeMap<(usize, usize), Offset>;

/// The event times that source partitions have reached, by topic, then partition.
pub(crate) type Reached = BTreeMap<String, Vec<Option<i64>>>;

/// The source partitions of one partition of a stream.
#[derive(Debug)]
pub(crate) struct Progress {
    topics: Vec<Topic>,
    has_routes: bool,
    /// Whether it is known which partitions there are; until then, time does not move.
    is_known: bool,
    /// The least that all have reached.
    least: Option<i64>,
    /// The greatest event time that has come here.
    seen: Option<i64>,
    /// The same at instants of the clock; the first one is what has settled, if it is old enough.
    history: VecDeque<(Duration, i64)>,
    clock: Duration,
    /// When a look began last, and what had come and settled by then.
    looked: Option<Duration>,
    settled: Option<i64>,
    is_changed: bool,
}

#[derive(Debug)]
struct Topic {
    name: Arc<str>,
    /// How many topics its records go through on their way, itself included.
    depth: usize,
    partitions: Vec<Source>,
}

/// A source partition.
#[derive(Clone, Debug, Default)]
struct Source {
    reached: Option<i64>,
    /// Whether there is one of this number.
    is_there: bool,
    mark: Option<Mark>,
}

/// What a partition has reached when it is read so far.
#[derive(Clone, Debug)]
struct Mark {
    time: i64,
    /// Where its records are on their way.
    depth: usize,
    /// Topic, partition and offset; left out until the next look.
    ends: Option<Ends>,
}

impl Progress {
    /// Nothing has come yet of these topics, each with how many topics its records go through.
    /// `has_routes` says whether they come by routes.
    pub(crate) fn new(
        topics: impl IntoIterator<Item = (Arc<str>, usize)>,
        has_routes: bool,
    ) -> Self {
        let topics = topics.into_iter().map(|(name, depth)| Topic {
            name,
            depth,
            partitions: Vec::new(),
        });
        Self {
            topics: topics.collect(),
            has_routes,
            is_known: false,
            least: None,
            seen: None,
            history: VecDeque::new(),
            clock: Duration::ZERO,
            looked: None,
            settled: None,
            is_changed: false,
        }
    }

    /// The topics.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &Arc<str>> {
        self.topics.iter().map(|topic| &topic.name)
    }

    /// Whether records may have come by routes, and then say from where.
    pub(crate) fn has_routes(&self) -> bool {
        self.has_routes
    }

    /// A record has come by way of these partitions. Those that are of no source are passed over.
    pub(crate) fn record<'a>(
        &mut self,
        places: impl IntoIterator<Item = (&'a str, i32)>,
        time: i64,
    ) {
        // The first record brings state, which must not be saved without what it is of.
        self.is_changed |= self.seen.is_none();
        self.seen = self.seen.max(Some(time));
        for (topic, partition) in places {
            let Some(source) = self.source(topic, partition) else {
                continue;
            };
            let (before, is_there) = (source.reached, source.is_there);
            if before < Some(time) {
                source.reached = Some(time);
                self.is_changed = true;
                if self.is_known && before <= self.least {
                    self.least = self.least_of_all();
                }
            }
            // A partition that has been added, or none at all: the next look will tell.
            if !is_there {
                self.looked = None;
            }
        }
    }

    /// The clock has gone on.
    pub(crate) fn tick(&mut self, clock: Duration) {
        self.clock = clock;
        let newest = self.history.back().map(|(_, seen)| *seen);
        if let Some(seen) = self.seen.filter(|seen| Some(*seen) != newest) {
            self.history.push_back((clock, seen));
        }
        while let Some((next, _)) = self.history.get(1)
            && Self::is_old(clock, *next)
        {
            self.history.pop_front();
        }
    }

    /// Whether it should be looked how far the partitions are read; what has settled by now is
    /// reached by those that have nothing unread then.
    pub(crate) fn begin_look(&mut self) -> bool {
        let oldest = self.history.front();
        let settled = oldest.filter(|(since, _)| Self::is_old(self.clock, *since));
        self.settled = settled.map(|(_, seen)| *seen);
        let is_overdue = self
            .looked
            .is_none_or(|looked| self.clock.saturating_sub(looked) >= LOOK);
        let is_held_back = self.settled > self.least;
        let begins = !self.is_known || is_held_back || (is_overdue && self.seen > self.settled);
        if begins {
            self.looked = Some(self.clock);
        }
        begins
    }

    /// It has been looked, and what had come by then is counted.
    pub(crate) fn look(&mut self, upstream: &[Upstream]) {
        for found in upstream {
            if let Some(source) = self.source(&found.topic, found.partition.0) {
                source.is_there = true;
            }
        }
        let read = self.places(upstream, |found| found.read);
        let ends = self.places(upstream, |found| found.end);
        for index in 0..self.topics.len() {
            for partition in 0..self.topics[index].partitions.len() {
                self.lift((index, partition), &read, &ends);
            }
        }
        self.is_known = true;
        self.least = self.least_of_all();
    }

    /// The event time that all partitions have reached.
    pub(crate) fn least(&self) -> Option<i64> {
        self.least
    }

    /// Whether one has reached more since the last call.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// What each has reached.
    pub(crate) fn reached(&self) -> Reached {
        let topics = self.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter();
            let reached = partitions.map(|source| source.reached).collect();
            (topic.name.to_string(), reached)
        });
        topics.collect()
    }

    /// Puts back what they had reached in an earlier life.
    pub(crate) fn restore(&mut self, reached: &Reached) {
        for (topic, partitions) in reached {
            for (partition, time) in (0..).zip(partitions) {
                if let Some(source) = self.source(topic, partition) {
                    source.reached = *time;
                    self.seen = self.seen.max(*time);
                }
            }
        }
    }

    /// Has a partition reach what its mark says, if it is read so far, and marks how far it must be
    /// read next.
    fn lift(&mut self, (topic, partition): (usize, usize), read: &Ends, ends: &Ends) {
        let settled = self.settled;
        let (depth, end) = (self.topics[topic].depth, ends.get(&(topic, partition)));
        let source = &self.topics[topic].partitions[partition];
        let fresh = || {
            let time = settled.filter(|time| Some(*time) > source.reached)?;
            let ends = Ends::from([((topic, partition), *end?)]);
            Some(Mark {
                time,
                depth,
                ends: Some(ends),
            })
        };
        let old = source.mark.clone();
        let old = old.filter(|mark| Some(mark.time) > source.reached);
        let mut reached = source.reached;
        let mut mark = None;
        // The mark of an earlier look, then that of this one.
        for next in old.into_iter().chain(fresh()) {
            let next_ends = next.ends.or_else(|| self.ends_of(next.depth, ends));
            let passed = next_ends.as_ref().is_some_and(|ends| is_read(ends, read));
            if passed && next.depth == 1 {
                reached = reached.max(Some(next.time));
                continue;
            }
            mark = Some(Mark {
                time: next.time,
                depth: if passed { next.depth - 1 } else { next.depth },
                ends: if passed { None } else { next_ends },
            });
            break;
        }
        let source = &mut self.topics[topic].partitions[partition];
        self.is_changed |= source.reached != reached;
        source.reached = reached;
        source.mark = mark;
    }

    /// The ends of all partitions of this depth, if all are known.
    fn ends_of(&self, depth: usize, ends: &Ends) -> Option<Ends> {
        let topics = self.topics.iter().enumerate();
        let topics = topics.filter(|(_, topic)| topic.depth == depth);
        let places = topics
            .flat_map(|(index, topic)| (0..topic.partitions.len()).map(move |at| (index, at)));
        places
            .map(|place| Some((place, *ends.get(&place)?)))
            .collect()
    }

    fn places(&self, upstream: &[Upstream], offset: impl Fn(&Upstream) -> Option<Offset>) -> Ends {
        let known = upstream.iter().filter_map(|found| {
            let topic = self.index(&found.topic)?;
            let partition = usize::try_from(found.partition.0).ok()?;
            Some(((topic, partition), offset(found)?))
        });
        known.collect()
    }

    fn least_of_all(&self) -> Option<i64> {
        let all = self.topics.iter().flat_map(|topic| &topic.partitions);
        let there = all.filter(|source| source.is_there);
        // One that has reached nothing yet holds all back.
        there.map(|source| source.reached).min().flatten()
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.topics.iter().position(|topic| *topic.name == *name)
    }

    fn source(&mut self, topic: &str, partition: i32) -> Option<&mut Source> {
        let partition = usize::try_from(partition).ok()?;
        let index = self.index(topic)?;
        let partitions = &mut self.topics[index].partitions;
        if partition >= MOST_PARTITIONS {
            return None;
        }
        if partitions.len() <= partition {
            partitions.resize(partition + 1, Source::default());
        }
        partitions.get_mut(partition)
    }

    fn is_old(clock: Duration, since: Duration) -> bool {
        clock.saturating_sub(since) >= SETTLING
    }
}

/// Whether all is read before these. Nobody commits an offset of a partition that is empty.
fn is_read(ends: &Ends, read: &Ends) -> bool {
    let mut ends = ends.iter();
    ends.all(|(place, end)| match read.get(place) {
        Some(read) => read >= end,
        None => end.0 == 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_task::Partition;

    const SECOND: Duration = Duration::from_secs(1);

    fn progress(topics: &[(&str, usize)]) -> Progress {
        let topics = topics
            .iter()
            .map(|(name, depth)| (Arc::from(*name), *depth));
        Progress::new(topics, true)
    }

    /// Partition by partition: topic, what is read, and the end.
    fn found(places: &[(&str, i64, i64)]) -> Vec<Upstream> {
        let mut counts = BTreeMap::<&str, i32>::new();
        let found = places.iter().map(|(topic, read, end)| {
            let count = counts.entry(topic).or_default();
            let partition = Partition(*count);
            *count += 1;
            Upstream {
                topic: (*topic).into(),
                partition,
                read: Some(Offset(*read)),
                end: Some(Offset(*end)),
            }
        });
        found.collect()
    }

    /// A look a second later.
    fn look(progress: &mut Progress, places: &[(&str, i64, i64)]) -> Option<i64> {
        progress.tick(progress.clock + SECOND);
        if progress.begin_look() {
            progress.look(&found(places));
        }
        progress.least()
    }

    #[test]
    fn time_is_the_least_that_all_partitions_have_reached() {
        let mut progress = progress(&[("in", 1)]);
        assert_eq!(look(&mut progress, &[("in", 0, 9), ("in", 0, 9)]), None);
        progress.record([("in", 0)], 50);
        assert_eq!(progress.least(), None);
        progress.record([("in", 1)], 20);
        assert_eq!(progress.least(), Some(20));
        progress.record([("in", 1)], 10);
        assert_eq!(progress.least(), Some(20));
        progress.record([("in", 1)], 70);
        assert_eq!(progress.least(), Some(50));
    }

    #[test]
    fn time_does_not_move_before_it_is_known_which_partitions_there_are() {
        let mut progress = progress(&[("in", 1)]);
        progress.record([("in", 0)], 50);
        assert_eq!(progress.least(), None);
        assert_eq!(look(&mut progress, &[("in", 1, 9)]), Some(50));
    }

    #[test]
    fn a_partition_that_is_read_to_its_end_reaches_what_had_come_a_second_before() {
        let mut progress = progress(&[("in", 1)]);
        look(&mut progress, &[("in", 0, 2), ("in", 0, 0)]);
        progress.record([("in", 0)], 50);
        progress.tick(progress.clock);
        assert_eq!(look(&mut progress, &[("in", 1, 2), ("in", 0, 0)]), Some(50));
        assert!(!progress.begin_look(), "nothing holds time back");
    }

    #[test]
    fn a_partition_whose_records_do_not_come_here_is_passed_once_it_is_read_so_far() {
        let mut progress = progress(&[("in", 1)]);
        look(&mut progress, &[("in", 0, 2), ("in", 100, 200)]);
        progress.record([("in", 0)], 50);
        progress.tick(progress.clock);
        // It never has nothing unread.
        assert_eq!(look(&mut progress, &[("in", 1, 2), ("in", 150, 300)]), None);
        assert_eq!(look(&mut progress, &[("in", 1, 2), ("in", 299, 400)]), None);
        assert_eq!(
            look(&mut progress, &[("in", 1, 2), ("in", 300, 500)]),
            Some(50)
        );
    }

    #[test]
    fn a_partition_whose_end_is_not_known_holds_time_back() {
        let mut progress = progress(&[("in", 1)]);
        progress.record([("in", 0)], 50);
        progress.tick(Duration::ZERO);
        progress.tick(SECOND);
        assert!(progress.begin_look());
        let mut found = found(&[("in", 1, 1), ("in", 7, 7)]);
        found[1].end = None;
        progress.look(&found);
        assert_eq!(progress.least(), None);
    }

    #[test]
    fn an_added_partition_holds_time_back_and_a_number_that_is_none_does_not() {
        let mut progress = progress(&[("in", 1)]);
        look(&mut progress, &[("in", 0, 9)]);
        progress.record([("in", 0)], 50);
        progress.record([("in", 7), ("in", i32::MAX), ("other", 0)], 60);
        progress.tick(progress.clock);
        assert_eq!(progress.least(), Some(50));
        look(&mut progress, &[("in", 1, 9), ("in", 0, 3)]);
        assert_eq!(progress.least(), None);
    }

    #[test]
    fn what_has_come_by_a_route_is_waited_for_in_both_topics() {
        let mut progress = progress(&[("merged", 1), ("source", 2)]);
        look(&mut progress, &[("merged", 0, 1), ("source", 1, 5)]);
        progress.record([("merged", 0), ("source", 0)], 50);
        assert_eq!(progress.least(), Some(50));
        let mut progress = self::progress(&[("merged", 1), ("source", 2)]);
        look(&mut progress, &[("merged", 0, 1), ("source", 1, 5)]);
        progress.record([("merged", 0)], 50);
        progress.tick(progress.clock);
        // The source is read to its end, and what has come of it not yet.
        assert_eq!(
            look(&mut progress, &[("merged", 1, 5), ("source", 5, 5)]),
            None
        );
        assert_eq!(
            look(&mut progress, &[("merged", 1, 9), ("source", 5, 5)]),
            None
        );
        assert_eq!(
            look(&mut progress, &[("merged", 8, 9), ("source", 5, 5)]),
            None
        );
        assert_eq!(
            look(&mut progress, &[("merged", 9, 9), ("source", 5, 5)]),
            Some(50)
        );
    }

    #[test]
    fn what_was_reached_is_there_after_a_restart() {
        let mut before = progress(&[("in", 1)]);
        before.record([("in", 1)], 20);
        before.record([("in", 0)], 50);
        assert!(before.take_changed() && !before.take_changed());
        let mut after = progress(&[("in", 1)]);
        after.restore(&before.reached());
        assert_eq!(after.least(), None);
        let two = [("in", 0, 9), ("in", 0, 9)];
        assert_eq!(look(&mut after, &two), Some(20));
    }
}
