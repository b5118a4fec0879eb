//! The aggregation after its own death, and after its broker's.

use super::batch;
use footfall_tests::{
    aggregation::Aggregation,
    gateway::Gateway,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;

fn stream(source: &str) -> String {
    format!(
        "[streams.views]\nfrom = '{source}'\nkey = '/write_key'\nto = '{source}.counts'\n\
         window = {{ size = '1h', grace = '1h' }}\n"
    )
}

async fn until_counted(aggregation: &Aggregation, count: u64) {
    wait::until(&format!("a count of {count}"), async || {
        let answer = aggregation.get("/v1/streams/views/windows").await?;
        let windows = answer["windows"].as_array().cloned().unwrap_or_default();
        // A test that runs over the hour sees two windows.
        let sum: u64 = windows
            .iter()
            .filter_map(|window| window["count"].as_u64())
            .sum();
        if sum == count {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    })
    .await;
}

#[tokio::test]
async fn after_a_kill_it_counts_on_from_where_it_was() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, 2).await;
    let timestamp = 1_764_000_000_000;
    let view = br#"{"write_key":"demo"}"#;
    let record = NewRecord {
        timestamp,
        key: Some(b"k"),
        value: Some(view),
        ..NewRecord::default()
    };
    let mut aggregation = Aggregation::start(kafka, &stream(&source)).await;
    for _ in 0..5 {
        kafka.produce(&source, &record).await;
    }
    until_counted(&aggregation, 5).await;
    // The count is told when it is committed; the kill cannot take it back.
    aggregation.program.signal(Signal::SIGKILL);
    aggregation.program.exit().await;
    for _ in 0..3 {
        kafka.produce(&source, &record).await;
    }
    aggregation.start_again().await;
    until_counted(&aggregation, 8).await;
    aggregation.program.signal(Signal::SIGTERM);
    assert_eq!(
        aggregation.program.exit().await.code(),
        Some(0),
        "{}",
        aggregation.program.stderr()
    );
}

#[tokio::test]
async fn after_its_broker_was_away_it_goes_on_by_itself() {
    let mut kafka = Kafka::start().await;
    let gateway = Gateway::start(&kafka).await;
    let mut aggregation = Aggregation::start(&kafka, &stream(&gateway.topic)).await;
    assert_eq!(
        gateway
            .post(batch::of_page_views(3).to_string())
            .await
            .status,
        202
    );
    until_counted(&aggregation, 3).await;
    kafka.stop().await;
    assert_eq!(
        gateway
            .post(batch::of_page_views(4).to_string())
            .await
            .status,
        202
    );
    kafka.start_again().await;
    until_counted(&aggregation, 7).await;
    assert!(aggregation.program.is_running());
}
