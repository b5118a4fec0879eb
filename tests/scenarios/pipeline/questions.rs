//! Questions to several processes of one group: each of them answers for all.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PARTITIONS: i32 = 4;
/// A multiple of five minutes.
const BEGIN: i64 = 1_764_000_000_000;
const PAGES: usize = 7;
const KEYS: [&[u8]; 4] = [b"a", b"b", b"c", b"d"];
/// Of one turn: each page is in so many, and each key.
const RECORDS: usize = PAGES * KEYS.len() * 3;

/// By page, which goes through a repartition topic, and by the records' own keys.
fn streams(source: &str, more: &str) -> String {
    format!(
        "[streams.pages]\nfrom = '{source}'\nkey = '/page'\nto = '{source}.pages'\n\
         window = {{ size = '5m', grace = '24h' }}\n\
         [streams.keys]\nfrom = '{source}'\nto = '{source}.keys'\n\
         window = {{ size = '5m', grace = '24h' }}\n{more}"
    )
}

async fn produce(kafka: &Kafka, source: &str) {
    let values: Vec<_> = (0..RECORDS)
        .map(|index| format!(r#"{{"page":"/{}"}}"#, index % PAGES))
        .collect();
    let records = values.iter().enumerate().map(|(index, value)| {
        let partition = index % KEYS.len();
        NewRecord {
            partition: Some(i32::try_from(partition).unwrap()),
            timestamp: BEGIN + 1,
            key: Some(KEYS[partition]),
            value: Some(value.as_bytes()),
        }
    });
    kafka.produce_all(source, records).await;
}

fn window(key: &str, count: usize) -> Value {
    let end = BEGIN + 300_000;
    json!({ "key": key, "start": BEGIN, "end": end, "count": count, "final": false })
}

/// The windows of both streams after so many turns.
fn expected(turns: usize) -> [(&'static str, Vec<Value>); 2] {
    let pages = (0..PAGES).map(|page| window(&format!("/{page}"), turns * RECORDS / PAGES));
    let keys = ["a", "b", "c", "d"].into_iter();
    let keys = keys.map(|key| window(key, turns * RECORDS / KEYS.len()));
    [("pages", pages.collect()), ("keys", keys.collect())]
}

async fn ask(process: &Aggregation, stream: &str, parameters: &str) -> Result<Value, String> {
    let path = format!("/v1/streams/{stream}/windows{parameters}");
    process.get(&path).await
}

/// Fails when an answer is not exactly what has been counted.
async fn assert_whole(process: &Aggregation, turns: usize) {
    for (stream, windows) in expected(turns) {
        let answer = ask(process, stream, "").await.unwrap();
        assert_eq!(answer["windows"], json!(windows), "{answer}");
        assert_eq!(answer["missing_partitions"], Value::Null, "{answer}");
    }
}

async fn until_whole(process: &Aggregation, turns: usize) {
    let what = format!("{} to answer for everything", process.url);
    wait::until_within(wait::LIMIT * 2, &what, async || {
        for (stream, windows) in expected(turns) {
            let answer = ask(process, stream, "").await?;
            if answer["windows"] != json!(windows) || answer["missing_partitions"] != Value::Null {
                return Err(answer.to_string());
            }
        }
        Ok(())
    })
    .await;
}

/// Who works on the partitions that a stream counts, by their numbers.
async fn owners(process: &Aggregation, stream: &str) -> Result<Vec<String>, String> {
    let topology = process.get("/v1/topology").await?;
    let streams = topology["streams"].as_array().unwrap();
    let stream = streams.iter().find(|row| row["name"] == stream).unwrap();
    let counted = stream.get("via").unwrap_or(&stream["from"]);
    let rows = stream["partitions"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["topic"] == *counted);
    rows.map(
        |row| match (row["state"].as_str(), row["instance"].as_str()) {
            (Some("owned"), Some(instance)) => Ok(instance.to_owned()),
            _ => Err(topology.to_string()),
        },
    )
    .collect()
}

/// Who works on anything.
async fn all_owners(process: &Aggregation) -> Result<BTreeSet<String>, String> {
    let mut all = BTreeSet::new();
    for (stream, _) in expected(1) {
        all.extend(owners(process, stream).await?);
    }
    Ok(all)
}

/// Waits until every partition has an owner and these processes are all of them. (A group shares all partitions alike,
/// so one process may have all of one topic and another all of the next.) Who counts which pages is returned.
async fn until_shared(processes: &[&Aggregation]) -> Vec<String> {
    let all: BTreeSet<_> = processes
        .iter()
        .map(|process| process.url.clone())
        .collect();
    wait::until_within(wait::LIMIT * 2, "the partitions to be shared", async || {
        for process in processes {
            let found = all_owners(process).await?;
            if found != all {
                return Err(format!("{found:?}"));
            }
        }
        owners(processes[0], "pages").await
    })
    .await
}

async fn every_process_answers_for_every_key(more: &str) {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, PARTITIONS).await;
    let group = Kafka::unique("aggregation");
    let config = streams(&source, more);
    let start = async || Aggregation::start_in_group(kafka, &config, &group).await;
    produce(kafka, &source).await;
    let first = start().await;
    until_whole(&first, 1).await;
    // Partitions go to the second one while nothing is counted: who has them now must know of it.
    let mut second = start().await;
    wait::until_within(wait::LIMIT * 2, "partitions to move", async || {
        assert_whole(&first, 1).await;
        let found = all_owners(&first).await?;
        (found.len() == 2).then_some(()).ok_or(format!("{found:?}"))
    })
    .await;
    let third = start().await;
    let processes = [&first, &second, &third];
    until_shared(&processes).await;
    for process in processes {
        until_whole(process, 1).await;
    }
    produce(kafka, &source).await;
    for process in processes {
        until_whole(process, 2).await;
        for (stream, windows) in expected(2) {
            for window in &windows {
                let key = window["key"].as_str().unwrap();
                let answer = ask(process, stream, &format!("?key={key}")).await.unwrap();
                assert_eq!(answer["windows"], json!([window]));
            }
            // Of all partitions together, not of each.
            let answer = ask(process, stream, "?top=2").await.unwrap();
            assert_eq!(answer["windows"], json!(windows[..2]));
            let answer = ask(process, stream, "?limit=3").await.unwrap();
            assert_eq!(answer["windows"], json!(windows[..3]));
        }
    }
    // One that does not answer holds nobody up, and what it has is said to be missing.
    let owned = until_shared(&processes).await;
    let of_second = owned
        .iter()
        .zip(0..)
        .filter(|(owner, _)| **owner == second.url);
    let of_second: Vec<i32> = of_second.map(|(_, partition)| partition).collect();
    let missing = if of_second.is_empty() {
        Value::Null
    } else {
        json!(of_second)
    };
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        second.program.signal(signal);
        let answer = ask(&first, "pages", "").await.unwrap();
        assert_eq!(answer["missing_partitions"], missing, "{answer}");
        let topology = first.get("/v1/topology").await.unwrap();
        assert_eq!(topology["missing_instances"], json!([second.url]));
    }
    second.program.exit().await;
    until_whole(&first, 2).await;
    until_whole(&third, 2).await;
}

#[tokio::test]
async fn every_process_of_a_group_answers_for_every_key() {
    // So long that one that is frozen keeps its partitions until it was asked.
    let patience = "[kafka.consumer]\n'session.timeout.ms' = '20000'\n";
    every_process_answers_for_every_key(patience).await;
}

#[tokio::test]
async fn every_process_answers_for_every_key_where_brokers_hand_out_partitions() {
    let protocol = "[kafka.consumer]\n'group.protocol' = 'consumer'\n";
    every_process_answers_for_every_key(protocol).await;
}

#[tokio::test]
async fn every_process_answers_for_every_key_with_at_least_once() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, PARTITIONS).await;
    let group = Kafka::unique("aggregation");
    let config = format!("delivery = 'at_least_once'\n{}", streams(&source, ""));
    produce(kafka, &source).await;
    let first = Aggregation::start_in_group(kafka, &config, &group).await;
    let second = Aggregation::start_in_group(kafka, &config, &group).await;
    until_shared(&[&first, &second]).await;
    until_whole(&first, 1).await;
    until_whole(&second, 1).await;
}

