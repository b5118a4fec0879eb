//! Sources that get more partitions while they are read.

use super::results::until_counts;
use footfall_tests::{
    aggregation::Aggregation,
    client,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// Far below the five minutes after which librdkafka looks by itself.
const SOON: Duration = Duration::from_secs(20);

async fn produce(kafka: &Kafka, topic: &str, partition: i32, key: &str) {
    let record = NewRecord {
        partition: Some(partition),
        timestamp: 1_764_000_000_000,
        key: Some(key.as_bytes()),
        value: Some(b"{}"),
    };
    kafka.produce_all(topic, [record; 7]).await;
}

async fn added_partitions_are_read(protocol: &str) {
    let kafka = Kafka::shared().await;
    let [source, group] = ["source", "group"].map(Kafka::unique);
    let output = format!("{source}.out");
    kafka.create_topic(&source, 1).await;
    let config = format!(
        "commit_interval = '20ms'\n[kafka.consumer]\n'group.protocol' = '{protocol}'\n\
         [streams.keys]\nfrom = '{source}'\nto = '{output}'\n\
         window = {{ size = '1h', grace = '1m' }}\n"
    );
    let aggregation = Aggregation::start_in_group(kafka, &config, &group).await;
    produce(kafka, &source, 0, "a").await;
    until_counts(kafka, &output, &[("a", 7)]).await;

    kafka.add_partitions(&source, 3).await;
    for (partition, key) in [(0, "a"), (1, "b"), (2, "c")] {
        produce(kafka, &source, partition, key).await;
    }
    // What the new ones have to be put into is not there: they wait, and the old one goes on.
    let changelog = format!("{group}-keys-changelog");
    let beside = [changelog, format!("{output}.late"), format!("{source}.dlq")];
    for topic in &beside {
        let command = format!(
            "kafka-topics.sh --bootstrap-server {} --alter --topic {topic} --partitions 3",
            kafka.brokers
        );
        aggregation.until_held_up(&command).await;
    }
    until_counts(kafka, &output, &[("a", 14)]).await;
    wait::until("the new ones to be behind", async || {
        let metrics = aggregation.metrics().await?;
        let behind = ["partition=\"1\"", "partition=\"2\""]
            .map(|partition| metrics.sum_with("footfall_lag_records", partition));
        (behind == [7.0, 7.0])
            .then_some(())
            .ok_or(format!("{behind:?}"))
    })
    .await;

    let begin = Instant::now();
    for topic in &beside {
        kafka.add_partitions(topic, 3).await;
    }
    until_counts(kafka, &output, &[("a", 14), ("b", 7), ("c", 7)]).await;
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    client::until_answers(&format!("{}/readyz", aggregation.url), r#""ready":true"#).await;
}

#[tokio::test]
async fn added_partitions_are_read_at_once_or_say_which_command_is_missing() {
    tokio::join!(
        added_partitions_are_read("classic"),
        added_partitions_are_read("consumer"),
    );
}

/// A partition that is read to its end when the group gives out its partitions anew.
async fn goes_on_at_its_end(protocol: &str) {
    let kafka = Kafka::shared().await;
    let [source, group] = ["source", "group"].map(Kafka::unique);
    let output = format!("{source}.out");
    kafka.create_topic(&source, 4).await;
    let config = format!(
        "commit_interval = '20ms'\n[kafka.consumer]\n'group.protocol' = '{protocol}'\n\
         [streams.keys]\nfrom = '{source}'\nto = '{output}'\n\
         window = {{ size = '1h', grace = '1m' }}\n"
    );
    let _stays = Aggregation::start_in_group(kafka, &config, &group).await;
    let keys = [(0, "a"), (1, "b"), (2, "c"), (3, "d")];
    let mut expected = 0;
    for _ in 0..3 {
        let mut comes = Aggregation::start_in_group(kafka, &config, &group).await;
        wait::until("the other one to have partitions", async || {
            let metrics = comes.metrics().await?;
            let assigned = metrics.sum("footfall_assigned_partitions");
            (assigned > 0.0).then_some(()).ok_or("none".into())
        })
        .await;
        for (partition, key) in keys {
            produce(kafka, &source, partition, key).await;
        }
        expected += 7;
        until_counts(kafka, &output, &keys.map(|(_, key)| (key, expected))).await;
        comes.program.signal(Signal::SIGTERM);
        comes.program.exit().await;
        for (partition, key) in keys {
            produce(kafka, &source, partition, key).await;
        }
        expected += 7;
        until_counts(kafka, &output, &keys.map(|(_, key)| (key, expected))).await;
    }
}

#[tokio::test]
async fn partitions_at_their_ends_lose_and_repeat_nothing_when_others_come_and_go() {
    tokio::join!(
        goes_on_at_its_end("classic"),
        goes_on_at_its_end("consumer")
    );
}

#[tokio::test]
async fn partitions_of_a_source_whose_other_topics_have_enough_are_read_within_seconds() {
    let kafka = Kafka::shared().await;
    let [source, group] = ["source", "group"].map(Kafka::unique);
    let output = format!("{source}.out");
    kafka.create_topic(&source, 1).await;
    for topic in [&output, &format!("{output}.late"), &format!("{source}.dlq")] {
        kafka.create_topic(topic, 3).await;
    }
    let changelog = format!("{group}-keys-changelog");
    let compact = [("cleanup.policy", "compact")];
    kafka.create_topic_with(&changelog, 3, &compact).await;
    let config = format!(
        "commit_interval = '20ms'\n[streams.keys]\nfrom = '{source}'\nto = '{output}'\n\
         window = {{ size = '1h', grace = '1m' }}\n"
    );
    let _aggregation = Aggregation::start_in_group(kafka, &config, &group).await;
    produce(kafka, &source, 0, "a").await;
    until_counts(kafka, &output, &[("a", 7)]).await;
    let begin = Instant::now();
    kafka.add_partitions(&source, 3).await;
    produce(kafka, &source, 2, "c").await;
    until_counts(kafka, &output, &[("a", 7), ("c", 7)]).await;
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}
