//! What the changelogs have come to, kept in `state_dir` too, so that state comes back from there
//! and only what is newer from Kafka.
//!
//! A thread of its own reads the changelogs as everybody can: only what is committed. So the file is
//! never ahead of Kafka, and work goes on at the same pace with or without it. Whatever is wrong
//! with it costs a slower start, and never a number: then state comes from the changelog alone.

mod changes;
mod checkpoint;
mod file;
mod follower;
mod gathered;
mod mirror;

#[cfg(test)]
mod tests;

pub(crate) use checkpoint::Unusable;
pub(crate) use file::{Error, Place, Snapshot};
pub(crate) use follower::mark;

use crate::{Metrics, clock, status::Report};
use anyhow::Context as _;
use file::File;
use mirror::Mirror;
use rdkafka::ClientConfig;
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Sender},
    },
    thread,
};
use tokio_util::sync::CancellationToken;

/// The local store of a process.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    shared: Arc<Shared>,
    tell: Sender<Wish>,
}

/// A partition that the store follows until this is dropped.
#[derive(Debug)]
pub(crate) struct Followed {
    place: Place,
    tell: Sender<Wish>,
}

/// What the store's thread is asked for.
#[derive(Debug)]
enum Wish {
    Follow(Place),
    Leave(Place),
    /// Somebody has found the file damaged.
    Anew(Error),
}

#[derive(Debug, Default)]
struct Shared {
    slot: Mutex<Slot>,
    opened: Condvar,
}

/// The file, as far as there is one.
#[derive(Debug, Default)]
enum Slot {
    #[default]
    Opening,
    Open(Arc<File>),
    Failed,
}

impl Store {
    /// Begins to keep `folder`'s file, with consumers of these properties, until `stop`; of the
    /// changelogs of `standby`, all partitions.
    ///
    /// # Errors
    /// When the system gives no thread. Whatever is wrong with the file is told by the status.
    pub(crate) fn start(
        folder: &Path,
        consumer: ClientConfig,
        standby: BTreeSet<Arc<str>>,
        told: (Report, Metrics),
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (tell, wishes) = mpsc::channel();
        let path = folder.join("store.redb");
        let mirror = Mirror::new(path, consumer, Arc::clone(&shared), wishes, standby, told);
        thread::Builder::new()
            .name("store".into())
            .spawn(move || mirror.run(&stop))
            .context("start the store's thread")?;
        Ok(Self { shared, tell })
    }

    /// What the store has of a partition, if that can be built on. Waits until the file is open.
    pub(crate) fn snapshot(&self, place: &Place) -> Option<Snapshot> {
        let snapshot = self.shared.file()?.snapshot(place);
        match snapshot {
            Ok(snapshot) => {
                let snapshot = snapshot?;
                let age = snapshot.checkpoint().check_age(clock::millis());
                age.is_ok().then_some(snapshot)
            }
            Err(error) => {
                self.begin_anew(error);
                None
            }
        }
    }

    /// Tells that its content is not what it should be.
    pub(crate) fn begin_anew(&self, error: Error) {
        self.tell(Wish::Anew(error));
    }

    /// From now on the store follows this partition.
    pub(crate) fn follow(&self, place: Place) -> Followed {
        self.tell(Wish::Follow(place.clone()));
        Followed {
            place,
            tell: self.tell.clone(),
        }
    }

    fn tell(&self, wish: Wish) {
        // The thread ends only when the process does.
        let _ended = self.tell.send(wish);
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let _ended = self.tell.send(Wish::Leave(self.place.clone()));
    }
}

impl Shared {
    fn file(&self) -> Option<Arc<File>> {
        let opened = self
            .opened
            .wait_while(self.lock(), |slot| matches!(slot, Slot::Opening));
        match &*opened.unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(file) => Some(Arc::clone(file)),
            Slot::Opening | Slot::Failed => None,
        }
    }

    fn put(&self, slot: Slot) {
        *self.lock() = slot;
        self.opened.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
