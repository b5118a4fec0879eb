//! Clocks that are wrong, and times that cannot be.

use crate::pipeline::batch;
use footfall_tests::{gateway::Gateway, kafka::Kafka};
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;
/// 2000-01-01.
const YEAR_2000: i64 = 946_684_800_000;

/// What is recorded of an event with this time, in a batch that was sent at `sent_at`.
async fn recorded(kafka: &Kafka, gateway: &Gateway, nth: usize, sent_at: i64, time: i64) -> Value {
    let body = batch::of(sent_at, &[batch::page_view(time)]);
    let id = body["events"][0]["id"].clone();
    assert_eq!(gateway.post(body.to_string()).await.status, 202);
    let records = kafka.records(&gateway.topic, nth).await;
    let own = records.iter().find(|record| record.json()["id"] == id);
    let own = own.unwrap();
    assert_eq!(own.timestamp, own.json()["time"].as_i64().unwrap());
    own.json()
}

/// How far the sender's clock was behind, to ten seconds.
fn skew(record: &Value, sent_at: i64) -> i64 {
    let skew = record["received_at"].as_i64().unwrap() - sent_at;
    (skew + 5_000 * skew.signum()) / 10_000 * 10_000
}

#[tokio::test]
async fn times_of_a_wrong_clock_are_moved_and_impossible_ones_become_the_arrival() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let now = batch::now();

    let right = recorded(kafka, &gateway, 1, now, now - 7_000).await;
    assert_eq!(right["time"], now - 7_000);
    assert_eq!(
        (&right["time_client"], &right["time_clamped"]),
        (&Value::Null, &Value::Null)
    );

    for (nth, sent_at) in [(2, now - HOUR), (3, now + HOUR)] {
        let time = sent_at - 7_000;
        let moved = recorded(kafka, &gateway, nth, sent_at, time).await;
        assert_eq!(moved["time"], time + skew(&moved, sent_at), "{moved}");
        // A stream that goes by it must not be led into the future.
        let recorded = if sent_at < now {
            json!(sent_at)
        } else {
            moved["received_at"].clone()
        };
        assert_eq!(moved["sent_at"], recorded, "{moved}");
        assert_eq!(moved["time_client"], time);
        assert_eq!(moved["time_clamped"], Value::Null);
    }

    let in_an_hour = batch::now() + HOUR;
    for (nth, sent_at, time) in [(4, batch::now(), in_an_hour), (5, in_an_hour, YEAR_2000)] {
        let clamped = recorded(kafka, &gateway, nth, sent_at, time).await;
        assert_eq!(clamped["time"], clamped["received_at"], "{clamped}");
        assert_eq!(
            (&clamped["time_client"], &clamped["time_clamped"]),
            (&json!(time), &json!(true))
        );
    }
}
