//! Each record counts once, whatever happens to the processes that count.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    record::Record,
    wait,
};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;

const PARTITIONS: i32 = 4;
/// Records of one turn.
const TURN: usize = 400;

/// Counts by page, which goes through a repartition topic, and by the records' own keys.
fn streams(source: &str, to: &str) -> String {
    format!(
        "commit_interval = '20ms'\n\
         [streams.pages]\nfrom = '{source}'\nkey = '/page'\nto = '{to}.pages'\n\
         window = {{ size = '5m', advance = '1m', grace = '24h' }}\n\
         [streams.keys]\nfrom = '{source}'\nto = '{to}.keys'\n\
         window = {{ size = '5m', advance = '1m', grace = '1m' }}\n"
    )
}

/// Records over some minutes, of which the last of each minute are too late for `keys`.
async fn produce(kafka: &Kafka, source: &str, turn: usize) {
    let values: Vec<_> = (0..TURN)
        .map(|index| format!(r#"{{"page":"/{}"}}"#, index % 7))
        .collect();
    // A key belongs to one partition, as with every partitioner.
    let keys = [b"a", b"b", b"c", b"d"];
    let records = values.iter().enumerate().map(|(index, value)| {
        let number = i64::try_from(turn * TURN + index).unwrap();
        let late = if number % 50 == 49 { 1_200_000 } else { 0 };
        let partition = index % keys.len();
        NewRecord {
            partition: Some(i32::try_from(partition).unwrap()),
            timestamp: 1_764_000_000_000 + number * 100 - late,
            key: Some(keys[partition]),
            value: Some(value.as_bytes()),
        }
    });
    kafka.produce_all(source, records).await;
}

/// The newest value of each key in each partition: what compaction leaves.
fn compacted(records: &[Record]) -> BTreeMap<(i32, Vec<u8>), Vec<u8>> {
    let newest = records.iter().map(|record| {
        let key = record.key.clone().unwrap();
        ((record.partition, key), record.value.clone().unwrap())
    });
    newest.collect()
}

/// The sum of the counts of all windows.
fn sum(records: &[Record]) -> u64 {
    let newest = compacted(records);
    let counts = newest.values().map(|value| {
        let result: serde_json::Value = serde_json::from_slice(value).unwrap();
        result["count"].as_u64().unwrap()
    });
    counts.sum()
}

/// A count that is told twice, or that goes back, was counted by two.
fn assert_counts_only_grow(records: &[Record]) {
    let mut newest = BTreeMap::new();
    for record in records {
        let count = record.json()["count"].as_u64().unwrap();
        let key = (record.partition, record.key.clone());
        let before = newest.insert(key, count).unwrap_or(0);
        assert!(count > before, "{count} after {before}: {record:?}");
    }
}

/// Waits until every record is in five windows, or was refused by so many.
async fn until_all_is_counted(kafka: &Kafka, to: &str, records: usize) {
    let updates = u64::try_from(records * 5).unwrap();
    wait::until(&format!("{updates} updates of `{to}.pages`"), async || {
        let found = sum(&kafka.read(&format!("{to}.pages")).await?);
        (found == updates)
            .then_some(())
            .ok_or(format!("{found} are there"))
    })
    .await;
}

#[tokio::test]
async fn after_twenty_kills_the_results_are_those_of_a_run_that_nothing_disturbed() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, PARTITIONS).await;
    let (killed, undisturbed) = (format!("{source}.killed"), format!("{source}.undisturbed"));
    // As static members its workers have their partitions back without waiting for their dead selves.
    let member = "[kafka.consumer]\n'group.instance.id' = 'one'\n";
    let config = format!("workers = 2\n{}{member}", streams(&source, &killed));
    let mut aggregation = Aggregation::start(kafka, &config).await;
    let mut told = 0;
    for turn in 0..20 {
        produce(kafka, &source, turn).await;
        // Something of this life must have been committed, or nothing is under way.
        let topic = format!("{killed}.keys");
        told = wait::until("results of this life", async || {
            let records = kafka.read(&topic).await?.len();
            (records > told).then_some(records).ok_or("none".into())
        })
        .await;
        produce(kafka, &source, 20 + turn).await;
        aggregation.program.signal(Signal::SIGKILL);
        aggregation.program.exit().await;
        aggregation.start_again().await;
    }
    let all = 40 * TURN;
    until_all_is_counted(kafka, &killed, all).await;
    let _beside = Aggregation::start(kafka, &streams(&source, &undisturbed)).await;
    until_all_is_counted(kafka, &undisturbed, all).await;
    for kind in ["pages", "keys"] {
        let of_killed = kafka.read(&format!("{killed}.{kind}")).await.unwrap();
        assert_counts_only_grow(&of_killed);
        let expected = kafka.read(&format!("{undisturbed}.{kind}")).await.unwrap();
        assert_eq!(compacted(&of_killed), compacted(&expected), "{kind}");
    }
    let late = [&killed, &undisturbed].map(|to| format!("{to}.keys.late"));
    let of_killed = kafka.read(&late[0]).await.unwrap();
    let expected = kafka.read(&late[1]).await.unwrap();
    assert!(!expected.is_empty());
    assert_eq!(of_killed.len(), expected.len());
}

