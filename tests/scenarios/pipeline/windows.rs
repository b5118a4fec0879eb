//! Window counts: on the output topic, over HTTP and live, exactly those of the events.

use super::batch;
use footfall_tests::{
    aggregation::Aggregation,
    gateway::Gateway,
    kafka::{Kafka, NewRecord},
    wait,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000;

/// The newest count of every (key, window start) of an output topic.
async fn counts(kafka: &Kafka, topic: &str) -> Result<BTreeMap<(String, i64), i64>, String> {
    let mut counts = BTreeMap::new();
    for record in kafka.read(topic).await? {
        let value = record.json();
        let key = value["key"].as_str().unwrap_or("?").to_owned();
        let start = value["start"].as_i64().unwrap_or(-1);
        assert_eq!(
            record.key_text(),
            Some(
                format!(
                    r#"{{"key":{},"start":{start},"end":{}}}"#,
                    json!(key),
                    value["end"]
                )
                .as_str()
            )
        );
        counts.insert((key, start), value["count"].as_i64().unwrap_or(-1));
    }
    Ok(counts)
}

#[tokio::test]
async fn the_sample_counts_by_the_records_key_in_hopping_windows() {
    let kafka = Kafka::shared().await;
    let (source, output) = (
        Kafka::unique("original-topic"),
        Kafka::unique("output-topic"),
    );
    kafka.create_topic(&source, 2).await;
    let minute = 1_764_000_000_000 / MINUTE * MINUTE;
    for (key, timestamp) in [
        ("a", minute),
        ("a", minute + 90_000),
        ("b", minute + 61_000),
    ] {
        let record = NewRecord {
            timestamp,
            key: Some(key.as_bytes()),
            value: Some(b"not json"),
            ..NewRecord::default()
        };
        kafka.produce(&source, &record).await;
    }
    let aggregation = Aggregation::start(
        kafka,
        &format!(
            "[streams.sample]\nfrom = '{source}'\nto = '{output}'\n\
             window = {{ size = '5m', advance = '1m', grace = '1m' }}\n"
        ),
    )
    .await;
    let mut expected = BTreeMap::new();
    for (key, times) in [("a", vec![0, 90_000]), ("b", vec![61_000])] {
        for step in -4..=1 {
            let start = minute + step * MINUTE;
            let inside = |time: &&i64| (start..start + 5 * MINUTE).contains(&(minute + **time));
            let count = times.iter().filter(inside).count();
            if count > 0 {
                expected.insert((key.to_owned(), start), i64::try_from(count).unwrap());
            }
        }
    }
    wait::until("the counts of the sample", async || {
        let found = counts(kafka, &output).await?;
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found:?}, not {expected:?}"))
        }
    })
    .await;
    let listed = aggregation.get("/v1/streams").await.unwrap();
    assert_eq!(
        listed,
        json!({ "streams": [{
            "name": "sample", "from": source, "to": output,
            "window": { "size_ms": 300_000, "advance_ms": 60_000, "grace_ms": 60_000 },
            "aggregates": [{ "name": "count", "function": "count()" }], "emit": "updates",
        }] })
    );
}

