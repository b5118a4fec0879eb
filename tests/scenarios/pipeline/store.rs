//! What a process keeps on its own disk makes its next start faster, and never a number wrong.

use super::results::{compacted, until_counted};
use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    mount::Mount,
    wait,
};
use nix::sys::signal::Signal;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const PARTITIONS: i32 = 4;
/// Records of one turn, each of another key.
const TURN: usize = 1_000;

/// A topic, counted by one consumer group that has its partitions back at once after a kill.
struct Count {
    kafka: &'static Kafka,
    source: String,
    to: String,
    group: String,
    turns: usize,
}

impl Count {
    async fn new() -> Self {
        let kafka = Kafka::shared().await;
        let source = Kafka::unique("source");
        kafka.create_topic(&source, PARTITIONS).await;
        let (to, group) = (format!("{source}.counts"), Kafka::unique("aggregation"));
        Self {
            kafka,
            source,
            to,
            group,
            turns: 0,
        }
    }

    /// `name` gives a process its partitions back as soon as it is started again.
    fn config(&self, name: &str, more: &str) -> String {
        let Self { source, to, .. } = self;
        format!(
            "commit_interval = '20ms'\n{more}\
             [kafka.consumer]\n'group.instance.id' = '{name}'\n\
             [streams.keys]\nfrom = '{source}'\nto = '{to}'\n\
             window = {{ size = '5m', advance = '1m', grace = '24h' }}\n"
        )
    }

    async fn start(&self, state: &Path) -> Aggregation {
        let config = self.config("one", "");
        Aggregation::start_on(self.kafka, &config, &self.group, state).await
    }

    /// Puts a record of each key on the topic.
    async fn produce(&mut self) {
        let keys: Vec<_> = (0..TURN).map(|key| format!("visitor-{key}")).collect();
        let first = self.turns * TURN;
        let records = (first..).zip(&keys).map(|(number, key)| NewRecord {
            timestamp: 1_764_000_000_000 + i64::try_from(number).unwrap() * 50,
            key: Some(key.as_bytes()),
            value: Some(b"{}"),
            ..NewRecord::default()
        });
        self.kafka.produce_all(&self.source, records).await;
        self.turns += 1;
    }

    /// Waits until so many turns are counted, each record once in five windows.
    async fn until_counted(&self, turns: usize) {
        until_counted(self.kafka, &self.to, turns * TURN).await;
    }

    fn changelog(&self) -> String {
        format!("{}-keys-changelog", self.group)
    }
}

async fn kill(mut aggregation: Aggregation) {
    aggregation.program.signal(Signal::SIGKILL);
    aggregation.program.exit().await;
}

/// Waits until the store has every change that this life has written.
async fn until_stored(aggregation: &Aggregation) {
    wait::until("the store to be whole", async || {
        let metrics = aggregation.metrics().await?;
        let [written, stored] =
            ["footfall_changes_total", "footfall_store_changes_total"].map(|of| metrics.sum(of));
        (written > 0.0 && stored >= written)
            .then_some(())
            .ok_or(format!("{stored} of {written}"))
    })
    .await;
}

/// How many changes this life has read back, from the store or from the changelog.
async fn restored(aggregation: &Aggregation, from: &str) -> f64 {
    let metrics = aggregation.metrics().await.unwrap();
    metrics.sum_with("footfall_restored_total", &format!("from=\"{from}\""))
}

fn store(state: &Path) -> PathBuf {
    state.join("store.redb")
}

#[tokio::test]
async fn killed_under_load_it_goes_on_from_its_store_to_the_same_answer() {
    let mut count = Count::new().await;
    let folder = TempDir::new().unwrap();
    let mut from_store = 0.0;
    for life in 0..5 {
        let aggregation = count.start(folder.path()).await;
        count.produce().await;
        count.until_counted(count.turns).await;
        from_store += restored(&aggregation, "store").await;
        if life % 2 == 0 {
            until_stored(&aggregation).await;
        }
        count.produce().await;
        kill(aggregation).await;
    }
    let _last = count.start(folder.path()).await;
    count.until_counted(count.turns).await;
    assert!(from_store > 0.0, "nothing came from the store");
    let disturbed = count.kafka.read(&count.to).await.unwrap();
    let undisturbed = Count {
        to: format!("{}.undisturbed", count.to),
        group: Kafka::unique("aggregation"),
        source: count.source.clone(),
        ..count
    };
    let beside = TempDir::new().unwrap();
    let _beside = undisturbed.start(beside.path()).await;
    undisturbed.until_counted(undisturbed.turns).await;
    let expected = undisturbed.kafka.read(&undisturbed.to).await.unwrap();
    assert_eq!(compacted(&disturbed), compacted(&expected));
}

fn flipped(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x10);
    bytes
}

