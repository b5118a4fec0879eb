//! Processes of one group that do not agree on what the group does.

use super::results::until_counts;
use footfall_tests::{
    aggregation::Aggregation,
    client,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;

async fn another_definition_waits(protocol: &str) {
    let kafka = Kafka::shared().await;
    let [source, group] = ["source", "group"].map(Kafka::unique);
    kafka.create_topic(&source, 2).await;
    let stream = |name: &str| {
        format!(
            "[streams.{name}]\nfrom = '{source}'\nto = '{source}.{name}'\n\
             window = {{ size = '1h', grace = '1m' }}\n"
        )
    };
    let head =
        format!("commit_interval = '20ms'\n[kafka.consumer]\n'group.protocol' = '{protocol}'\n");
    let old_config = format!("{head}{}", stream("s"));
    let new_config = format!("{head}{}{}", stream("s"), stream("t"));
    let record = |partition, key: &'static str| NewRecord {
        partition: Some(partition),
        timestamp: 1_764_000_000_000,
        key: Some(key.as_bytes()),
        value: Some(b"{}"),
    };
    let produce = async || {
        let records = [record(0, "a"), record(1, "b")];
        kafka.produce_all(&source, records).await;
    };
    let mut old = Aggregation::start_in_group(kafka, &old_config, &group).await;
    let (in_s, in_t) = (format!("{source}.s"), format!("{source}.t"));
    produce().await;
    until_counts(kafka, &in_s, &[("a", 1), ("b", 1)]).await;

    let new = Aggregation::launch(kafka, &new_config, &group);
    let reason = new.until_held_up("runs another definition").await;
    assert!(reason.contains("only here: `t`"), "{reason}");
    wait::until("the old one to notice", async || {
        let ready = client::get(&format!("{}/readyz", old.url)).await?;
        let is_told = ready.status == 200 && ready.body.contains("only there: `t`");
        is_told.then_some(()).ok_or(ready.body)
    })
    .await;
    let log = old.program.stderr();
    assert!(log.contains("has another definition"), "{log}");
    // Meanwhile the old one has all partitions.
    produce().await;
    until_counts(kafka, &in_s, &[("a", 2), ("b", 2)]).await;

    old.program.signal(Signal::SIGTERM);
    old.program.exit().await;
    produce().await;
    until_counts(kafka, &in_s, &[("a", 3), ("b", 3)]).await;
    // The stream that was added begins at the earliest record.
    until_counts(kafka, &in_t, &[("a", 3), ("b", 3)]).await;
    client::until_answers(&format!("{}/readyz", new.url), r#""ready":true"#).await;
}

#[tokio::test]
async fn a_process_with_another_definition_waits_until_those_with_the_old_one_have_ended() {
    tokio::join!(
        another_definition_waits("classic"),
        another_definition_waits("consumer"),
    );
}
