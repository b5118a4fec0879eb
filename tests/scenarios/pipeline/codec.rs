//! Results as Kafka Streams writes them, read with its own classes.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
};

#[tokio::test]
async fn a_jvm_reads_what_the_codec_streams_writes() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("jvm");
    let output = format!("{source}.counts");
    kafka.create_topic(&source, 1).await;
    let begin = 1_764_000_000_000;
    let records = [
        ("/cart", 7),
        ("/caf\u{e9}", 41_000),
        ("/cart", 42_000),
        ("/", 200_000),
    ];
    let records = records.map(|(key, after)| NewRecord {
        timestamp: begin + after,
        key: Some(key.as_bytes()),
        value: Some(b"{}"),
        ..NewRecord::default()
    });
    kafka.produce_all(&source, records).await;
    let config = format!(
        "[streams.counts]\nfrom = '{source}'\nto = '{output}'\ncodec = 'streams'\nemit = 'final'\n\
         window = {{ size = '1m', grace = '0s' }}\n"
    );
    let _aggregation = Aggregation::start(kafka, &config).await;
    let read = kafka
        .java("ReadWindows.java", &[&output, "60000", "2"])
        .await;
    let mut lines: Vec<_> = read.lines().collect();
    lines.sort_unstable();
    let end = begin + 60_000;
    let expected = [("/caf\u{e9}", 1, 41_000), ("/cart", 2, 42_000)];
    let expected = expected
        .map(|(key, count, newest)| format!("{key} [{begin},{end}) {count} at {}", begin + newest));
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}
