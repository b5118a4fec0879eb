//! Each record counts once, whatever happens to the processes that count.

use super::results::{compacted, until_counted};
use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    record::Record,
    wait,
};
use nix::sys::signal::Signal;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

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

fn values() -> Vec<String> {
    let values = (0..TURN).map(|index| format!(r#"{{"page":"/{}"}}"#, index % 7));
    values.collect()
}

/// Records over some minutes, of which the last of each minute are too late for `keys`.
fn records(turn: usize, values: &[String]) -> impl Iterator<Item = NewRecord<'_>> {
    // A key belongs to one partition, as with every partitioner.
    let keys = [b"a", b"b", b"c", b"d"];
    values.iter().enumerate().map(move |(index, value)| {
        let number = i64::try_from(turn * TURN + index).unwrap();
        let late = if number % 50 == 49 { 1_200_000 } else { 0 };
        let partition = index % keys.len();
        NewRecord {
            partition: Some(i32::try_from(partition).unwrap()),
            timestamp: 1_764_000_000_000 + number * 100 - late,
            key: Some(keys[partition]),
            value: Some(value.as_bytes()),
        }
    })
}

async fn produce(kafka: &Kafka, source: &str, turn: usize) {
    kafka.produce_all(source, records(turn, &values())).await;
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
    until_counted(kafka, &format!("{to}.pages"), records).await;
}

#[tokio::test]
async fn after_twenty_kills_the_results_are_those_of_a_run_that_nothing_disturbed() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, PARTITIONS).await;
    let killed = format!("{source}.killed");
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
    assert_undisturbed(kafka, &source, &killed, all).await;
}

/// That these results are those of a run over the same records that nothing disturbed.
async fn assert_undisturbed(kafka: &Kafka, source: &str, disturbed: &str, records: usize) {
    let undisturbed = format!("{source}.undisturbed");
    let _beside = Aggregation::start(kafka, &streams(source, &undisturbed)).await;
    until_all_is_counted(kafka, &undisturbed, records).await;
    for kind in ["pages", "keys"] {
        let found = kafka.read(&format!("{disturbed}.{kind}")).await.unwrap();
        assert_counts_only_grow(&found);
        let expected = kafka.read(&format!("{undisturbed}.{kind}")).await.unwrap();
        assert_eq!(compacted(&found), compacted(&expected), "{kind}");
    }
    let late = [disturbed, &undisturbed].map(|to| format!("{to}.keys.late"));
    let found = kafka.read(&late[0]).await.unwrap();
    let expected = kafka.read(&late[1]).await.unwrap();
    assert!(!expected.is_empty());
    assert_eq!(found.len(), expected.len());
}

/// How long the broker is away: longer than every session and transaction lives without it.
const AWAY: Duration = Duration::from_secs(60);

#[tokio::test]
async fn after_a_minute_without_a_broker_the_results_are_those_of_a_run_that_nothing_disturbed() {
    let mut kafka = Kafka::start().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, PARTITIONS).await;
    let to = format!("{source}.disturbed");
    let mut aggregation = Aggregation::start(&kafka, &streams(&source, &to)).await;
    let (producer, topic) = (kafka.patient_producer(), source.clone());
    let turns = 20;
    let is_away = Arc::new(Notify::new());
    let away = Arc::clone(&is_away);
    let load = tokio::spawn(async move {
        for turn in 0..turns {
            // Some records are written while the broker goes, and some while it is away.
            if turn == turns - 2 {
                away.notified().await;
            }
            let values = values();
            let mut records = records(turn, &values).peekable();
            while records.peek().is_some() {
                let some = records.by_ref().take(10);
                producer.produce_all(&topic, some, None).await;
            }
        }
    });
    wait::until("results", async || {
        let found = kafka.read(&format!("{to}.keys")).await?.len();
        (found > 0).then_some(()).ok_or("none".into())
    })
    .await;
    kafka.stop().await;
    is_away.notify_one();
    tokio::time::sleep(AWAY).await;
    assert!(aggregation.program.is_running());
    kafka.start_again().await;
    load.await.unwrap();
    // Apache Kafka may append what it was sent while it ended a second time, under the same
    // sequence numbers, so what is to be counted is what the topic has.
    let written = kafka.read(&source).await.unwrap().len();
    assert!(written >= turns * TURN, "{written}");
    until_all_is_counted(&kafka, &to, written).await;
    assert!(aggregation.program.is_running());
    assert_undisturbed(&kafka, &source, &to, written).await;
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
