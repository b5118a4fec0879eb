//! Streams that are new, changed, or back: each counts what is its own, and moves no other.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;

const BEGIN: i64 = 1_764_000_000_000;
const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// `count` records, whose members `a` and `b` are two ways to group them.
async fn produce(kafka: &Kafka, source: &str, count: usize) {
    let values: Vec<_> = (0..count)
        .map(|n| format!(r#"{{"a":"{}","b":"{}"}}"#, KEYS[n % 4], KEYS[n % 2]))
        .collect();
    let records = values.iter().enumerate().map(|(n, value)| NewRecord {
        timestamp: BEGIN,
        key: Some(KEYS[n % 4].as_bytes()),
        value: Some(value.as_bytes()),
        ..NewRecord::default()
    });
    kafka.produce_all(source, records).await;
}

fn stream(name: &str, source: &str, more: &str) -> String {
    format!(
        "[streams.{name}]\nfrom = '{source}'\nto = '{source}.{name}'\n\
         window = {{ size = '1h', grace = '1m' }}\n{more}\n"
    )
}

/// The newest count of each key.
async fn counts(kafka: &Kafka, topic: &str) -> Result<BTreeMap<String, u64>, String> {
    let mut counts = BTreeMap::new();
    for record in kafka.read(topic).await? {
        let value = record.json();
        let key = value["key"].as_str().unwrap().to_owned();
        counts.insert(key, value["count"].as_u64().unwrap());
    }
    Ok(counts)
}

async fn until_counts(kafka: &Kafka, source: &str, name: &str, expected: &[(&str, u64)]) {
    let expected = expected.iter();
    let expected: BTreeMap<_, _> = expected.map(|(key, n)| ((*key).to_owned(), *n)).collect();
    wait::until(&format!("the counts of {name}"), async || {
        let found = counts(kafka, &format!("{source}.{name}")).await?;
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found:?}, not {expected:?}"))
        }
    })
    .await;
}

async fn stop(mut aggregation: Aggregation) {
    aggregation.program.signal(Signal::SIGTERM);
    assert!(aggregation.program.exit().await.success());
}

#[tokio::test]
async fn a_changed_stream_is_refused_with_what_changed_until_it_has_another_version() {
    let kafka = Kafka::shared().await;
    let (source, group) = (Kafka::unique("changed"), Kafka::unique("group"));
    kafka.create_topic(&source, 1).await;
    produce(kafka, &source, 4).await;
    let config = stream("s", &source, "key = '/a'");
    let aggregation = Aggregation::start_in_group(kafka, &config, &group).await;
    let of_a = [("a", 1), ("b", 1), ("c", 1), ("d", 1)];
    until_counts(kafka, &source, "s", &of_a).await;
    stop(aggregation).await;
    for (change, told) in [
        ("key = '/b'", "`key` was `/a` and is `/b`"),
        (
            "key = '/a'\nwhere = 'a == \"a\"'",
            "`where` was left out and is `a == \"a\"`",
        ),
        (
            "key = '/a'\ndedupe = { by = '/a', within = '1m' }",
            "`dedupe by` was left out and is `/a`, `dedupe within` was left out and is `1m`",
        ),
    ] {
        let config = stream("s", &source, change);
        let aggregation = Aggregation::launch(kafka, &config, &group);
        let reason = aggregation.until_held_up(told).await;
        assert!(reason.contains("`version`"), "{reason}");
        stop(aggregation).await;
    }
    // What was counted stays as it was, and the next version begins anew.
    let config = stream("s", &source, "key = '/b'\nversion = 2");
    let aggregation = Aggregation::start_in_group(kafka, &config, &group).await;
    until_counts(
        kafka,
        &source,
        "s",
        &[("a", 2), ("b", 2), ("c", 1), ("d", 1)],
    )
    .await;
    stop(aggregation).await;
    // The first one goes on where it was.
    produce(kafka, &source, 4).await;
    let config = stream("s", &source, "key = '/a'");
    let _aggregation = Aggregation::start_in_group(kafka, &config, &group).await;
    until_counts(kafka, &source, "s", &of_a.map(|(key, _)| (key, 2))).await;
}

