//! The thread that keeps the file up with the changelogs.

use super::{
    Shared, Slot, Wish,
    file::{Error, File, Place},
    follower::Follower,
    gathered::REFRESH,
};
use crate::{
    Metrics, clock,
    reader::{Reader, Reads},
    status::{Part, Report},
};
use rdkafka::{ClientConfig, error::KafkaError};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fs, io,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether there are changes.
const TICK: Duration = Duration::from_millis(100);
/// How long changes gather at most before they are written.
const BETWEEN_WRITES: Duration = Duration::from_secs(5);
/// So many bytes gather at most before they are written.
const BYTES_AT_ONCE: usize = 2 << 20;
/// How long a partition is followed, or not, at least.
const BETWEEN_CHANGES: Duration = Duration::from_millis(500);
/// How often it is looked whether changelogs are there.
const BETWEEN_SEARCHES: Duration = Duration::from_secs(2);
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LAST_RETRY: Duration = Duration::from_mins(10);

/// Why the store does not go on.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    File(#[from] Error),
    /// Not the file's fault.
    #[error("a changelog cannot be followed: {0}")]
    Kafka(#[from] KafkaError),
}

pub(super) struct Mirror {
    path: PathBuf,
    consumer: ClientConfig,
    shared: Arc<Shared>,
    wishes: Receiver<Wish>,
    status: Report,
    metrics: Metrics,
    /// All of their partitions are wanted, once it is known how many there are.
    standby: BTreeSet<Arc<str>>,
    next_search: Instant,
    /// By how many each partition is wanted.
    wanted: BTreeMap<Place, usize>,
    followed: BTreeSet<Place>,
    next_change: Instant,
    file: Option<Arc<File>>,
    followers: BTreeMap<Arc<str>, Follower>,
    reader: Reader,
    bytes: usize,
    next_write: Instant,
    next_proof: Instant,
    pause: Duration,
}

impl Mirror {
    pub(super) fn new(
        path: PathBuf,
        mut consumer: ClientConfig,
        shared: Arc<Shared>,
        wishes: Receiver<Wish>,
        standby: BTreeSet<Arc<str>>,
        (status, metrics): (Report, Metrics),
    ) -> Self {
        // It is in no hurry, and must not take memory or time from the work.
        let patient = [
            ("fetch.wait.max.ms", "500"),
            ("fetch.min.bytes", "65536"),
            ("queued.max.messages.kbytes", "1024"),
            ("queued.min.messages", "2000"),
            ("max.partition.fetch.bytes", "65536"),
        ];
        for (name, value) in patient {
            consumer.set(name, value);
        }
        let reader = Reader::new(Reads::Store, status.status(), &metrics);
        let now = clock::now();
        Self {
            path,
            consumer,
            shared,
            wishes,
            status,
            metrics,
            standby,
            next_search: now,
            wanted: BTreeMap::new(),
            followed: BTreeSet::new(),
            next_change: now,
            file: None,
            followers: BTreeMap::new(),
            reader,
            bytes: 0,
            next_write: now + BETWEEN_WRITES,
            next_proof: now + REFRESH,
            pause: FIRST_RETRY,
        }
    }

