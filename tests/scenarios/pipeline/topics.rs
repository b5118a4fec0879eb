//! Topics that are there and are not what they must be.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
};

const BEGIN: i64 = 1_764_000_000_000;

/// The command that a reason ends with.
fn command(reason: &str) -> &str {
    let text = reason.strip_suffix('`').expect("a command at the end");
    text.rsplit_once('`').expect("a command").1
}

/// A source with a record, a group's name, and a stream that counts by a new key.
async fn scene(kafka: &Kafka) -> (String, String, String) {
    let source = Kafka::unique("source");
    kafka.create_topic(&source, 2).await;
    let record = NewRecord {
        timestamp: BEGIN,
        key: Some(b"k"),
        value: Some(br#"{"page":"/cart"}"#),
        ..NewRecord::default()
    };
    kafka.produce(&source, &record).await;
    let config = format!(
        "[streams.pages]\nfrom = '{source}'\nkey = '/page'\nto = '{source}.pages'\n\
         window = {{ size = '5m', grace = '1m' }}\n"
    );
    (source, Kafka::unique("group"), config)
}

#[tokio::test]
async fn a_changelog_that_kafka_deletes_from_is_refused_with_the_command_that_mends_it() {
    let kafka = Kafka::shared().await;
    let (source, group, config) = scene(kafka).await;
    let changelog = format!("{group}-pages-changelog");
    let policy = [("cleanup.policy", "compact,delete")];
    kafka.create_topic_with(&changelog, 2, &policy).await;
    let aggregation = Aggregation::launch(kafka, &config, &group);
    let reason = aggregation.until_held_up(&changelog).await;
    let expected =
        format!("topic `{changelog}` has `cleanup.policy=compact,delete`, and must have `compact`");
    assert!(reason.starts_with(&expected), "{reason}");
    assert_eq!(kafka.read(&format!("{source}.pages")).await, Ok(vec![]));
    kafka.run_tool(command(&reason)).await;
    kafka.records(&format!("{source}.pages"), 1).await;
}

#[tokio::test]
async fn a_repartition_topic_that_is_compacted_is_refused_with_the_command_that_mends_it() {
    let kafka = Kafka::shared().await;
    let (source, group, config) = scene(kafka).await;
    let repartition = format!("{group}-pages-repartition");
    let policy = [("cleanup.policy", "compact")];
    kafka.create_topic_with(&repartition, 2, &policy).await;
    let aggregation = Aggregation::launch(kafka, &config, &group);
    let reason = aggregation.until_held_up(&repartition).await;
    let expected =
        format!("topic `{repartition}` has `cleanup.policy=compact`, and must have `delete`");
    assert!(reason.starts_with(&expected), "{reason}");
    kafka.run_tool(command(&reason)).await;
    kafka.records(&format!("{source}.pages"), 1).await;
}

#[tokio::test]
async fn a_changelog_with_too_few_partitions_is_refused_until_it_has_more() {
    let kafka = Kafka::shared().await;
    let (source, group, config) = scene(kafka).await;
    let changelog = format!("{group}-pages-changelog");
    let policy = [("cleanup.policy", "compact")];
    kafka.create_topic_with(&changelog, 1, &policy).await;
    let aggregation = Aggregation::launch(kafka, &config, &group);
    let reason = aggregation.until_held_up(&changelog).await;
    let expected = format!(
        "kafka-topics.sh --bootstrap-server {} --alter --topic {changelog} --partitions 2",
        kafka.brokers
    );
    assert_eq!(command(&reason), expected);
    kafka.add_partitions(&changelog, 2).await;
    kafka.records(&format!("{source}.pages"), 1).await;
}
