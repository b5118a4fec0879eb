//! Records that Kafka deletes before they are read.

use super::results::until_counts;
use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;

#[tokio::test]
async fn records_that_were_deleted_before_they_were_read_are_counted_and_told() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    let output = format!("{source}.out");
    kafka.create_topic(&source, 1).await;
    let record = NewRecord {
        timestamp: 1_764_000_000_000,
        key: Some(b"k"),
        value: Some(b"{}"),
        ..NewRecord::default()
    };
    let config = format!(
        "commit_interval = '20ms'\n[streams.keys]\nfrom = '{source}'\nto = '{output}'\n\
         window = {{ size = '1h', grace = '1m' }}\n"
    );
    let mut aggregation = Aggregation::start(kafka, &config).await;
    kafka.produce_all(&source, [record; 5]).await;
    until_counts(kafka, &output, &[("k", 5)]).await;
    let metrics = aggregation.metrics().await.unwrap();
    assert_eq!(metrics.sum("footfall_deleted_records_total"), 0.0);
    aggregation.program.signal(Signal::SIGTERM);
    aggregation.program.exit().await;

    kafka.produce_all(&source, [record; 20]).await;
    kafka.delete_records(&source, 0, 18).await;
    aggregation.start_again().await;
    until_counts(kafka, &output, &[("k", 12)]).await;
    wait::until("the deleted ones to be counted", async || {
        let metrics = aggregation.metrics().await?;
        let labels = format!("topic=\"{source}\",partition=\"0\"");
        let deleted = metrics.sum_with("footfall_deleted_records_total", &labels);
        (deleted == 13.0).then_some(()).ok_or(format!("{deleted}"))
    })
    .await;
    let log = aggregation.program.stderr();
    assert!(log.contains("kafka deleted 13 records"), "{log}");
}