    /// Until `stop`.
    pub(super) fn run(mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let result = self.open().and_then(|()| self.follow_until(stop));
            let Err(failure) = result else { break };
            self.metrics.store_failures.inc();
            self.status.holds_up(
                Part::Store,
                format!("the local store: {failure}; a restart will have to read the changelogs"),
            );
            self.close(&failure);
            let retry = clock::now() + self.pause;
            self.pause = LAST_RETRY.min(self.pause * 2);
            while clock::now() < retry && !stop.is_cancelled() {
                // That it should be made anew is no news.
                let _heard = self.next_wish(TICK).map(|wish| self.hear(wish));
            }
        }
    }

    /// A file that is damaged is made anew.
    fn open(&mut self) -> Result<(), Failure> {
        let file = match File::open(&self.path) {
            Err(Error::Damaged(reason)) => {
                tracing::warn!(
                    "the local store is made anew from the changelogs: it is damaged: {reason}"
                );
                fs::remove_file(&self.path).map_err(Error::from)?;
                File::open(&self.path)?
            }
            opened => opened?,
        };
        file.remove_old(clock::millis())?;
        let file = Arc::new(file);
        self.shared.put(Slot::Open(Arc::clone(&file)));
        self.file = Some(file);
        Ok(())
    }

    fn close(&mut self, failure: &Failure) {
        self.shared.put(Slot::Failed);
        self.file = None;
        self.followers.clear();
        self.followed.clear();
        self.bytes = 0;
        if let Failure::File(Error::Damaged(_)) = failure
            && let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the damaged store cannot be removed");
        }
    }

    fn follow_until(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        while !stop.is_cancelled() {
            let is_more = self.read()?;
            let now = clock::now();
            if now >= self.next_proof {
                self.next_proof = now + REFRESH;
                self.followers.values_mut().for_each(Follower::prove);
            }
            if now >= self.next_search && !self.standby.is_empty() {
                self.next_search = now + BETWEEN_SEARCHES;
                self.search()?;
            }
            if now >= self.next_write || self.bytes >= BYTES_AT_ONCE {
                self.write()?;
            }
            let pause = if is_more { Duration::ZERO } else { TICK };
            self.take_wishes(pause)?;
            self.follow_what_is_wanted()?;
        }
        self.write()
    }

    /// Reads what is there, without waiting; returns whether more may be there.
    fn read(&mut self) -> Result<bool, Failure> {
        let mut is_more = false;
        for follower in self.followers.values_mut() {
            let (bytes, is_more_here) = follower.read()?;
            self.bytes += bytes;
            is_more |= is_more_here;
        }
        Ok(is_more)
    }

    /// Follows the partitions of the changelogs that are there by now.
    fn search(&mut self) -> Result<(), Failure> {
        let client = Follower::new(&self.consumer, &self.reader, &Arc::from(""))?;
        for changelog in self.standby.clone() {
            let Some(partitions) = client.partitions_of(&changelog) else {
                continue;
            };
            self.standby.remove(&changelog);
            for partition in 0..partitions {
                let place = Place {
                    changelog: Arc::clone(&changelog),
                    partition,
                };
                self.want(place);
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Failure> {
        self.next_write = clock::now() + BETWEEN_WRITES;
        let Some(file) = &self.file else {
            return Ok(());
        };
        let all = self.followers.values_mut().flat_map(Follower::gathered);
        let mut due: Vec<_> = all.filter(|(_, gathered)| gathered.is_due()).collect();
        if due.is_empty() {
            return Ok(());
        }
        file.write(&mut due, clock::millis())?;
        for (_, gathered) in due {
            self.metrics.store_changes.inc_by(gathered.written());
        }
        self.bytes = 0;
        self.pause = FIRST_RETRY;
        self.status.goes_on(Part::Store);
        let length = fs::metadata(&self.path).map_or(0, |file| file.len());
        self.metrics
            .store_bytes
            .set(i64::try_from(length).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Hears what is wished for, and waits for the first wish for so long.
    fn take_wishes(&mut self, pause: Duration) -> Result<(), Error> {
        let mut wish = self.next_wish(pause);
        while let Some(wished) = wish {
            self.hear(wished)?;
            wish = self.next_wish(Duration::ZERO);
        }
        Ok(())
    }

    fn hear(&mut self, wish: Wish) -> Result<(), Error> {
        match wish {
            Wish::Follow(place) => self.want(place),
            Wish::Leave(place) => self.want_no_longer(place),
            Wish::Anew(error) => return Err(error),
        }
        Ok(())
    }

    fn next_wish(&self, pause: Duration) -> Option<Wish> {
        match self.wishes.recv_timeout(pause) {
            Ok(wish) => Some(wish),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(pause);
                None
            }
        }
    }

    fn want(&mut self, place: Place) {
        *self.wanted.entry(place).or_default() += 1;
    }

    fn want_no_longer(&mut self, place: Place) {
        if let Entry::Occupied(mut wanted) = self.wanted.entry(place) {
            *wanted.get_mut() -= 1;
            if *wanted.get() == 0 {
                wanted.remove();
            }
        }
    }

    /// Not at every wish: a partition that is left, followed and left again before librdkafka has
    /// stopped reading it makes the library abort the process.
    fn follow_what_is_wanted(&mut self) -> Result<(), Failure> {
        let now = clock::now();
        if now < self.next_change || self.followed.iter().eq(self.wanted.keys()) {
            return Ok(());
        }
        self.next_change = now + BETWEEN_CHANGES;
        let wanted: BTreeSet<_> = self.wanted.keys().cloned().collect();
        let followed = std::mem::replace(&mut self.followed, wanted.clone());
        if !followed.is_subset(&wanted) {
            self.write()?;
        }
        for place in followed.difference(&wanted) {
            self.leave(place)?;
        }
        for place in wanted.difference(&followed) {
            self.follow(place)?;
        }
        Ok(())
    }

    fn follow(&mut self, place: &Place) -> Result<(), Failure> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let checkpoint = file.snapshot(place)?.map(|snapshot| *snapshot.checkpoint());
        let checkpoint =
            checkpoint.filter(|checkpoint| checkpoint.check_age(clock::millis()).is_ok());
        let follower = match self.followers.entry(Arc::clone(&place.changelog)) {
            Entry::Occupied(follower) => follower.into_mut(),
            Entry::Vacant(entry) => entry.insert(Follower::new(
                &self.consumer,
                &self.reader,
                &place.changelog,
            )?),
        };
        follower.follow(place.partition, checkpoint.as_ref())?;
        Ok(())
    }

    fn leave(&mut self, place: &Place) -> Result<(), Failure> {
        if let Some(follower) = self.followers.get_mut(&place.changelog) {
            follower.leave(place.partition)?;
            if follower.is_idle() {
                self.followers.remove(&place.changelog);
            }
        }
        Ok(())
    }
}
