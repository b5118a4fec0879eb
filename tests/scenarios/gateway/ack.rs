//! `ack = "delivered"`: an answer says what Kafka has said.

use crate::gateway::load;
use footfall_tests::{gateway::Gateway, kafka::Kafka};
use nix::sys::signal::Signal;
use tokio::time::Instant;

#[tokio::test]
async fn an_answer_of_202_means_that_kafka_has_the_events() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start_with(kafka, &["--ack", "delivered"]).await;
    let (ids, body) = load::visitor_batch(0, &mut 0, 30);
    assert_eq!(gateway.post(body).await.status, 202);
    let records = kafka.read(&gateway.topic).await.unwrap();
    assert_eq!(load::ids_of(&records), ids.into_iter().collect());
    load::at_rest(&gateway).await;
}

#[tokio::test]
async fn without_an_acknowledgement_in_time_it_is_503_and_the_events_are_accounted_for() {
    let kafka = Kafka::start().await;
    let folder = tempfile::tempdir().unwrap();
    let spill = folder.path().display().to_string();
    let acks = ["--ack", "delivered", "--ack-timeout", "1s"];
    let flags = [&acks[..], &["--spill-dir", &spill]].concat();
    let gateway = Gateway::start_with(&kafka, &flags).await;
    kafka.signal(Signal::SIGSTOP);
    let (_, body) = load::visitor_batch(0, &mut 0, 7);
    let start = Instant::now();
    let answer = gateway.post(body).await;
    assert!(start.elapsed().as_secs() >= 1);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["code"], "unavailable");
    assert!(answer.header("retry-after").is_some());
    let metrics = gateway.metrics().await;
    load::is_accounted_for(&metrics);
    assert_eq!(metrics.sum("footfall_events_received_total"), 7.0);
    assert_eq!(metrics.sum("footfall_queue_events"), 7.0);
    assert_eq!(metrics.sum("footfall_spill_events"), 0.0);

    kafka.signal(Signal::SIGCONT);
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_produced_total"), 7.0);
    assert_eq!(metrics.sum("footfall_spilled_total"), 0.0);
    let latencies = metrics.sum("footfall_event_latency_seconds_count");
    assert_eq!(latencies, 7.0);
}
