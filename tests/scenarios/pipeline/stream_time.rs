//! Stream time behind several source partitions: none is late because another was read faster.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;

const BEGIN: i64 = 1_764_000_000_000;
const MINUTE: i64 = 60_000;
const PARTITIONS: i32 = 4;
const PAGES: [&str; 5] = ["/", "/cart", "/checkout", "/help", "/mug"];

/// How many records a partition gets for each minute of the hour.
const EACH_MINUTE: usize = 12;

/// A record on its way: partition, time and page.
type View = (i32, i64, &'static str);

/// An hour of page views from `begin` on, in order in each partition.
fn hour(begin: i64, partitions: i32) -> Vec<View> {
    let views = (0..60 * EACH_MINUTE).flat_map(|index| {
        let minutes = i64::try_from(index / EACH_MINUTE).unwrap();
        let step = i64::try_from(index % EACH_MINUTE).unwrap();
        (0..partitions).map(move |partition| {
            let page = PAGES[(index + usize::try_from(partition).unwrap()) % PAGES.len()];
            let time = begin + minutes * MINUTE + step * 5_000 + i64::from(partition);
            (partition, time, page)
        })
    });
    views.collect()
}

/// Writes them; the higher the partition, the longer its values, so that it is read more slowly.
async fn write(kafka: &Kafka, topic: &str, views: &[View]) {
    let values: Vec<_> = views
        .iter()
        .map(|(partition, _, page)| {
            let padding = "x".repeat(usize::try_from(*partition).unwrap() * 600);
            format!(r#"{{"page":{{"url":"{page}"}},"padding":"{padding}"}}"#)
        })
        .collect();
    let records = views.iter().zip(&values);
    let records = records.map(|((partition, time, _), value)| NewRecord {
        partition: Some(*partition),
        timestamp: *time,
        key: Some(b"visitor"),
        value: Some(value.as_bytes()),
    });
    kafka.produce_all(topic, records).await;
}

/// The sample's stream, without any grace.
fn config(from: &str, to: &str) -> String {
    format!(
        "commit_interval = '100ms'\nworkers = 2\n[streams.pages]\nfrom = '{from}'\nkey = '/page/url'\nto = '{to}'\n\
         window = {{ size = '5m', advance = '1m', grace = '0s' }}\nemit = 'final'\n"
    )
}

/// How often each page was seen in each window that the newest of these views has closed.
fn expected(views: &[View]) -> BTreeMap<(String, i64), u64> {
    let newest = views.iter().map(|view| view.1).max().unwrap();
    let mut counts = BTreeMap::new();
    for (_, time, page) in views {
        let last = time - time % MINUTE;
        for start in (0..5).map(|back| last - back * MINUTE) {
            if start + 5 * MINUTE <= newest {
                *counts.entry(((*page).to_owned(), start)).or_default() += 1;
            }
        }
    }
    counts
}

/// Waits until `to` has what closed windows must come to, each once, and nothing is late.
async fn until_all_are_counted_and_none_is_late(kafka: &Kafka, to: &str, views: &[View]) {
    let expected = expected(views);
    wait::until(&format!("the windows of `{to}`"), async || {
        let mut found = BTreeMap::new();
        for result in kafka.read(to).await? {
            let value = result.json();
            let place = (
                value["key"].as_str().unwrap().to_owned(),
                value["start"].as_i64().unwrap(),
            );
            let before = found.insert(place, value["count"].as_u64().unwrap());
            assert_eq!(before, None, "a window closes once: {value}");
        }
        let wrong: Vec<_> = found
            .iter()
            .filter(|(place, count)| expected.get(place) != Some(count))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let late = kafka.read(&format!("{to}.late")).await?;
        assert_eq!(late.len(), 0, "{:?}", late.first());
        let (all, missing) = (expected.len(), expected.len() - found.len());
        (missing == 0)
            .then_some(())
            .ok_or(format!("{missing} of {all} are missing"))
    })
    .await;
}

#[tokio::test]
async fn an_hour_that_was_written_meanwhile_is_counted_by_a_new_key_without_a_late_record() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    let to = format!("{source}.pages");
    kafka.create_topic(&source, PARTITIONS).await;
    let views = hour(BEGIN, PARTITIONS);
    write(kafka, &source, &views).await;
    let _aggregation = Aggregation::start(kafka, &config(&source, &to)).await;
    until_all_are_counted_and_none_is_late(kafka, &to, &views).await;
}

#[tokio::test]
async fn an_hour_is_counted_without_a_late_record_by_two_processes_that_are_killed_in_the_middle() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    let to = format!("{source}.pages");
    kafka.create_topic(&source, PARTITIONS).await;
    let group = Kafka::unique("aggregation");
    let config = config(&source, &to);
    // Before they end, all that was there is read to its end and closed.
    let mut views = hour(BEGIN, 2);
    write(kafka, &source, &views).await;
    let mut first = Aggregation::start_in_group(kafka, &config, &group).await;
    let mut second = Aggregation::start_in_group(kafka, &config, &group).await;
    until_all_are_counted_and_none_is_late(kafka, &to, &views).await;
    for one in [&mut first, &mut second] {
        one.program.signal(Signal::SIGKILL);
        one.program.exit().await;
    }
    let later = hour(BEGIN + 60 * MINUTE, PARTITIONS);
    write(kafka, &source, &later).await;
    views.extend(later);
    first.start_again().await;
    second.start_again().await;
    for one in [&mut first, &mut second] {
        one.program.signal(Signal::SIGKILL);
        one.program.exit().await;
        one.start_again().await;
    }
    until_all_are_counted_and_none_is_late(kafka, &to, &views).await;
}

