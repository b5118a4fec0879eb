//! A key with far more than its share.

use crate::pipeline::batch;
use footfall_tests::{gateway::Gateway, kafka::Kafka, record::Record};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const PARTITIONS: usize = 4;
const ROUNDS: usize = 30;
const HOT_A_ROUND: usize = 90;
const COLD: usize = 10;
const BURST: usize = 100;

fn page_views(visitor: &str, first_seq: usize, count: usize) -> String {
    let mut batch = batch::of_page_views(count);
    batch["visitor"] = visitor.into();
    let events = batch["events"].as_array_mut().unwrap();
    for (seq, event) in (first_seq..).zip(events) {
        event["seq"] = seq.into();
    }
    batch.to_string()
}

/// The records of each key, by partition and offset.
fn by_key(records: &[Record]) -> BTreeMap<&str, Vec<&Record>> {
    let mut keys = BTreeMap::<_, Vec<_>>::new();
    for record in records {
        let key = record.key_text().unwrap();
        keys.entry(key).or_default().push(record);
    }
    keys
}

fn is_resharded(record: &&&Record) -> bool {
    record.header("footfall-resharded") == Some("1")
}

#[tokio::test]
async fn a_key_with_nine_tenths_of_the_traffic_is_spread_and_cold_keys_keep_their_order() {
    let kafka = Kafka::shared().await;
    let burst = BURST.to_string();
    let flags = ["--hot-key-rate", "50", "--hot-key-burst", &burst];
    let topics = ["--topics-partitions", "4"];
    let gateway = Gateway::start_with(kafka, &[&flags[..], &topics].concat()).await;
    for round in 0..ROUNDS {
        let hot = page_views("hot", round * HOT_A_ROUND, HOT_A_ROUND);
        assert_eq!(gateway.post(hot).await.status, 202);
        for cold in 0..COLD {
            let body = page_views(&format!("cold-{cold}"), round, 1);
            assert_eq!(gateway.post(body).await.status, 202);
        }
    }

    let all = ROUNDS * (HOT_A_ROUND + COLD);
    let records = kafka.records(&gateway.topic, all).await;
    assert_eq!(records.len(), all);
    for partition in 0..4 {
        let own = records
            .iter()
            .filter(|record| record.partition == partition);
        let own = own.count();
        assert!(
            own <= 2 * all / PARTITIONS,
            "partition {partition} has {own} of {all}"
        );
    }
    let keys = by_key(&records);
    let hot = &keys["demo/hot"];
    assert_eq!(hot.len(), ROUNDS * HOT_A_ROUND, "the key stays");
    let kept = hot.len() - hot.iter().filter(is_resharded).count();
    assert!(
        (BURST..BURST * 5).contains(&kept),
        "{kept} events went where the key says"
    );
    for cold in 0..COLD {
        let own = &keys[format!("demo/cold-{cold}").as_str()];
        assert!(
            own.iter()
                .all(|record| record.partition == own[0].partition)
        );
        assert!(!own.iter().any(|record| is_resharded(&record)));
        let seqs: Vec<Value> = own
            .iter()
            .map(|record| record.json()["seq"].clone())
            .collect();
        assert_eq!(seqs, (0..ROUNDS).map(Value::from).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_comes_beyond_the_burst_is_spread_from_its_first_event_on() {
    let kafka = Kafka::shared().await;
    let flags = ["--hot-key-rate", "50", "--hot-key-burst", "100"];
    let topics = ["--topics-partitions", "4"];
    let gateway = Gateway::start_with(kafka, &[&flags[..], &topics].concat()).await;
    assert_eq!(gateway.post(page_views("hot", 0, 500)).await.status, 202);
    let records = kafka.records(&gateway.topic, 500).await;
    let arrivals: BTreeSet<_> = records
        .iter()
        .map(|record| record.json()["received_at"].as_i64().unwrap())
        .collect();
    assert_eq!(arrivals.len(), 1, "they all come at once");
    let spread: Vec<_> = records
        .iter()
        .filter(|record| is_resharded(&record))
        .collect();
    // 50 of them for each second that the machine may take over one request.
    assert!((300..=400).contains(&spread.len()), "{}", spread.len());
    let to: BTreeSet<_> = spread.iter().map(|record| record.partition).collect();
    assert_eq!(to, (0..4).collect());
    let first = spread.iter().map(|record| record.json()["seq"].as_u64());
    assert!(first.min().unwrap().unwrap() >= 100);
}