/// The rows of a stream's partitions.
async fn rows(process: &Aggregation, stream: &str) -> Result<Vec<Value>, String> {
    let topology = process.get("/v1/topology").await?;
    let streams = topology["streams"].as_array().unwrap();
    let stream = streams.iter().find(|row| row["name"] == stream).unwrap();
    Ok(stream["partitions"].as_array().unwrap().clone())
}

#[tokio::test]
async fn the_topology_says_how_far_each_partition_is_and_what_it_holds() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, PARTITIONS).await;
    produce(kafka, &source).await;
    let late = NewRecord {
        partition: Some(2),
        timestamp: BEGIN - 86_400_000 - 300_000,
        key: Some(b"c"),
        value: Some(br#"{"page":"/3"}"#),
    };
    kafka.produce(&source, &late).await;
    let process = Aggregation::start(kafka, &streams(&source, "")).await;
    let seen = wait::until("all to be counted and measured", async || {
        let rows = rows(&process, "keys").await?;
        let is_done = |row: &Value| row["lag_records"] == 0 && row["entries"] == 1;
        let late = rows.get(2).is_some_and(|row| row["late"] == 1);
        let is_done = rows.len() == 4 && rows.iter().all(is_done) && late;
        is_done.then_some(rows.clone()).ok_or(format!("{rows:?}"))
    })
    .await;
    for row in &seen {
        assert_eq!(row["topic"], json!(source));
        assert_eq!(row["state"], "owned");
        assert_eq!(row["lag_ms"], 0);
        assert_eq!(row["stream_time"], BEGIN + 1);
        assert_eq!(row["instance"], json!(process.url));
        assert!(row["bytes"].as_u64().unwrap() > 0, "{row}");
    }
    // Behind the repartition topic, too, though transactions leave marks at its end.
    wait::until("the re-keyed records to be counted", async || {
        let rows = rows(&process, "pages").await?;
        let entries = rows.iter().filter_map(|row| row["entries"].as_u64());
        let is_done = |row: &Value| row["lag_records"] == 0 && row["lag_ms"] == 0;
        let is_done = entries.sum::<u64>() == PAGES as u64 && rows.iter().all(is_done);
        is_done.then_some(()).ok_or(format!("{rows:?}"))
    })
    .await;
    let metrics = footfall_tests::client::get(&format!("{}/metrics", process.url)).await;
    let metrics = metrics.unwrap().body;
    let labels = format!(r#"stream="keys",topic="{source}",partition="2""#);
    for line in [
        format!("footfall_stream_lag_records{{{labels}}} 0"),
        format!("footfall_stream_lag_seconds{{{labels}}} 0.0"),
        format!("footfall_stream_state_entries{{{labels}}} 1"),
        format!("footfall_stream_time_seconds{{{labels}}} 1764000000.001"),
        format!("footfall_late_total{{{labels}}} 1"),
        format!(r#"footfall_lag_seconds{{topic="{source}",partition="2"}} 0.0"#),
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} in {metrics}"
        );
    }
}