#[tokio::test]
async fn streams_that_are_added_count_from_their_own_starts_and_move_no_other_over_kills() {
    const BEFORE: usize = 20_000;
    let kafka = Kafka::shared().await;
    let (source, group) = (Kafka::unique("added"), Kafka::unique("group"));
    kafka.create_topic(&source, 2).await;
    produce(kafka, &source, BEFORE).await;
    let each = |count: usize| KEYS.map(|key| (key, count as u64 / 4));
    let first = stream("s", &source, "");
    let aggregation = Aggregation::start_in_group(kafka, &first, &group).await;
    until_counts(kafka, &source, "s", &each(BEFORE)).await;
    stop(aggregation).await;
    let added = [
        "commit_interval = '20ms'\n".to_owned(),
        first.clone(),
        stream("all", &source, ""),
        stream("by-a", &source, "key = '/a'"),
        stream("new", &source, "start = 'latest'"),
        stream("new-by-a", &source, "start = 'latest'\nkey = '/a'"),
    ]
    .concat();
    // Killed while old records are read, and then again.
    let mut aggregation = Aggregation::start_in_group(kafka, &added, &group).await;
    kafka.records(&format!("{source}.all"), 1).await;
    aggregation.program.signal(Signal::SIGKILL);
    aggregation.program.exit().await;
    aggregation.start_again().await;
    // What comes while it is ready is not missed by who begins at the end.
    wait::until("a ready process", async || {
        aggregation.get("/readyz").await.map(drop)
    })
    .await;
    produce(kafka, &source, 400).await;
    for _ in 0..3 {
        aggregation.program.signal(Signal::SIGKILL);
        aggregation.program.exit().await;
        aggregation.start_again().await;
        wait::until("a ready process", async || {
            aggregation.get("/readyz").await.map(drop)
        })
        .await;
    }
    produce(kafka, &source, 400).await;
    let all = BEFORE + 800;
    for (name, count) in [
        ("s", all),
        ("all", all),
        ("by-a", all),
        ("new", 800),
        ("new-by-a", 800),
    ] {
        until_counts(kafka, &source, name, &each(count)).await;
    }
    let metrics = aggregation.metrics().await.unwrap();
    assert_eq!(metrics.sum("footfall_late_total"), 0.0);
    stop(aggregation).await;
    // Away for a while, they go on where they were.
    let aggregation = Aggregation::start_in_group(kafka, &first, &group).await;
    produce(kafka, &source, 400).await;
    until_counts(kafka, &source, "s", &each(all + 400)).await;
    stop(aggregation).await;
    let _aggregation = Aggregation::start_in_group(kafka, &added, &group).await;
    for (name, count) in [("all", all), ("by-a", all), ("new", 800), ("new-by-a", 800)] {
        until_counts(kafka, &source, name, &each(count + 400)).await;
    }
}

#[tokio::test]
async fn a_stream_from_the_end_leaves_out_what_was_there_and_reads_added_partitions_whole() {
    let kafka = Kafka::shared().await;
    let (source, group) = (Kafka::unique("latest"), Kafka::unique("group"));
    kafka.create_topic(&source, 1).await;
    produce(kafka, &source, 8).await;
    let config = stream("s", &source, "start = 'latest'");
    let aggregation = Aggregation::start_in_group(kafka, &config, &group).await;
    wait::until("a ready process", async || {
        aggregation.get("/readyz").await.map(drop)
    })
    .await;
    produce(kafka, &source, 4).await;
    until_counts(kafka, &source, "s", &KEYS.map(|key| (key, 1))).await;
    stop(aggregation).await;
    kafka.add_partitions(&source, 2).await;
    for internal in ["changelog"] {
        kafka
            .add_partitions(&format!("{group}-s-{internal}"), 2)
            .await;
    }
    for internal in ["s.late", "dlq"] {
        kafka
            .add_partitions(&format!("{source}.{internal}"), 2)
            .await;
    }
    let record = NewRecord {
        timestamp: BEGIN,
        partition: Some(1),
        key: Some(b"e"),
        value: Some(b"{}"),
    };
    kafka.produce(&source, &record).await;
    let _aggregation = Aggregation::start_in_group(kafka, &config, &group).await;
    let expected = [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)];
    until_counts(kafka, &source, "s", &expected).await;
}

#[tokio::test]
async fn an_event_time_of_0_counts_as_such_behind_a_repartition() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("zero");
    kafka.create_topic(&source, 1).await;
    for value in [r#"{"k":"a","at":0}"#, r#"{"k":"a","at":1764000000123}"#] {
        let record = NewRecord {
            timestamp: BEGIN,
            key: Some(b"own"),
            value: Some(value.as_bytes()),
            ..NewRecord::default()
        };
        kafka.produce(&source, &record).await;
    }
    let config = stream("s", &source, "key = '/k'\ntime = '/at'");
    let aggregation = Aggregation::start(kafka, &config).await;
    let output = format!("{source}.s");
    let results = wait::until("both windows", async || {
        let results = kafka.read(&output).await?;
        let told = format!("{results:?}");
        if results.len() == 2 {
            Ok(results)
        } else {
            Err(told)
        }
    })
    .await;
    let starts: Vec<_> = results
        .iter()
        .map(|result| (result.json()["start"].as_i64().unwrap(), result.timestamp))
        .collect();
    let hour = 3_600_000;
    let newest = 1_764_000_000_123;
    assert_eq!(starts, [(0, 1), (newest / hour * hour, newest)]);
    let metrics = aggregation.metrics().await.unwrap();
    assert_eq!(metrics.sum("footfall_late_total"), 0.0);
}