#[tokio::test]
async fn a_process_that_was_frozen_until_it_was_replaced_writes_nothing_twice() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, PARTITIONS).await;
    let to = format!("{source}.counts");
    let group = Kafka::unique("aggregation");
    let config = format!("workers = 2\n{}", streams(&source, &to));
    let mut frozen = Aggregation::start_in_group(kafka, &config, &group).await;
    produce(kafka, &source, 0).await;
    until_all_is_counted(kafka, &to, TURN).await;
    produce(kafka, &source, 1).await;
    frozen.program.signal(Signal::SIGSTOP);
    let replacement = Aggregation::start_in_group(kafka, &config, &group).await;
    produce(kafka, &source, 2).await;
    until_all_is_counted(kafka, &to, 3 * TURN).await;
    frozen.program.signal(Signal::SIGCONT);
    produce(kafka, &source, 3).await;
    until_all_is_counted(kafka, &to, 4 * TURN).await;
    frozen.until_ready().await;
    produce(kafka, &source, 4).await;
    until_all_is_counted(kafka, &to, 5 * TURN).await;
    assert!(frozen.program.is_running());
    drop(replacement);
    produce(kafka, &source, 5).await;
    until_all_is_counted(kafka, &to, 6 * TURN).await;
    for kind in ["pages", "keys"] {
        assert_counts_only_grow(&kafka.read(&format!("{to}.{kind}")).await.unwrap());
    }
}

/// Two processes count, a third one comes and goes, while records keep coming.
async fn instances_come_and_go(more: &str) {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, PARTITIONS).await;
    let to = format!("{source}.counts");
    let group = Kafka::unique("aggregation");
    let config = format!("{}{more}", streams(&source, &to));
    let start = async || Aggregation::start_in_group(kafka, &config, &group).await;
    let (_first, _second) = (start().await, start().await);
    let mut turns = 0;
    for _ in 0..2 {
        produce(kafka, &source, turns).await;
        let mut third = start().await;
        for _ in 0..3 {
            turns += 1;
            produce(kafka, &source, turns).await;
        }
        until_all_is_counted(kafka, &to, (turns + 1) * TURN).await;
        turns += 1;
        produce(kafka, &source, turns).await;
        third.program.signal(Signal::SIGTERM);
        turns += 1;
        produce(kafka, &source, turns).await;
        let status = third.program.exit().await;
        assert_eq!(status.code(), Some(0), "{}", third.program.stderr());
        until_all_is_counted(kafka, &to, (turns + 1) * TURN).await;
        turns += 1;
    }
    for kind in ["pages", "keys"] {
        assert_counts_only_grow(&kafka.read(&format!("{to}.{kind}")).await.unwrap());
    }
}

#[tokio::test]
async fn instances_come_and_go_and_each_record_counts_once() {
    instances_come_and_go("").await;
}

#[tokio::test]
async fn instances_come_and_go_where_brokers_hand_out_partitions() {
    let protocol = "[kafka.consumer]\n'group.protocol' = 'consumer'\n";
    instances_come_and_go(protocol).await;
}