#[tokio::test]
async fn what_is_not_committed_is_records_and_seconds_behind() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, 1).await;
    let output = format!("{source}.out");
    // Nothing is written and committed before long.
    let config = format!(
        "commit_interval = '10m'\n[streams.stuck]\nfrom = '{source}'\nto = '{output}'\n\
         window = {{ size = '5m', grace = '24h' }}\n"
    );
    let record = NewRecord {
        timestamp: BEGIN,
        key: Some(b"a"),
        value: Some(b"{}"),
        ..NewRecord::default()
    };
    kafka.produce_all(&source, [record; 3]).await;
    let process = Aggregation::start(kafka, &config).await;
    wait::until("the lag to be seen", async || {
        let metrics = footfall_tests::client::get(&format!("{}/metrics", process.url)).await?;
        let labels = format!(r#"{{topic="{source}",partition="0"}} "#);
        let value = |name: &str| {
            let name = format!("{name}{labels}");
            let mut lines = metrics.body.lines();
            lines.find_map(|line| line.strip_prefix(&name)?.parse::<f64>().ok())
        };
        let (records, seconds) = (value("footfall_lag_records"), value("footfall_lag_seconds"));
        // By its timestamp the oldest record is from November 2025.
        if records == Some(3.0) && seconds.is_some_and(|seconds| seconds > 86_400.0) {
            Ok(())
        } else {
            Err(format!("{records:?} records and {seconds:?} seconds"))
        }
    })
    .await;
}
