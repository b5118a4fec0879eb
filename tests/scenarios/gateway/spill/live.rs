//! Live traffic beside a replay.

use crate::gateway::load;
use footfall_tests::{client, gateway::Gateway, kafka::Kafka, wait};
use std::{collections::BTreeSet, time::Duration};
use tempfile::TempDir;
use tokio::time::Instant;

const VISITORS: usize = 10;
const ROUNDS: usize = 12;
const BATCH: usize = 500;
/// Sends while the spill is replayed.
const LIVE: usize = VISITORS;
/// What answers may take while the broker is at fault; a replay is less than that.
const QUICK: Duration = Duration::from_millis(250);

/// Whether there is something left to be replayed.
async fn is_replaying(gateway: &Gateway) -> bool {
    gateway.metrics().await.sum("footfall_spill_events") > 0.0
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_spill_is_replayed_live_traffic_keeps_its_latency_and_goes_past_it() {
    let kafka = Kafka::shared().await;
    let folder = TempDir::new().unwrap();
    let dir = folder.path().display().to_string();
    // Without its topics Kafka is as good as away.
    let gateway = Gateway::launch(&kafka.brokers, &["--spill-dir", &dir]);
    client::until_answers(&format!("{}/livez", gateway.url), "ok").await;
    let mut sent = BTreeSet::new();
    let mut seqs = [0; VISITORS + 1];
    for _ in 0..ROUNDS {
        for (visitor, seq) in seqs[..VISITORS].iter_mut().enumerate() {
            let (ids, body) = load::visitor_batch(visitor, seq, BATCH);
            assert_eq!(gateway.post(body).await.status, 202);
            sent.extend(ids);
        }
    }
    let spilled = sent.len();
    kafka.create_topic(&gateway.topic, 3).await;
    kafka.create_topic(&gateway.rejected, 1).await;
    wait::until("the replay to begin", async || {
        let metrics = gateway.metrics().await;
        (metrics.sum("footfall_replayed_total") > 0.0)
            .then_some(())
            .ok_or_else(|| format!("{metrics:?}"))
    })
    .await;

    let mut latencies = Vec::new();
    while is_replaying(&gateway).await {
        for _ in 0..5 {
            let (ids, body) = load::visitor_batch(LIVE, &mut seqs[LIVE], 1);
            let start = Instant::now();
            assert_eq!(gateway.post(body).await.status, 202);
            latencies.push(start.elapsed());
            sent.extend(ids);
        }
    }
    latencies.sort_unstable();
    assert!(latencies.len() >= 20, "{latencies:?}");
    let p99 = latencies[(latencies.len() - 1) * 99 / 100];
    eprintln!("{} answers, p99 {p99:?}", latencies.len());
    assert!(p99 <= QUICK, "{latencies:?}");

    let metrics = load::at_rest(&gateway).await;
    assert_eq!(
        metrics.sum("footfall_events_produced_total"),
        sent.len() as f64
    );
    let records = load::records(kafka, &gateway, sent.len()).await;
    assert_eq!(records.len(), sent.len(), "none is there twice");
    assert_eq!(load::ids_of(&records), sent);
    load::are_in_order(&records);
    let replayed = records
        .iter()
        .filter(|record| record.header("footfall-replayed") == Some("1"))
        .count();
    assert!(
        (spilled..records.len()).contains(&replayed),
        "{replayed} of {} are marked",
        records.len()
    );
}
