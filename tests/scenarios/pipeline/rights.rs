//! A client with few rights.

use super::results::until_counts;
use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
};

#[tokio::test]
async fn without_the_right_to_describe_configurations_it_says_so_and_works() {
    let kafka = Kafka::start_secure().await;
    let (source, output) = ("source", "source.out");
    kafka.create_topic(source, 1).await;
    // All but `DescribeConfigs`.
    let rights = [
        "TOPIC:READ",
        "TOPIC:WRITE",
        "TOPIC:CREATE",
        "TOPIC:DESCRIBE",
        "GROUP:READ",
        "TRANSACTIONAL_ID:WRITE",
        "TRANSACTIONAL_ID:DESCRIBE",
    ];
    let arguments = [&["footfall"][..], &rights].concat();
    kafka.java("Grant.java", &arguments).await;
    let config = format!(
        "commit_interval = '20ms'\n\
         [kafka.properties]\n'security.protocol' = 'SASL_SSL'\n'sasl.mechanism' = 'SCRAM-SHA-512'\n\
         'sasl.username' = 'footfall'\n'sasl.password' = 'secret'\n'ssl.ca.location' = '{}'\n\
         [streams.keys]\nfrom = '{source}'\nto = '{output}'\nwindow = {{ size = '1h', grace = '1m' }}\n",
        kafka.certificate().display()
    );
    let secure = kafka.secure.clone().unwrap();
    let aggregation = Aggregation::launch_at(&secure, &config, "group");
    let record = NewRecord {
        timestamp: 1_764_000_000_000,
        key: Some(b"k"),
        value: Some(b"{}"),
        ..NewRecord::default()
    };
    kafka.produce_all(source, [record; 4]).await;
    until_counts(&kafka, output, &[("k", 4)]).await;
    aggregation.until_ready().await;
    let log = aggregation.program.stderr();
    assert!(
        log.contains("kafka does not tell this topic's cleanup.policy"),
        "{log}"
    );
}
