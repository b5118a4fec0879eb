//! What the watch has found out about the partitions that are read.

use crate::{clock, lag::Behind};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, watch};

/// A topic and the number of one of its partitions.
pub(crate) type Place = (String, i32);

/// The partitions of the sources, as they were when Kafka was asked last.
#[derive(Debug, Default)]
pub struct Places {
    inner: Mutex<Inner>,
    /// How often owners were found; grows.
    looks: watch::Sender<u64>,
    wanted: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    counts: BTreeMap<String, usize>,
    owners: BTreeMap<Place, Owner>,
    behind: BTreeMap<Place, Behind>,
}

/// How far a partition is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Records that are not counted yet; what transactions leave between records counts, too.
    pub records: i64,
    /// How old the oldest of them is by its timestamp; zero when there is none. Left out when it
    /// could not be read.
    pub age: Option<Duration>,
}

/// Which process has counted a partition last, as the group's offset of it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// Nobody has yet.
    Nobody,
    /// The process at this address.
    At(Arc<str>),
    /// One that has not said where it is, or Kafka could not be asked.
    #[default]
    Unknown,
}

impl Places {
    /// How many partitions a topic has; `None` when it is not known to be there.
    #[must_use]
    pub fn count(&self, topic: &str) -> Option<usize> {
        self.with(|inner| inner.counts.get(topic).copied())
    }

    /// How far behind this process is with one of its own partitions.
    #[must_use]
    pub fn lag(&self, topic: &str, partition: i32) -> Option<Lag> {
        let behind = self.with(|inner| inner.behind.get(&(topic.to_owned(), partition)).copied());
        behind.map(|behind| behind.at(clock::millis()))
    }

    /// Who has counted a partition last.
    #[must_use]
    pub fn owner(&self, topic: &str, partition: i32) -> Owner {
        let owner = self.with(|inner| inner.owners.get(&(topic.to_owned(), partition)).cloned());
        owner.unwrap_or_default()
    }

    /// The address of every process that has counted a partition last.
    #[must_use]
    pub fn addresses(&self) -> Vec<Arc<str>> {
        let mut addresses: Vec<_> = self.with(|inner| {
            let owners = inner.owners.values();
            let addresses = owners.filter_map(|owner| match owner {
                Owner::At(address) => Some(Arc::clone(address)),
                Owner::Nobody | Owner::Unknown => None,
            });
            addresses.collect()
        });
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// Has Kafka asked who owns what, and waits until it was. Ends only when Kafka answers.
    pub async fn ask_again(&self) {
        let mut looks = self.looks.subscribe();
        self.wanted.notify_one();
        // The sender is this value itself, so it cannot be gone.
        let _asked = looks.changed().await;
    }

    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    pub(crate) fn found(&self, counts: BTreeMap<String, usize>) {
        self.with(|inner| inner.counts = counts);
    }

    pub(crate) fn owned(&self, owners: BTreeMap<Place, Owner>) {
        self.with(|inner| inner.owners = owners);
        self.looks.send_modify(|looks| *looks += 1);
    }

    pub(crate) fn measured(&self, behind: BTreeMap<Place, Behind>) {
        self.with(|inner| inner.behind = behind);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
