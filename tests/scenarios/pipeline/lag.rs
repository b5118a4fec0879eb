//! How far behind a process is where upstream writes in transactions.

use super::results::until_counts;
use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    wait,
};

async fn until_lag(aggregation: &Aggregation, expected: f64) {
    wait::until(&format!("a lag of {expected}"), async || {
        let metrics = aggregation.metrics().await?;
        let lag = metrics.sum("footfall_lag_records");
        (lag == expected).then_some(()).ok_or(format!("{lag}"))
    })
    .await;
}

#[tokio::test]
async fn what_waits_behind_an_open_transaction_is_behind_and_its_marker_is_not() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    let output = format!("{source}.out");
    kafka.create_topic(&source, 1).await;
    let config = format!(
        "commit_interval = '20ms'\n[streams.keys]\nfrom = '{source}'\nto = '{output}'\n\
         window = {{ size = '1h', grace = '1m' }}\n"
    );
    let record = NewRecord {
        timestamp: 1_764_000_000_000,
        key: Some(b"k"),
        value: Some(b"{}"),
        ..NewRecord::default()
    };
    let aggregation = Aggregation::start(kafka, &config).await;
    let transaction = kafka.begin_transaction(&source).await;
    transaction.produce_all(&source, [record; 3], None).await;
    kafka.produce_all(&source, [record; 5]).await;
    until_lag(&aggregation, 8.0).await;
    assert_eq!(kafka.read(&output).await, Ok(vec![]));
    transaction.abort().await;
    until_counts(kafka, &output, &[("k", 5)]).await;
    until_lag(&aggregation, 0.0).await;
}
