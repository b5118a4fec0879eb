//! What windows come to on their topic.

use footfall_tests::{kafka::Kafka, record::Record, wait};
use std::collections::BTreeMap;

/// Waits until these are the newest counts of a topic's keys.
pub(super) async fn until_counts(kafka: &Kafka, topic: &str, expected: &[(&str, u64)]) {
    wait::until(&format!("{expected:?}"), async || {
        let counts = counts(&kafka.read(topic).await?);
        let found: Vec<_> = counts
            .iter()
            .map(|(key, count)| (key.as_str(), *count))
            .collect();
        (found == expected)
            .then_some(())
            .ok_or(format!("{found:?}"))
    })
    .await;
}

/// The newest count of each key.
pub(super) fn counts(records: &[Record]) -> BTreeMap<String, u64> {
    let results = records.iter().map(Record::json);
    let counts = results.map(|result| {
        let key = result["key"].as_str().unwrap_or_default().to_owned();
        (key, result["count"].as_u64().unwrap_or_default())
    });
    counts.collect()
}

/// The newest value of each key in each partition: what compaction leaves.
pub(super) fn compacted(records: &[Record]) -> BTreeMap<(i32, Vec<u8>), Vec<u8>> {
    let newest = records.iter().map(|record| {
        let key = record.key.clone().unwrap();
        ((record.partition, key), record.value.clone().unwrap())
    });
    newest.collect()
}

/// Waits until each of so many records is in five windows of `topic`.
pub(super) async fn until_counted(kafka: &Kafka, topic: &str, records: usize) {
    let updates = u64::try_from(records * 5).unwrap();
    wait::until(&format!("{updates} updates of `{topic}`"), async || {
        let found = sum(&kafka.read(topic).await?);
        (found == updates)
            .then_some(())
            .ok_or(format!("{found} are there"))
    })
    .await;
}

/// The sum of the counts of all windows.
fn sum(records: &[Record]) -> u64 {
    let newest = compacted(records);
    let counts = newest.values().map(|value| {
        let result: serde_json::Value = serde_json::from_slice(value).unwrap();
        result["count"].as_u64().unwrap()
    });
    counts.sum()
}
