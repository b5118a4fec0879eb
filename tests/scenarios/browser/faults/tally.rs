//! What arrived of what was recorded.

use footfall_tests::recorder::{Log, Recorder, Request};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// When nothing more has come for so long, nothing more will: the SDK has said that it has nothing
/// left, and what a browser sends for pages that are gone is on its way at once.
const QUIET: Duration = Duration::from_secs(15);

/// How many requests of a page may be without an answer when it goes, besides beacons: one that is
/// on its way, and one that the browser sends for it afterwards.
const OPEN_AT_THE_END: usize = 2;

/// All that a run has sent.
#[derive(Debug)]
pub(super) struct Tally {
    log: Log,
    lost: Vec<u64>,
}

impl Tally {
    /// Waits until every number below `count` has arrived, or nothing comes any more.
    pub(super) async fn of(recorder: &Recorder, count: usize) -> Self {
        let expected: BTreeSet<u64> = (0..count as u64).collect();
        let (mut requests, mut since) = (0, Instant::now());
        loop {
            let log = recorder.log();
            if log.len() > requests {
                (requests, since) = (log.len(), Instant::now());
            }
            let arrived = numbers(&log);
            let lost: Vec<_> = expected.difference(&arrived).copied().collect();
            if lost.is_empty() || since.elapsed() > QUIET {
                return Self { log, lost };
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    pub(super) fn assert_lost_at_most(&self, most: usize) {
        let lost = &self.lost;
        assert!(
            lost.len() <= most,
            "lost {} where {most} may be: {}; the first of them was in [{}]; pages told [{}]",
            lost.len(),
            ranges(lost),
            self.requests_with(lost.first().copied()),
            self.told()
        );
    }

    /// The requests that carried a number, taken or not.
    fn requests_with(&self, number: Option<u64>) -> String {
        let carries = |request: &&Request| {
            let mut events = request.events().into_iter();
            events.any(|event| event["properties"]["n"].as_u64() == number)
        };
        let requests = self.log.batches().filter(carries).map(|request| {
            let kind = if request.is_beacon() {
                "beacon"
            } else {
                "fetch"
            };
            format!("{kind} of {}: {:?}", sender(request), request.status)
        });
        requests.collect::<Vec<_>>().join(", ")
    }

    /// What pages have said of losses.
    fn told(&self) -> String {
        let taken = self.log.taken();
        let lost = taken.iter().filter(|event| event["type"] == "lost");
        let lost = lost.map(|event| event["properties"].to_string());
        lost.collect::<Vec<_>>().join(", ")
    }

    /// An event may come twice if whoever sent it could not know that it had arrived.
    pub(super) fn assert_doubles_only_where_no_answer_could_be_read(&self) {
        let taken: Vec<_> = self
            .log
            .batches()
            .filter(|batch| batch.is_taken())
            .collect();
        let mut last: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, batch) in taken.iter().enumerate() {
            if !batch.is_beacon() {
                last.entry(sender(batch)).or_default().push(index);
            }
        }
        let unread = |index: usize| {
            let batch = taken[index];
            batch.is_beacon()
                || last[sender(batch)]
                    .iter()
                    .rev()
                    .take(OPEN_AT_THE_END)
                    .any(|open| *open == index)
        };
        let mut first: BTreeMap<String, usize> = BTreeMap::new();
        for (index, batch) in taken.iter().enumerate() {
            for event in batch.events() {
                let before = *first.entry(event["id"].to_string()).or_insert(index);
                assert!(
                    before == index || unread(before),
                    "{event} came twice, and the first answer could be read; first by {}, then by {}",
                    sender(taken[before]),
                    sender(batch)
                );
            }
        }
    }
}

/// The document that has sent a batch: every one has an address of its own.
fn sender(batch: &Request) -> &str {
    batch.headers.get("referer").map_or("", String::as_str)
}

fn numbers(log: &Log) -> BTreeSet<u64> {
    let taken = log.taken();
    let numbers = taken
        .iter()
        .filter_map(|event| event["properties"]["n"].as_u64());
    numbers.collect()
}

/// Numbers in order, as `3-5 9`.
fn ranges(numbers: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let told = ranges.iter().map(|(first, last)| format!("{first}-{last}"));
    told.collect::<Vec<_>>().join(" ")
}
