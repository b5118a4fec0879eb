//! A spill so large that requests are taken while it is still read.

use crate::gateway::load;
use footfall_tests::{
    client::{self, Answer},
    gateway::Gateway,
    kafka::Kafka,
    port,
    program::Program,
    wait,
};
use nix::sys::signal::Signal;
use std::collections::BTreeSet;
use tempfile::TempDir;

const VISITORS: usize = 10;
const ROUNDS: usize = 6;
const BATCH: usize = 500;
/// More than is read before the gateway listens.
const LARGE: f64 = (16 << 20) as f64;

/// A batch of each visitor, the next of its events.
async fn send(gateway: &Gateway, seqs: &mut [usize], sent: &mut BTreeSet<String>) {
    for (visitor, seq) in seqs.iter_mut().enumerate() {
        let (ids, body) = load::visitor_batch(visitor, seq, BATCH);
        let answer = wait::until("the gateway to listen", async || {
            Answer::to(gateway.request(body.clone())).await
        })
        .await;
        assert_eq!(answer.status, 202, "{answer:?}");
        sent.extend(ids);
    }
}

#[tokio::test]
async fn what_comes_while_it_is_read_waits_behind_it_and_all_of_it_arrives_in_order() {
    let kafka = Kafka::shared().await;
    let folder = TempDir::new().unwrap();
    let dir = folder.path().display().to_string();
    let mut gateway = Gateway::launch(&port::free_address(), &["--spill-dir", &dir]);
    let (mut seqs, mut sent) = ([0; VISITORS], BTreeSet::new());
    for _ in 0..ROUNDS {
        send(&gateway, &mut seqs, &mut sent).await;
    }
    let metrics = gateway.metrics().await;
    assert!(metrics.sum("footfall_spill_bytes") > LARGE, "{metrics:?}");
    gateway.program.signal(Signal::SIGTERM);
    gateway.program.exit().await;

    kafka.create_topic(&gateway.topic, 3).await;
    kafka.create_topic(&gateway.rejected, 1).await;
    let address = gateway.url.trim_start_matches("http://").to_owned();
    let flags = [
        ["--listen", &address],
        ["--kafka-brokers", &kafka.brokers],
        ["--kafka-topic", &gateway.topic],
        ["--kafka-rejected-topic", &gateway.rejected],
        ["--spill-dir", &dir],
    ];
    let program = Program::start("footfall-gateway", flags.as_flattened());
    gateway = Gateway { program, ..gateway };
    send(&gateway, &mut seqs, &mut sent).await;

    let metrics = load::at_rest(&gateway).await;
    let older = (VISITORS * ROUNDS * BATCH) as f64;
    assert_eq!(metrics.sum("footfall_events_recovered_total"), older);
    assert_eq!(
        metrics.sum("footfall_events_produced_total"),
        sent.len() as f64
    );
    let records = load::records(kafka, &gateway, sent.len()).await;
    assert_eq!(records.len(), sent.len(), "none is there twice");
    assert_eq!(load::ids_of(&records), sent);
    load::are_in_order(&records);
    let said = gateway.program.stderr();
    let at = |text| said.find(text).unwrap_or_else(|| panic!("{text}: {said}"));
    assert!(at("the spill is read while requests are taken") < at("listening"));
    client::until_answers(&format!("{}/readyz", gateway.url), r#""spill":"empty""#).await;
}