#[tokio::test]
async fn page_views_sent_to_the_gateway_are_counted_by_url_over_http() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let aggregation = Aggregation::start(
        kafka,
        &format!(
            "[streams.top-pages]\nfrom = '{}'\nwhere = 'type == \"page_view\"'\nkey = '/page/url'\nto = '{}'\n\
             window = {{ size = '5m', advance = '1m', grace = '1m' }}\n",
            gateway.topic,
            Kafka::unique("top-pages"),
        ),
    )
    .await;
    let now = batch::now();
    let mut events = vec![json!({
        "id": uuid::Uuid::now_v7().to_string(), "time": now, "type": "click", "page": { "url": "https://shop.example/b" }
    })];
    for (url, views) in [("https://shop.example/a", 3), ("https://shop.example/b", 7)] {
        events.extend((0..views).map(|_| batch::page_view_of(url, now)));
    }
    // Batches of visitors of their own, so that the events of one page lie in several partitions.
    for (visitor, event) in events.into_iter().enumerate() {
        let mut one = batch::of(now, &[event]);
        one["visitor"] = json!(format!("v-{visitor}"));
        assert_eq!(gateway.post(one.to_string()).await.status, 202);
    }
    let newest = now / MINUTE * MINUTE;
    let path = format!(
        "/v1/streams/top-pages/windows?from={newest}&to={}&top=1",
        newest + 1
    );
    wait::until("the newest window of the most seen page", async || {
        let answer = aggregation.get(&path).await?;
        let expected = json!([{
            "key": "https://shop.example/b", "start": newest, "end": newest + 5 * MINUTE, "count": 7, "final": false
        }]);
        if answer["windows"] == expected { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
    let of_one = "/v1/streams/top-pages/windows?key=https://shop.example/a&limit=2";
    let of_one = aggregation.get(of_one).await.unwrap();
    let starts: Vec<_> = of_one["windows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|window| window["start"].clone())
        .collect();
    assert_eq!(
        starts,
        [json!(newest - 4 * MINUTE), json!(newest - 3 * MINUTE)]
    );
    assert!(
        of_one["windows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|window| window["count"] == 3)
    );
}

#[tokio::test]
async fn a_late_record_keeps_its_bytes_and_says_which_windows_refused_it() {
    let kafka = Kafka::shared().await;
    let (source, output) = (Kafka::unique("source"), Kafka::unique("output"));
    kafka.create_topic(&source, 1).await;
    let _aggregation = Aggregation::start(
        kafka,
        &format!("[streams.late]\nfrom = '{source}'\nto = '{output}'\nwindow = {{ size = '10s', grace = '5s' }}\n"),
    )
    .await;
    let base = 1_764_000_000_000;
    for (timestamp, value) in [
        (base + 16_000, "newest"),
        (base + 3_000, "late"),
        (base + 10_000, "in grace"),
    ] {
        let record = NewRecord {
            timestamp,
            key: Some(b"k"),
            value: Some(value.as_bytes()),
            ..NewRecord::default()
        };
        kafka.produce(&source, &record).await;
    }
    let late = kafka.records(&format!("{output}.late"), 1).await;
    let [record] = &late[..] else {
        panic!("one late record, not {late:?}")
    };
    assert_eq!(
        (record.key_text(), record.value_text(), record.timestamp),
        (Some("k"), "late", base + 3_000)
    );
    assert_eq!(record.header("footfall-late-stream"), Some("late"));
    assert_eq!(
        record.header("footfall-late-windows"),
        Some(format!("[[{base},{}]]", base + 10_000).as_str())
    );
    assert_eq!(record.header("footfall-late-by-ms"), Some("13000"));
    assert_eq!(
        record.header("footfall-source-topic"),
        Some(source.as_str())
    );
    assert_eq!(record.header("footfall-source-partition"), Some("0"));
    assert_eq!(record.header("footfall-source-offset"), Some("1"));
    wait::until("both other records in one window", async || {
        let found = counts(kafka, &output).await?;
        let expected = BTreeMap::from([(("k".to_owned(), base + 10_000), 2)]);
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
}

#[tokio::test]
async fn undecodable_records_go_to_the_dead_letters_and_the_others_are_counted() {
    let kafka = Kafka::shared().await;
    let (source, output) = (Kafka::unique("source"), Kafka::unique("output"));
    kafka.create_topic(&source, 1).await;
    let aggregation = Aggregation::start(
        kafka,
        &format!(
            "[streams.views]\nfrom = '{source}'\nwhere = 'type == \"page_view\"'\nto = '{output}'\n\
             window = {{ size = '10s', grace = '5s' }}\n"
        ),
    )
    .await;
    let timestamp = 1_764_000_000_000;
    let good: &[u8] = br#"{"type":"page_view"}"#;
    let values: [(Option<&[u8]>, &[u8]); 4] = [
        (Some(b"k"), b"{broken"),
        (None, good),
        (Some(b"k"), good),
        (Some(b"k"), br#"{"type":"click"}"#),
    ];
    for (key, value) in values {
        kafka
            .produce(
                &source,
                &NewRecord {
                    timestamp,
                    key,
                    value: Some(value),
                    ..NewRecord::default()
                },
            )
            .await;
    }
    let dead = kafka.records(&format!("{source}.dlq"), 2).await;
    let codes: Vec<_> = dead
        .iter()
        .map(|record| record.header("footfall-error-code").unwrap())
        .collect();
    assert_eq!(codes, ["undecodable", "null_key"]);
    assert_eq!(
        (
            dead[0].value_text(),
            dead[0].header("footfall-source-offset")
        ),
        ("{broken", Some("0"))
    );
    wait::until("the one good view to be counted", async || {
        let answer = aggregation.get("/v1/streams/views/windows").await?;
        if answer["windows"][0]["count"] == 1 {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    })
    .await;
}

#[tokio::test]
async fn questions_that_make_no_sense_get_their_own_answers() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, 1).await;
    let aggregation = Aggregation::start(
        kafka,
        &format!("[streams.s]\nfrom = '{source}'\nto = '{source}.out'\nwindow = {{ size = '10s', grace = '5s' }}\n"),
    )
    .await;
    for (path, status, code) in [
        ("/v1/streams/other/windows", 404, "unknown_stream"),
        ("/v1/streams/s/windows?from=soon", 400, "invalid_parameter"),
        ("/v1/streams/s/windows?limit=-1", 400, "invalid_parameter"),
        ("/v1/streams/s/tail", 404, "tail_disabled"),
        ("/nowhere", 404, "not_found"),
    ] {
        let answer = footfall_tests::client::get(&format!("{}{path}", aggregation.url))
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.json()["code"].clone()),
            (status, Value::from(code)),
            "{path}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
}