#[tokio::test]
async fn topics_that_a_route_merges_make_no_record_of_each_other_late() {
    let kafka = Kafka::shared().await;
    let (slow, fast) = (Kafka::unique("slow"), Kafka::unique("fast"));
    let merged = format!("{slow}.merged");
    kafka.create_topic(&slow, PARTITIONS).await;
    kafka.create_topic(&fast, 1).await;
    let mut views = hour(BEGIN, PARTITIONS);
    write(kafka, &slow, &views).await;
    let others = hour(BEGIN, 1);
    write(kafka, &fast, &others).await;
    views.extend(others);
    let streams = [("by-page", "key = '/page/url'\n"), ("as-it-is", "")].map(|(name, key)| {
        format!(
            "[streams.{name}]\nfrom = '{merged}'\n{key}to = '{merged}.{name}'\nemit = 'final'\n\
             window = {{ size = '5m', advance = '1m', grace = '0s' }}\n"
        )
    });
    let config = format!(
        "commit_interval = '100ms'\n[routes.merge]\nfrom = ['{slow}', '{fast}']\nkey = '/page/url'\nto = '{merged}'\n{}",
        streams.concat()
    );
    let _aggregation = Aggregation::start(kafka, &config).await;
    for name in ["by-page", "as-it-is"] {
        until_all_are_counted_and_none_is_late(kafka, &format!("{merged}.{name}"), &views).await;
    }
    let record = &kafka.records(&merged, 1).await[0];
    let origin = record.header("footfall-origin").unwrap();
    let (topic, _) = origin.rsplit_once('/').unwrap();
    assert!(topic == slow || topic == fast, "{origin}");
}

#[tokio::test]
async fn a_record_that_is_far_ahead_is_set_aside_and_neither_its_stream_nor_others_wait_for_it() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    let neighbour = Kafka::unique("neighbour");
    kafka.create_topic(&source, 1).await;
    kafka.create_topic(&neighbour, 1).await;
    let stream = |name: &str, from: &str, more: &str| {
        format!(
            "[streams.{name}]\nfrom = '{from}'\n{more}to = '{source}.{name}'\n\
             window = {{ size = '1m', grace = '0s' }}\n"
        )
    };
    let config = [
        "commit_interval = '100ms'\n".to_owned(),
        stream("plain", &source, "time = '/at'\n"),
        stream("by-page", &source, "time = '/at'\nkey = '/page'\n"),
        stream("other", &neighbour, ""),
    ];
    let aggregation = Aggregation::start(kafka, &config.concat()).await;
    let far = r#"{"at":"2100-01-01T00:00:00Z","page":"/"}"#;
    let near = format!(r#"{{"at":{BEGIN},"page":"/"}}"#);
    let record = |value| NewRecord {
        timestamp: BEGIN,
        key: Some(b"k"),
        value: Some(value),
        ..NewRecord::default()
    };
    let records = [record(far.as_bytes()), record(near.as_bytes())];
    kafka.produce_all(&source, records).await;
    kafka.produce(&neighbour, &record(b"{}")).await;
    for name in ["plain", "by-page", "other"] {
        let result = &kafka.records(&format!("{source}.{name}"), 1).await[0];
        assert_eq!(result.json()["start"], BEGIN - BEGIN % MINUTE, "{name}");
    }
    for name in ["plain", "by-page"] {
        let late = kafka.records(&format!("{source}.{name}.late"), 1).await;
        let [late] = &*late else { panic!("{late:?}") };
        assert_eq!(late.value_text(), far);
        assert_eq!(late.header("footfall-error-code"), Some("time_ahead"));
        assert_eq!(
            late.header("footfall-late-windows"),
            Some("[[4102444800000,4102444860000]]")
        );
        let by = late.header("footfall-late-by-ms").unwrap();
        assert!(
            by.parse::<i64>().unwrap() < -70 * 365 * 24 * 60 * MINUTE,
            "{by}"
        );
        assert_eq!(late.header("footfall-source-offset"), Some("0"));
    }
    let metrics = aggregation.metrics().await.unwrap();
    let label = r#"code="time_ahead""#;
    assert_eq!(metrics.sum_with("footfall_late_total", label), 2.0);
    assert_eq!(metrics.sum("footfall_late_total"), 2.0);
}