fn halved(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 2);
    bytes
}

fn replaced(_: Vec<u8>) -> Vec<u8> {
    b"no store".to_vec()
}

#[tokio::test]
async fn a_damaged_store_is_made_anew_and_the_numbers_are_right() {
    let mut count = Count::new().await;
    let folder = TempDir::new().unwrap();
    let store = store(folder.path());
    for damage in [flipped, halved, replaced] {
        let aggregation = count.start(folder.path()).await;
        count.produce().await;
        count.until_counted(count.turns).await;
        until_stored(&aggregation).await;
        kill(aggregation).await;
        let bytes = fs::read(&store).unwrap();
        fs::write(&store, damage(bytes)).unwrap();
        let aggregation = count.start(folder.path()).await;
        count.produce().await;
        count.until_counted(count.turns).await;
        assert!(restored(&aggregation, "changelog").await > 0.0);
        assert_eq!(restored(&aggregation, "store").await, 0.0);
        let said = aggregation.program.stderr();
        assert!(said.contains("the local store is made anew"), "{said}");
        kill(aggregation).await;
    }
}

#[tokio::test]
async fn the_store_of_a_changelog_that_was_made_anew_is_not_used() {
    let mut count = Count::new().await;
    let [old, new] = [(); 2].map(|()| TempDir::new().unwrap());
    let aggregation = count.start(old.path()).await;
    count.produce().await;
    count.until_counted(1).await;
    until_stored(&aggregation).await;
    kill(aggregation).await;
    count.kafka.delete_topic(&count.changelog()).await;
    // What was counted is forgotten with the changelog; the group's offsets are not.
    let aggregation = count.start(new.path()).await;
    for _ in 0..3 {
        count.produce().await;
    }
    wait::until("the new changelog to be beyond the old one", async || {
        let found = count.kafka.read(&count.changelog()).await?.len();
        (found > 2 * TURN)
            .then_some(())
            .ok_or(format!("{found} changes"))
    })
    .await;
    kill(aggregation).await;
    let aggregation = count.start(old.path()).await;
    count.produce().await;
    wait::until("the last turn", async || {
        let metrics = aggregation.metrics().await?;
        let lag = metrics.sum("footfall_lag_records");
        let records = metrics.sum("footfall_records_total");
        (lag == 0.0 && records > 0.0)
            .then_some(())
            .ok_or(format!("{lag} of {records}"))
    })
    .await;
    // No window counts what was forgotten: four turns, where the first is only in what was told.
    let answer = aggregation
        .get("/v1/streams/keys/windows?limit=100000")
        .await
        .unwrap();
    let windows = answer["windows"].as_array().unwrap();
    let counted: u64 = windows
        .iter()
        .map(|window| window["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, u64::try_from(4 * TURN * 5).unwrap());
    assert_eq!(restored(&aggregation, "store").await, 0.0);
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_numbers_are_right() {
    let mut count = Count::new().await;
    let disk = Mount::of_kib(256);
    let aggregation = count.start(disk.path()).await;
    wait::until("the disk to be full", async || {
        count.produce().await;
        let failures = aggregation
            .metrics()
            .await?
            .sum("footfall_store_failures_total");
        (failures > 0.0).then_some(()).ok_or("it is not".into())
    })
    .await;
    let ready = aggregation.get("/readyz").await.unwrap();
    assert_eq!(ready["ready"], true, "{ready}");
    let reason = ready["reason"].as_str().unwrap();
    assert!(reason.contains("local store"), "{reason}");
    count.until_counted(count.turns).await;
    kill(aggregation).await;
    let _again = count.start(disk.path()).await;
    count.produce().await;
    count.until_counted(count.turns).await;
}

#[tokio::test]
async fn a_standby_takes_over_from_its_own_disk() {
    let mut count = Count::new().await;
    let [one, two] = [(); 2].map(|()| TempDir::new().unwrap());
    let start = async |count: &Count, name, state: &TempDir| {
        let config = count.config(name, "standby = true\n");
        Aggregation::start_on(count.kafka, &config, &count.group, state.path()).await
    };
    let owner = start(&count, "one", &one).await;
    count.produce().await;
    count.until_counted(1).await;
    let standby = start(&count, "two", &two).await;
    wait::until("the standby to have the state of the owner", async || {
        let [written, stored] = [
            owner.metrics().await?.sum("footfall_changes_total"),
            standby.metrics().await?.sum("footfall_store_changes_total"),
        ];
        (stored >= written)
            .then_some(())
            .ok_or(format!("{stored} of {written}"))
    })
    .await;
    let before = restored(&standby, "store").await;
    kill(owner).await;
    count.produce().await;
    count.until_counted(2).await;
    let from_store = restored(&standby, "store").await - before;
    assert!(from_store > 0.0, "nothing came from the store");
}
