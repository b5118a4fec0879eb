//! What windows come to on their topic.

use footfall_tests::{kafka::Kafka, record::Record, wait};
use std::collections::BTreeMap;

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
