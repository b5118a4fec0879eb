//! The disk at fault: a damaged file, a full folder, a file system that cannot be written.

use crate::gateway::load;
use footfall_tests::{client, gateway::Gateway, kafka::Kafka, port, wait};
use nix::sys::signal::Signal;
use std::{fs, path::PathBuf};
use tempfile::TempDir;

fn segments(dir: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let mut segments: Vec<_> = files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "spill")
        })
        .collect();
    segments.sort();
    segments
}

async fn until_written(gateway: &Gateway, dir: &str) {
    wait::until("the spill to be on disk", async || {
        let bytes = gateway.metrics().await.sum("footfall_spill_bytes");
        let on_disk: u64 = segments(dir)
            .iter()
            .map(|path| fs::metadata(path).unwrap().len())
            .sum();
        if on_disk as f64 == bytes && on_disk > 0 {
            Ok(())
        } else {
            Err(format!("{on_disk} of {bytes} bytes"))
        }
    })
    .await;
}

/// A gateway without Kafka has taken 30 events and was killed when they were on disk.
async fn killed_with_thirty(dir: &str) -> Gateway {
    let mut gateway = Gateway::launch(&port::free_address(), &["--spill-dir", dir]);
    client::until_answers(&format!("{}/livez", gateway.url), "ok").await;
    for visitor in 0..3 {
        let (_, body) = load::visitor_batch(visitor, &mut 0, 10);
        assert_eq!(gateway.post(body).await.status, 202);
    }
    until_written(&gateway, dir).await;
    gateway.program.signal(Signal::SIGKILL);
    gateway.program.exit().await;
    gateway
}

/// Starts on what is left there, and checks that all but `lost` events arrive.
async fn all_arrive_but(lost: usize, dir: &str, killed: &Gateway) {
    let kafka = Kafka::shared().await;
    kafka.create_topic(&killed.topic, 3).await;
    kafka.create_topic(&killed.rejected, 1).await;
    let address = port::free_address();
    let topics = [
        "--kafka-topic",
        &killed.topic,
        "--kafka-rejected-topic",
        &killed.rejected,
    ];
    let own = ["--listen", &address, "--spill-dir", dir];
    let gateway = Gateway::again(kafka, &[&own[..], &topics].concat()).await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_recovered_total"), 30.0);
    let arrived = 30 - lost;
    assert_eq!(
        metrics.sum("footfall_events_produced_total"),
        arrived as f64
    );
    let page = client::get(&format!("{}/metrics", gateway.url)).await;
    let counted = format!("footfall_events_dropped_total{{reason=\"spill_corrupt\"}} {lost}\n");
    assert!(page.unwrap().body.contains(&counted));
    let said = gateway.program.stderr();
    assert!(said.contains("the spill is damaged"), "{said}");
    let records = load::records(kafka, &gateway, arrived).await;
    assert_eq!(records.len(), arrived);
    load::are_in_order(&records);
}

/// Where the frames of a file begin.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let marker = [0xFF, b'F', b'F', 0xFE];
    let starts = bytes.windows(marker.len()).enumerate();
    let starts = starts.filter(|(_, window)| *window == marker);
    starts.map(|(at, _)| at).collect()
}

#[tokio::test]
async fn a_corrupt_tail_is_skipped_counted_and_logged_and_the_rest_replays() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().display().to_string();
    let killed = killed_with_thirty(&dir).await;
    let last = segments(&dir).pop().unwrap();
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 10]).unwrap();
    all_arrive_but(1, &dir, &killed).await;
}

#[tokio::test]
async fn a_damaged_middle_is_skipped_counted_and_logged_and_the_rest_replays() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().display().to_string();
    let killed = killed_with_thirty(&dir).await;
    let files = segments(&dir);
    let [file] = &*files else {
        panic!("thirty events lie in one file: {files:?}");
    };
    let mut bytes = fs::read(file).unwrap();
    let starts = frames(&bytes);
    assert_eq!(starts.len(), 30);
    // The file's own head, one bit of a value, all from one frame's middle to the next but one's, and the tail.
    bytes[0] ^= 1;
    bytes[starts[6] - 5] ^= 1;
    bytes[starts[12] + 100..starts[14] + 10].fill(0);
    bytes.truncate(bytes.len() - 10);
    fs::write(file, bytes).unwrap();
    all_arrive_but(1 + 3 + 1, &dir, &killed).await;
}

#[tokio::test]
async fn a_full_folder_leaves_memory_and_then_503_and_all_that_was_accepted_arrives() {
    let mut kafka = Kafka::start().await;
    let folder = TempDir::new().unwrap();
    let dir = folder.path().display().to_string();
    let flags = [
        "--spill-dir",
        &dir,
        "--spill-max-bytes",
        "300KiB",
        "--kafka-queue",
        "1MiB",
    ];
    let gateway = Gateway::start_with(&kafka, &flags).await;
    kafka.stop().await;
    let mut accepted = 0;
    let mut seq = 0;
    let full = loop {
        let (_, body) = load::visitor_batch(0, &mut seq, 20);
        let answer = gateway.post(body).await;
        match answer.status {
            202 => accepted += 20,
            _ => break answer,
        }
        assert!(accepted < 100_000, "it has no end");
    };
    assert_eq!(
        (full.status, full.json()["code"].clone()),
        (503, "unavailable".into())
    );
    let on_disk: u64 = segments(&dir)
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!(on_disk <= 300 << 10, "{on_disk}");
    let said = client::get(&format!("{}/readyz", gateway.url))
        .await
        .unwrap();
    assert_eq!(
        (said.status, said.json()["spill"].clone()),
        (503, "full".into()),
        "{said:?}"
    );
    load::is_accounted_for(&gateway.metrics().await);

    kafka.start_again().await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(
        metrics.sum("footfall_events_produced_total"),
        accepted as f64
    );
    let records = load::records(&kafka, &gateway, accepted).await;
    load::are_in_order(&records);
    client::until_answers(&format!("{}/readyz", gateway.url), r#""spill":"empty""#).await;
}

#[tokio::test]
async fn a_folder_that_goes_away_leaves_memory_and_what_was_accepted_arrives() {
    let mut kafka = Kafka::start().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spill");
    let dir = path.display().to_string();
    let gateway = Gateway::start_with(&kafka, &["--spill-dir", &dir]).await;
    kafka.stop().await;
    // Stands for a file system that turned read-only: not even root can make a file here.
    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, b"no folder").unwrap();
    let (_, body) = load::visitor_batch(0, &mut 0, 50);
    assert_eq!(gateway.post(body).await.status, 202);
    let said =
        client::until_answers(&format!("{}/readyz", gateway.url), r#""spill":"failed""#).await;
    assert_eq!(said.json()["ready"], true);
    kafka.start_again().await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_produced_total"), 50.0);
    let records = load::records(&kafka, &gateway, 50).await;
    assert_eq!(records.len(), 50);
    load::are_in_order(&records);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_at_start_is_a_wrong_configuration() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let dir = file.display().to_string();
    let mut gateway = Gateway::launch(&port::free_address(), &["--spill-dir", &dir]);
    assert_eq!(gateway.program.exit().await.code(), Some(2));
    let said = gateway.program.stderr();
    assert!(
        said.contains("spill.dir: expected a folder that can be written"),
        "{said}"
    );
}
