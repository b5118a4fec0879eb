//! Partitions that cannot be read on: nothing behind what could not be read is processed, and they
//! are tried again from there, while others go on.

use crate::{
    clock,
    native::Failure,
    status::{Part, Report},
};
use footfall_task::Offset;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Between two tries.
const UNTIL_RETRY: Duration = Duration::from_secs(1);
/// librdkafka reports twice a second what it still cannot read. After so long without a word a
/// partition is well, though it may have no new record.
const UNTIL_WELL: Duration = Duration::from_secs(5);

/// The partitions that are stopped or were so a moment ago.
#[derive(Debug)]
pub(super) struct Stops {
    status: Report,
    /// By topic and partition.
    all: BTreeMap<(String, i32), Stop>,
}

#[derive(Debug)]
struct Stop {
    reason: String,
    /// Where the client could not go on.
    failed_at: Offset,
    /// When it is tried again; none when that has been done.
    retry: Option<Instant>,
    well: Instant,
}

impl Stops {
    pub(super) fn new(status: Report) -> Self {
        let all = BTreeMap::new();
        Self { status, all }
    }

    /// The partition is not read on from here until it has been sought back. (librdkafka counts an
    /// error as if it were a record: paused and resumed, the partition would go on behind it.)
    pub(super) fn stop(&mut self, failure: &Failure) {
        let now = clock::now();
        let Failure {
            topic,
            partition,
            offset,
            text,
            ..
        } = failure;
        let stop = Stop {
            reason: format!(
                "topic `{topic}`, partition {partition} cannot be read on from offset {offset}: {text}; nothing behind \
                 it is processed, and it is tried again"
            ),
            failed_at: *offset,
            retry: Some(now + UNTIL_RETRY),
            well: now + UNTIL_WELL,
        };
        self.all.insert((topic.clone(), *partition), stop);
        self.tell();
    }

    /// Whether records of this partition are to be left to a later try.
    pub(super) fn holds(&self, topic: &str, partition: i32) -> bool {
        // As a rule there is none, and the names need no copy.
        if self.all.is_empty() {
            return false;
        }
        let stop = self.all.get(&(topic.to_owned(), partition));
        stop.is_some_and(|stop| stop.retry.is_some())
    }

    /// A record of this partition was read.
    pub(super) fn reads(&mut self, topic: &str, partition: i32) {
        if !self.all.is_empty() && self.all.remove(&(topic.to_owned(), partition)).is_some() {
            self.tell();
        }
    }

    /// These partitions are another's now.
    pub(super) fn forget(&mut self, is_ours: impl Fn(&str, i32) -> bool) {
        let before = self.all.len();
        self.all
            .retain(|(topic, partition), _| is_ours(topic, *partition));
        if self.all.len() != before {
            self.tell();
        }
    }

    /// Those that are to be tried again now, and where the client could not go on.
    pub(super) fn due(&mut self) -> Vec<(String, i32, Offset)> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let now = clock::now();
        let before = self.all.len();
        self.all
            .retain(|_, stop| stop.retry.is_some() || stop.well > now);
        if self.all.len() != before {
            self.tell();
        }
        let due = self.all.iter();
        let due = due.filter(|(_, stop)| stop.retry.is_some_and(|retry| retry <= now));
        due.map(|((topic, partition), stop)| (topic.clone(), *partition, stop.failed_at))
            .collect()
    }

    /// It is read from where it should be, or that failed and is tried once more.
    pub(super) fn retried(&mut self, topic: &str, partition: i32, is_done: bool) {
        if let Some(stop) = self.all.get_mut(&(topic.to_owned(), partition)) {
            let now = clock::now();
            stop.retry = (!is_done).then_some(now + UNTIL_RETRY);
            stop.well = now + UNTIL_WELL;
        }
    }

    fn tell(&self) {
        let reasons: Vec<_> = self.all.values().map(|stop| stop.reason.as_str()).collect();
        if reasons.is_empty() {
            self.status.goes_on(Part::Reading);
        } else {
            self.status.holds_up(Part::Reading, reasons.join("; "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Status, status::Worker};
    use rdkafka::error::RDKafkaErrorCode;
    use std::sync::Arc;

    fn failure(partition: i32, offset: i64) -> Failure {
        Failure {
            topic: "t".into(),
            partition,
            offset: Offset(offset),
            code: RDKafkaErrorCode::BadCompression,
            text: "broken".into(),
        }
    }

    #[test]
    fn a_partition_is_held_until_it_is_sought_back_and_told_until_it_is_read() {
        let status = Arc::new(Status::new());
        let mut stops = Stops::new(Report::of(Worker::default(), &status));
        stops.stop(&failure(3, 12));
        assert!(stops.holds("t", 3));
        assert!(!stops.holds("t", 4));
        assert_eq!(stops.due(), []);
        stops.retried("t", 3, true);
        assert!(!stops.holds("t", 3));
        assert!(status.is_held_up(Part::Reading, Worker::default()));
        stops.reads("t", 3);
        assert!(!status.is_held_up(Part::Reading, Worker::default()));
    }

    #[test]
    fn a_try_that_fails_leaves_it_held() {
        let status = Arc::new(Status::new());
        let mut stops = Stops::new(Report::of(Worker::default(), &status));
        stops.stop(&failure(3, 12));
        stops.retried("t", 3, false);
        assert!(stops.holds("t", 3));
        stops.forget(|_, partition| partition != 3);
        assert!(!stops.holds("t", 3));
        assert!(!status.is_held_up(Part::Reading, Worker::default()));
    }
}
