//! What lies in Kafka after a batch: exactly these records, keys, headers, times and bytes.

use crate::pipeline::batch;
use footfall_tests::{client::Answer, gateway::Gateway, kafka::Kafka};
use serde_json::{Value, json};

#[tokio::test]
async fn every_event_becomes_one_record_with_key_time_and_its_own_bytes() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let now = batch::now();
    let properties = r#"{"b":1,"a":12.50,"a":1e400,"text":"\ud800"}"#;
    let id = "0199D0A4-0000-7000-8000-00000000000A";
    let body = format!(
        r#"{{"write_key":"demo","sent_at":{now},"visitor":"v-1","session":"s-1","load":"l-1","sdk":"test/1",
        "user":"","context":{{ "locale": "ko-KR" }},"unknown":true,
        "events":[{{"id":"{id}","seq":17,"time":{time},"type":"custom","name":"order_placed",
        "page":{{"url":"https://shop.example/cart","title":"Cart"}},"properties":{properties}}}]}}"#,
        time = now - 40
    );
    let answer = gateway.post(body).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (202, r#"{"accepted":1,"rejected":[]}"#)
    );

    let records = kafka.records(&gateway.topic, 1).await;
    let [record] = &records[..] else {
        panic!("one record, not {records:?}")
    };
    assert_eq!(record.key_text(), Some("demo/v-1"));
    assert_eq!(record.timestamp, now - 40);
    assert_eq!(record.headers, []);
    let value = record.value_text();
    // Not read as JSON: `1e400` is a number that most readers cannot hold.
    let (_, after) = value.split_once("\"received_at\":").unwrap();
    let received_at: i64 = after.split(',').next().unwrap().parse().unwrap();
    assert!((now..now + 60_000).contains(&received_at), "{received_at}");
    let expected = format!(
        r#"{{"id":"0199d0a4-0000-7000-8000-00000000000a","write_key":"demo","type":"custom","name":"order_placed","time":{time},"received_at":{received_at},"sent_at":{now},"load":"l-1","seq":17,"visitor":"v-1","session":"s-1","page":{{"url":"https://shop.example/cart","title":"Cart"}},"properties":{properties},"context":{{ "locale": "ko-KR" }},"client":{{"ip":"127.0.0.0"}},"sdk":"test/1"}}"#,
        time = now - 40
    );
    assert_eq!(value, expected);
}

#[tokio::test]
async fn rejected_events_lie_in_their_own_topic_byte_for_byte_and_the_others_are_taken() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let now = batch::now();
    let nameless =
        r#"{"id":"0199d0a4-0000-7000-8000-000000000002", "time":1764000000000 ,"type":"custom"}"#;
    let first = batch::page_view(now).to_string();
    let body = format!(r#"{{"write_key":"demo","sent_at":{now},"events":[{first},{nameless},7]}}"#);
    let answer = gateway.post(body).await;
    assert_eq!(answer.status, 202);
    let said = answer.json();
    assert_eq!(said["accepted"], 1);
    assert_eq!(said["rejected"][0]["index"], 1);
    assert_eq!(
        said["rejected"][0]["id"],
        "0199d0a4-0000-7000-8000-000000000002"
    );
    assert_eq!(said["rejected"][0]["code"], "name_missing");
    assert_eq!(said["rejected"][1]["index"], 2);
    assert_eq!(said["rejected"][1]["id"], Value::Null);
    assert_eq!(said["rejected"][1]["code"], "not_an_object");

    let rejected = kafka.records(&gateway.rejected, 2).await;
    assert!(
        rejected
            .iter()
            .all(|record| record.key_text() == Some("demo"))
    );
    let nameless_record = rejected
        .iter()
        .find(|record| record.json()["code"] == "name_missing")
        .unwrap();
    assert!(
        nameless_record
            .value_text()
            .ends_with(&format!("\"event\":{nameless}}}")),
        "{nameless_record:?}"
    );
    assert_eq!(nameless_record.json()["index"], 1);
    let taken = kafka.records(&gateway.topic, 1).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].key, None, "neither visitor nor session were sent");
}

#[tokio::test]
async fn every_counted_event_has_one_fate() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let mut mixed = batch::of_page_views(10);
    mixed["events"]
        .as_array_mut()
        .unwrap()
        .extend([json!({}), json!(3)]);
    assert_eq!(gateway.post(mixed.to_string()).await.status, 202);
    let private = gateway
        .request(batch::of_page_views(5).to_string())
        .header("sec-gpc", "1");
    let private = Answer::to(private).await.unwrap();
    assert_eq!(
        (private.status, private.json()),
        (202, json!({ "accepted": 0, "rejected": [], "dropped": 5 }))
    );
    assert_eq!(gateway.post("{").await.status, 400);

    assert_eq!(kafka.records(&gateway.topic, 10).await.len(), 10);
    let metrics = footfall_tests::wait::until("the queue to be empty", async || {
        let metrics = gateway.metrics().await;
        if metrics.sum("footfall_queue_events") == 0.0 {
            Ok(metrics)
        } else {
            Err(format!("{metrics:?}"))
        }
    })
    .await;
    assert_eq!(metrics.sum("footfall_events_received_total"), 17.0);
    assert_eq!(metrics.sum("footfall_events_produced_total"), 10.0);
    assert_eq!(metrics.sum("footfall_events_rejected_total"), 2.0);
    assert_eq!(metrics.sum("footfall_events_dropped_total"), 5.0);
}

#[tokio::test]
async fn batches_go_to_kafka_with_every_codec() {
    let kafka = Kafka::shared().await;
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let property = format!("compression.type={codec}");
        let gateway = Gateway::start_with(kafka, &["--kafka-property", &property]).await;
        let answer = gateway.post(batch::of_page_views(5).to_string()).await;
        assert_eq!(answer.status, 202);
        assert_eq!(kafka.records(&gateway.topic, 5).await.len(), 5);
        let partitions = 0..kafka.partitions(&gateway.topic);
        let batches = partitions.flat_map(|partition| kafka.batches(&gateway.topic, partition));
        let codecs: Vec<_> = batches.map(|batch| batch.codec).collect();
        assert!(
            !codecs.is_empty() && codecs.iter().all(|found| *found == codec),
            "{codecs:?}"
        );
    }
}
