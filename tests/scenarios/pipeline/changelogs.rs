//! Changelogs that somebody deletes.

use super::results::until_counts;
use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;

struct Scene {
    kafka: &'static Kafka,
    source: String,
    output: String,
    changelog: String,
    group: String,
    config: String,
}

impl Scene {
    async fn new(stream: &str) -> Self {
        let kafka = Kafka::shared().await;
        let [source, group] = ["source", "group"].map(Kafka::unique);
        kafka.create_topic(&source, 1).await;
        let output = format!("{source}.out");
        Self {
            kafka,
            changelog: format!("{group}-keys-changelog"),
            config: format!(
                "commit_interval = '20ms'\n[streams.keys]\nfrom = '{source}'\nto = '{output}'\n{stream}\n"
            ),
            source,
            output,
            group,
        }
    }

    async fn produce(&self, key: &str, count: usize) {
        let record = NewRecord {
            timestamp: 1_764_000_000_000,
            key: Some(key.as_bytes()),
            value: Some(b"{}"),
            ..NewRecord::default()
        };
        let records = std::iter::repeat_n(record, count);
        self.kafka.produce_all(&self.source, records).await;
    }

    async fn start(&self) -> Aggregation {
        Aggregation::start_in_group(self.kafka, &self.config, &self.group).await
    }

    async fn until_counts(&self, expected: &[(&str, u64)]) {
        until_counts(self.kafka, &self.output, expected).await;
    }
}

async fn until_renewed(aggregation: &Aggregation) {
    wait::until("the changelog to be known as another", async || {
        let metrics = aggregation.metrics().await?;
        let renewed = metrics.sum("footfall_renewed_changelogs_total");
        (renewed == 1.0).then_some(()).ok_or(format!("{renewed}"))
    })
    .await;
}

async fn stop(mut aggregation: Aggregation) {
    aggregation.program.signal(Signal::SIGTERM);
    let code = aggregation.program.exit().await.code();
    assert_eq!(code, Some(0), "{}", aggregation.program.stderr());
}

async fn deleted_while_running(window: &str) {
    let scene = Scene::new(window).await;
    let aggregation = scene.start().await;
    scene.produce("u", 5).await;
    scene.produce("v", 5).await;
    scene.until_counts(&[("u", 5), ("v", 5)]).await;
    scene.kafka.delete_topic(&scene.changelog).await;
    scene.produce("u", 5).await;
    until_renewed(&aggregation).await;
    let counted = tokio::time::timeout(
        std::time::Duration::from_secs(30),
        scene.until_counts(&[("u", 10), ("v", 5)]),
    )
    .await;
    assert!(counted.is_ok(), "{}", aggregation.program.stderr());
    // The two keys, and how far time is.
    scene.kafka.records(&scene.changelog, 3).await;
    let log = aggregation.program.stderr();
    assert!(
        log.contains("was deleted and made anew while this process ran"),
        "{log}"
    );
    stop(aggregation).await;
    let _again = scene.start().await;
    scene.produce("u", 1).await;
    scene.produce("v", 1).await;
    scene.until_counts(&[("u", 11), ("v", 6)]).await;
}

#[tokio::test]
async fn one_that_is_deleted_while_its_process_runs_is_filled_again() {
    tokio::join!(
        deleted_while_running("window = { size = '1h', grace = '1m' }"),
        deleted_while_running("window = { gap = '1h', grace = '1m' }"),
    );
}

#[tokio::test]
async fn one_that_is_deleted_while_no_process_runs_is_told_and_counted() {
    let scene = Scene::new("window = { size = '1h', grace = '1m' }").await;
    let aggregation = scene.start().await;
    scene.produce("u", 5).await;
    scene.until_counts(&[("u", 5)]).await;
    let metrics = aggregation.metrics().await.unwrap();
    assert_eq!(metrics.sum("footfall_renewed_changelogs_total"), 0.0);
    stop(aggregation).await;
    scene.kafka.delete_topic(&scene.changelog).await;
    let aggregation = scene.start().await;
    until_renewed(&aggregation).await;
    let expected = format!(
        "changelog `{}` does not exist, though group `{}` has offsets of `{}`",
        scene.changelog, scene.group, scene.source
    );
    let log = aggregation.program.stderr();
    assert!(
        log.contains(&expected) && log.contains("counts begin anew"),
        "{log}"
    );
}
