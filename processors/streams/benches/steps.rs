//! What the library's own steps cost, without Kafka: hopping windows of five minutes every minute,
//! 10,000 keys.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot begin has nothing to measure"
)]

use divan::{Bencher, counter::ItemsCount};
use footfall_streams::{StreamsTask, TimeWindows, Topology, minutes, stream};
use footfall_task::{
    Effects, Kind, Offset, Partition, Processor as _, Record, Task as _, Timestamp,
};

const KEYS: usize = 10_000;
const SOURCE: &str = "records";
/// 2026-01-01, the beginning of a pane.
const TIME: i64 = 1_767_225_600_000;

fn main() {
    divan::main();
}

fn task() -> StreamsTask {
    let windows = TimeWindows::of(minutes(5)).advance_by(minutes(1));
    let windows = windows.grace(minutes(1)).expect("windows that are some");
    let counts = stream(SOURCE).group_by_key().windowed_by(windows).count();
    Topology::new("bench", [counts.to("counts")]).task(SOURCE, Partition(0))
}

fn keys() -> Vec<String> {
    (0..KEYS).map(|key| format!("key-{key:06}")).collect()
}

fn process(task: &mut StreamsTask, keys: &[String]) {
    let mut effects = Effects::default();
    for (offset, key) in (0..).zip(keys) {
        let record = Record {
            topic: SOURCE,
            partition: Partition(0),
            offset: Offset(offset),
            timestamp: Some(Timestamp(TIME + offset)),
            key: Some(key.as_bytes()),
            value: Some(b"a value of thirty bytes or so."),
            headers: Vec::new(),
        };
        task.process(&record, Timestamp(TIME), &mut effects);
    }
    assert!(effects.sends.is_empty(), "none of them is late");
}

/// A task that has counted each key once.
fn counted() -> StreamsTask {
    let mut task = task();
    process(&mut task, &keys());
    task
}

/// A record of a key that is known, in a pane that is known.
#[divan::bench]
fn process_records(bencher: Bencher<'_, '_>) {
    let keys = keys();
    bencher
        .counter(ItemsCount::new(KEYS))
        .with_inputs(counted)
        .bench_local_refs(|task| process(task, &keys));
}

/// A record of a new key.
#[divan::bench]
fn process_new_keys(bencher: Bencher<'_, '_>) {
    let keys = keys();
    bencher
        .counter(ItemsCount::new(KEYS))
        .with_inputs(task)
        .bench_local_refs(|task| process(task, &keys));
}

/// A result as JSON, or a change of state: six for each key.
#[divan::bench]
fn commit_effects(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(6 * KEYS))
        .with_inputs(counted)
        .bench_local_refs(|task| {
            let mut effects = Effects::default();
            task.commit(&mut effects);
            effects
        });
}

/// A pane, read back from the changelog.
#[divan::bench]
fn restore_panes(bencher: Bencher<'_, '_>) {
    let mut effects = Effects::default();
    counted().commit(&mut effects);
    let changes = effects
        .sends
        .iter()
        .filter(|send| send.kind == Kind::Change);
    let changes: Vec<_> = changes.map(|send| &send.record).collect();
    bencher
        .counter(ItemsCount::new(changes.len()))
        .with_inputs(task)
        .bench_local_refs(|task| {
            for change in &changes {
                let key = change.key.as_deref().unwrap_or_default();
                let restored = task.restore(&change.topic, key, change.value.as_deref());
                restored.expect("a change of its own");
            }
        });
}
