//! What waits for topics that take no records at the moment.

use super::parcels::{Portion, Underway};
use crate::writer::said_of_obstacle;
use rdkafka::error::RDKafkaErrorCode;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// Portions that could not be written, each with what stands in its way.
#[derive(Default)]
pub(super) struct Held {
    portions: Vec<Portion>,
    /// By source topic and partition, the topic that takes no records, and why.
    obstacles: BTreeMap<(String, i32), (Arc<str>, RDKafkaErrorCode)>,
    next_try: Option<Instant>,
    pause: Duration,
}

impl Held {
    pub(super) fn push(&mut self, portion: Portion, topic: Arc<str>, why: RDKafkaErrorCode) {
        let place = (portion.topic.clone(), portion.partition);
        self.obstacles.insert(place, (topic, why));
        self.portions.push(portion);
    }

    /// One that was taken out waits on, for the same reason.
    pub(super) fn put_back(&mut self, portion: Portion) {
        self.portions.push(portion);
    }

    /// Partitions have gone to somebody else.
    pub(super) fn forget(&mut self, places: &BTreeSet<(String, i32)>) {
        let is_gone = |portion: &Portion| {
            let mut places = places.iter();
            places.any(|(topic, partition)| portion.is_of(topic, *partition))
        };
        self.portions.retain(|portion| !is_gone(portion));
        self.obstacles.retain(|place, _| !places.contains(place));
    }

    /// The partition is not held any more.
    pub(super) fn free(&mut self, place: &(String, i32)) {
        self.obstacles.remove(place);
        self.pause = Duration::ZERO;
    }

    /// The topics that take no records.
    pub(super) fn topics(&self) -> BTreeSet<Arc<str>> {
        let topics = self.obstacles.values();
        topics.map(|(topic, _)| Arc::clone(topic)).collect()
    }

    /// Why it waits, for people.
    pub(super) fn reason(&self) -> Option<String> {
        let obstacles = self.obstacles.values();
        let reasons: BTreeSet<_> = obstacles
            .map(|(topic, why)| said_of_obstacle(topic, *why))
            .collect();
        let reasons: Vec<_> = reasons.into_iter().collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Whether it is time to try again; if so, the next time is later.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if self.portions.is_empty() {
            self.next_try = None;
            return false;
        }
        let pause = self.pause.max(FIRST_RETRY);
        if now < *self.next_try.get_or_insert(now + pause) {
            return false;
        }
        self.pause = LAST_RETRY.min(pause * 2);
        self.next_try = None;
        true
    }

    /// Takes out what waits for none of these topics any more, each to be tried by itself.
    pub(super) fn take_but(&mut self, blocked: &BTreeSet<Arc<str>>) -> Vec<Underway> {
        let (waiting, free) = std::mem::take(&mut self.portions)
            .into_iter()
            .partition(|portion| {
                let place = (portion.topic.clone(), portion.partition);
                let obstacle = self.obstacles.get(&place);
                obstacle.is_some_and(|(topic, _)| blocked.contains(topic))
            });
        self.portions = waiting;
        let free: Vec<Portion> = free;
        free.into_iter()
            .map(|portion| Underway(vec![portion]))
            .collect()
    }
}
