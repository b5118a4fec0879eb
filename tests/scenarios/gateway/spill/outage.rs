//! Kafka away, frozen, unwilling; the gateway killed or stopped meanwhile.

use crate::gateway::load::{self, Load};
use footfall_tests::{client, gateway::Gateway, kafka::Kafka, port, wait};
use nix::sys::signal::Signal;
use std::{fs, time::Duration};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long the broker is frozen.
const FREEZE: Duration = Duration::from_secs(60);
/// The default of `spill.sync_interval`.
const SYNC_INTERVAL: Duration = Duration::from_millis(200);

fn spill() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spill").display().to_string();
    (folder, path)
}

/// Peak resident memory, in bytes.
fn peak_memory(gateway: &Gateway) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.program.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<usize>().unwrap() * 1024
}

async fn ready(gateway: &Gateway) -> serde_json::Value {
    let url = format!("{}/readyz", gateway.url);
    client::get(&url).await.unwrap().json()
}

async fn until_spill_is(gateway: &Gateway, state: &str) {
    wait::until(&format!("the spill to be {state}"), async || {
        let said = ready(gateway).await;
        if said["spill"] == state {
            Ok(())
        } else {
            Err(said.to_string())
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_broker_frozen_for_a_minute_answers_stay_quick_and_every_event_arrives() {
    let kafka = Kafka::start().await;
    let (_folder, dir) = spill();
    let queue = 16 << 20;
    let flags = ["--spill-dir", &dir, "--kafka-queue", "16MiB"];
    let gateway = Gateway::start_with(&kafka, &flags).await;
    let warm_up = Load::start(&gateway, 4, 10);
    sleep(Duration::from_secs(2)).await;
    let before = warm_up.stop().await;
    let memory = peak_memory(&gateway);

    let load = Load::start(&gateway, 4, 10);
    kafka.signal(Signal::SIGSTOP);
    sleep(FREEZE).await;
    kafka.signal(Signal::SIGCONT);
    let sent = load.stop().await;
    let grown = peak_memory(&gateway) - memory;
    eprintln!(
        "{} events, p99 {:?}, max {:?}, memory +{} KiB",
        sent.accepted.len(),
        sent.percentile(99),
        sent.percentile(100),
        grown / 1024
    );
    assert_eq!(sent.others, [].into(), "nothing is refused");
    assert!(
        sent.percentile(99) <= Duration::from_millis(250),
        "{:?}",
        sent.percentile(99)
    );
    assert!(
        sent.percentile(100) <= Duration::from_secs(1),
        "{:?}",
        sent.percentile(100)
    );
    assert!(grown < 2 * queue, "memory grew by {grown} bytes");

    let metrics = load::at_rest(&gateway).await;
    let mut ids = sent.ids();
    ids.extend(before.ids());
    assert_eq!(
        metrics.sum("footfall_events_produced_total"),
        ids.len() as f64
    );
    let records = load::records(&kafka, &gateway, ids.len()).await;
    assert_eq!(load::ids_of(&records), ids);
    load::are_in_order(&records);
    load::are_at_their_time(&records);
    let replayed = records
        .iter()
        .filter(|record| record.header("footfall-replayed") == Some("1"));
    assert!(replayed.count() as f64 >= metrics.sum("footfall_replayed_total"));
    assert!(metrics.sum("footfall_replayed_total") > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_its_broker_is_frozen_it_loses_at_most_one_sync_interval() {
    let kafka = Kafka::start().await;
    let (_folder, dir) = spill();
    let address = port::free_address();
    let flags = ["--spill-dir", &dir, "--listen", &address];
    let mut gateway = Gateway::start_with(&kafka, &flags[..2]).await;
    let load = Load::start(&gateway, 4, 10);
    kafka.signal(Signal::SIGSTOP);
    sleep(Duration::from_secs(10)).await;
    let killed_at = Instant::now();
    gateway.program.signal(Signal::SIGKILL);
    gateway.program.exit().await;
    let sent = load.stop().await;

    kafka.signal(Signal::SIGCONT);
    let topics = [
        "--kafka-topic",
        &gateway.topic,
        "--kafka-rejected-topic",
        &gateway.rejected,
    ];
    let gateway = Gateway::again(&kafka, &[&flags[..], &topics].concat()).await;
    let metrics = load::at_rest(&gateway).await;
    assert!(
        metrics.sum("footfall_events_recovered_total") > 0.0,
        "{metrics:?}"
    );
    assert_eq!(metrics.sum("footfall_events_dropped_total"), 0.0);

    let found = load::ids_of(&kafka.read(&gateway.topic).await.unwrap());
    let lost = sent.accepted.iter().filter(|(id, _)| !found.contains(id));
    let lost: Vec<_> = lost
        .map(|(_, at)| killed_at.saturating_duration_since(*at))
        .collect();
    eprintln!(
        "{} accepted, {} lost: {lost:?}",
        sent.accepted.len(),
        lost.len()
    );
    assert!(lost.iter().all(|age| *age <= SYNC_INTERVAL), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_broker_it_spills_and_drains_when_one_appears() {
    let mut kafka = Kafka::start().await;
    kafka.stop().await;
    let (_folder, dir) = spill();
    let flags = ["--spill-dir", &dir, "--topics-create", "true"];
    let gateway = Gateway::launch(&kafka.brokers, &flags);
    client::until_answers(&format!("{}/readyz", gateway.url), r#""spill":"empty""#).await;
    let load = Load::start(&gateway, 2, 10);
    wait::until("some events", async || {
        (load.accepted() >= 2000)
            .then_some(())
            .ok_or_else(String::new)
    })
    .await;
    let sent = load.stop().await;
    let said = ready(&gateway).await;
    assert_eq!(
        (&said["ready"], &said["spill"]),
        (&true.into(), &"in_use".into()),
        "{said}"
    );
    let metrics = gateway.metrics().await;
    load::is_accounted_for(&metrics);
    assert_eq!(
        metrics.sum("footfall_spill_events"),
        sent.accepted.len() as f64
    );

    kafka.start_again().await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(
        metrics.sum("footfall_replayed_total"),
        sent.accepted.len() as f64
    );
    let records = load::records(&kafka, &gateway, sent.accepted.len()).await;
    assert_eq!(records.len(), sent.accepted.len(), "none is there twice");
    assert_eq!(load::ids_of(&records), sent.ids());
    load::are_in_order(&records);
    load::are_at_their_time(&records);
    assert!(
        records
            .iter()
            .all(|record| record.header("footfall-replayed") == Some("1"))
    );
    until_spill_is(&gateway, "empty").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_with_unsent_events_it_leaves_them_in_the_spill_and_ends_with_0() {
    let mut kafka = Kafka::start().await;
    let (_folder, dir) = spill();
    let address = port::free_address();
    let flags = ["--spill-dir", &dir, "--listen", &address];
    let mut gateway = Gateway::start_with(&kafka, &flags[..2]).await;
    kafka.stop().await;
    let load = Load::start(&gateway, 2, 10);
    wait::until("some events", async || {
        (load.accepted() >= 1000)
            .then_some(())
            .ok_or_else(String::new)
    })
    .await;
    let sent = load.stop().await;
    gateway.program.signal(Signal::SIGTERM);
    let code = gateway.program.exit().await.code();
    assert_eq!(code, Some(0), "{}", gateway.program.stderr());

    kafka.start_again().await;
    let topics = [
        "--kafka-topic",
        &gateway.topic,
        "--kafka-rejected-topic",
        &gateway.rejected,
    ];
    let gateway = Gateway::again(&kafka, &[&flags[..], &topics].concat()).await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(
        metrics.sum("footfall_events_recovered_total"),
        sent.accepted.len() as f64
    );
    let records = load::records(&kafka, &gateway, sent.accepted.len()).await;
    assert_eq!(records.len(), sent.accepted.len(), "none is there twice");
    assert_eq!(load::ids_of(&records), sent.ids());
    load::are_in_order(&records);
    load::are_at_their_time(&records);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_topics_it_spills_and_drains_when_they_appear() {
    let kafka = Kafka::shared().await;
    let (_folder, dir) = spill();
    let gateway = Gateway::launch(&kafka.brokers, &["--spill-dir", &dir]);
    client::until_answers(&format!("{}/livez", gateway.url), "ok").await;
    for visitor in 0..5 {
        let (_, body) = load::visitor_batch(visitor, &mut 0, 20);
        assert_eq!(gateway.post(body).await.status, 202);
    }
    let metrics = gateway.metrics().await;
    load::is_accounted_for(&metrics);
    assert_eq!(metrics.sum("footfall_events_produced_total"), 0.0);
    kafka.create_topic(&gateway.topic, 3).await;
    kafka.create_topic(&gateway.rejected, 1).await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_produced_total"), 100.0);
    let records = load::records(kafka, &gateway, 100).await;
    load::are_in_order(&records);
    load::are_at_their_time(&records);
}
