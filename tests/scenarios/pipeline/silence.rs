//! What the wall clock closes is said once, whoever was frozen meanwhile.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
};
use nix::sys::signal::Signal;
use std::collections::BTreeSet;

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

#[tokio::test]
async fn a_process_that_was_frozen_before_its_first_record_closes_nothing_that_another_has_closed()
{
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, 2).await;
    let to = format!("{source}.counts");
    let group = Kafka::unique("aggregation");
    // Longer than a session of the group lives without a sign.
    let config = format!(
        "[streams.counts]\nfrom = '{source}'\nto = '{to}'\nemit = 'both'\nidle_timeout = '9s'\n\
         window = {{ size = '5m', grace = '1m' }}\n"
    );
    let mut frozen = Aggregation::start_in_group(kafka, &config, &group).await;
    for key in KEYS {
        let record = NewRecord {
            timestamp: 1_764_000_000_000,
            key: Some(key.as_bytes()),
            value: Some(b"{}"),
            ..NewRecord::default()
        };
        kafka.produce(&source, &record).await;
    }
    kafka.records(&to, KEYS.len()).await;
    frozen.program.signal(Signal::SIGTERM);
    frozen.program.exit().await;
    let finals = async |at_least| {
        let records = kafka.records(&to, at_least).await;
        let finals = records
            .iter()
            .filter(|record| record.json()["final"] == true);
        let keys = finals.map(|record| record.key.clone().unwrap());
        keys.collect::<Vec<_>>()
    };
    frozen.start_again().await;
    frozen.program.signal(Signal::SIGSTOP);
    let _replacement = Aggregation::start_in_group(kafka, &config, &group).await;
    // An update and a final one of each.
    finals(2 * KEYS.len()).await;
    frozen.program.signal(Signal::SIGCONT);
    frozen.until_ready().await;
    let record = NewRecord {
        timestamp: 1_764_000_300_000,
        key: Some(b"z"),
        value: Some(b"{}"),
        ..NewRecord::default()
    };
    kafka.produce(&source, &record).await;
    // Its window, too, is closed by the clock, long after the frozen one has come back.
    let keys = finals(2 * KEYS.len() + 2).await;
    let different: BTreeSet<_> = keys.iter().collect();
    assert_eq!(keys.len(), different.len(), "said twice: {keys:?}");
}
