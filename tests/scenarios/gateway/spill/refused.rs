//! Records that Kafka's client gives up, and records that Kafka will never take.

use crate::{gateway::load, pipeline::batch};
use footfall_tests::{client, gateway::Gateway, kafka::Kafka, wait};
use nix::sys::signal::Signal;
use serde_json::json;
use std::collections::BTreeSet;
use tempfile::TempDir;

#[tokio::test]
async fn deliveries_that_time_out_go_to_the_spill_and_are_replayed() {
    let kafka = Kafka::start().await;
    let folder = TempDir::new().unwrap();
    let dir = folder.path().display().to_string();
    let flags = [
        "--spill-dir",
        &dir,
        "--kafka-property",
        "message.timeout.ms=1000",
    ];
    let gateway = Gateway::start_with(&kafka, &flags).await;
    kafka.signal(Signal::SIGSTOP);
    let mut sent = BTreeSet::new();
    for visitor in 0..4 {
        let (ids, body) = load::visitor_batch(visitor, &mut 0, 10);
        assert_eq!(gateway.post(body).await.status, 202);
        sent.extend(ids);
    }
    wait::until("all deliveries to have failed", async || {
        let metrics = gateway.metrics().await;
        load::is_accounted_for(&metrics);
        let left = metrics.sum("footfall_queue_events");
        let spilled = metrics.sum("footfall_spill_events");
        ((left, spilled) == (0.0, 40.0))
            .then_some(())
            .ok_or(format!("{left} in the queue, {spilled} in the spill"))
    })
    .await;
    kafka.signal(Signal::SIGCONT);

    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_produced_total"), 40.0);
    assert_eq!(metrics.sum("footfall_spilled_total"), 40.0);
    assert_eq!(metrics.sum("footfall_replayed_total"), 40.0);
    let records = load::records(&kafka, &gateway, 40).await;
    // The frozen broker may have got them before it froze: then they are there twice.
    assert_eq!(load::ids_of(&records), sent);
    load::are_in_order(&records);
    load::are_at_their_time(&records);
}

#[tokio::test]
async fn what_kafka_refuses_for_ever_is_counted_and_its_neighbours_arrive() {
    let kafka = Kafka::shared().await;
    let folder = TempDir::new().unwrap();
    let dir = folder.path().display().to_string();
    let gateway = Gateway::launch(&kafka.brokers, &["--spill-dir", &dir]);
    client::until_answers(&format!("{}/livez", gateway.url), "ok").await;
    let mut seq = 0;
    let mut sent = BTreeSet::new();
    // All of it fits into one batch, which Kafka refuses.
    for round in 0..3 {
        let (ids, body) = load::visitor_batch(0, &mut seq, 30);
        assert_eq!(gateway.post(body).await.status, 202);
        sent.extend(ids);
        if round < 2 {
            let mut large = batch::of_page_views(1);
            large["visitor"] = json!("visitor-0");
            large["events"][0]["seq"] = json!(seq);
            large["events"][0]["properties"] = json!({ "padding": noise(20_000) });
            seq += 1;
            assert_eq!(gateway.post(large.to_string()).await.status, 202);
        }
    }
    let small = [("max.message.bytes", "5000")];
    kafka.create_topic_with(&gateway.topic, 1, &small).await;
    kafka.create_topic(&gateway.rejected, 1).await;

    let metrics = load::at_rest(&gateway).await;
    let page = client::get(&format!("{}/metrics", gateway.url)).await;
    let lost = "footfall_events_dropped_total{reason=\"delivery_failed\"} 2";
    assert!(page.unwrap().body.contains(lost));
    assert_eq!(metrics.sum("footfall_events_produced_total"), 90.0);
    let records = load::records(kafka, &gateway, 90).await;
    assert_eq!(records.len(), 90, "none is there twice");
    load::are_at_their_time(&records);
    assert_eq!(load::ids_of(&records), sent);

    let said = gateway.program.stderr();
    assert!(said.contains("kafka refuses a batch"), "{said}");

    // The same while Kafka is there all the time: a batch of these is too large, and none of them is.
    let (ids, body) = load::visitor_batch(1, &mut 0, 30);
    assert_eq!(gateway.post(body).await.status, 202);
    sent.extend(ids);
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_produced_total"), 120.0);
    let records = load::records(kafka, &gateway, 120).await;
    assert_eq!(load::ids_of(&records), sent);
}

/// Text that does not compress.
fn noise(len: usize) -> String {
    let ids = std::iter::repeat_with(|| uuid::Uuid::new_v4().simple().to_string());
    ids.take(len / 32).collect()
}
