//! A file system that is full, or cannot be written, at start and later.

use crate::{gateway::load, pipeline::batch};
use footfall_tests::{
    client::{self, Answer},
    gateway::Gateway,
    kafka::Kafka,
    mount::Mount,
    port, wait,
};
use nix::sys::signal::Signal;

/// How large the file system is.
const DISK_KIB: usize = 1024;
/// `kafka.queue`; half of it may wait for the disk.
const QUEUE: &str = "1MiB";
/// How much of what comes in a record needs at least: the padding of its properties.
const EVENT: usize = 300;

fn in_folder(mount: &Mount) -> String {
    mount.path().join("spill").display().to_string()
}

/// Sends batches of a visitor until one is not taken; gives back how many events were, and the answer.
async fn fill(gateway: &Gateway, seq: &mut usize) -> (usize, Answer) {
    let mut accepted = 0;
    loop {
        let (_, body) = load::visitor_batch(0, seq, 20);
        let answer = gateway.post(body).await;
        match answer.status {
            202 => accepted += 20,
            _ => return (accepted, answer),
        }
        assert!(accepted < 100_000, "it has no end");
    }
}

fn is_unavailable(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (503, "unavailable".into()),
        "{answer:?}"
    );
    let retry_after = answer.header("retry-after").unwrap();
    assert!(retry_after.parse::<u32>().unwrap() > 0, "{retry_after}");
}

async fn until_spill_is(gateway: &Gateway, state: &str) {
    let url = format!("{}/readyz", gateway.url);
    wait::until(&format!("the spill to be {state}"), async || {
        let said = client::get(&url).await?;
        let is_so = said.json()["spill"] == state;
        is_so.then_some(()).ok_or(said.body)
    })
    .await;
}

#[tokio::test]
async fn without_room_on_disk_it_keeps_some_in_memory_then_answers_503_and_recovers() {
    let mut kafka = Kafka::start().await;
    let disk = Mount::of_kib(DISK_KIB);
    let dir = in_folder(&disk);
    let flags = ["--spill-dir", &dir, "--kafka-queue", QUEUE];
    let gateway = Gateway::start_with(&kafka, &flags).await;
    kafka.stop().await;

    let mut seq = 0;
    let (mut accepted, refused) = fill(&gateway, &mut seq).await;
    is_unavailable(&refused);
    until_spill_is(&gateway, "full").await;
    // The disk may still have taken something meanwhile, but there is an end to it.
    let mut again = usize::MAX;
    while again > 0 {
        let refused;
        (again, refused) = fill(&gateway, &mut seq).await;
        is_unavailable(&refused);
        accepted += again;
    }
    assert!(
        accepted * EVENT > 512 * 1024,
        "the disk took {accepted} events"
    );
    assert!(accepted * EVENT < 2 * 1024 * 1024, "{accepted} events");
    let ready = client::get(&format!("{}/readyz", gateway.url)).await;
    assert_eq!(ready.unwrap().status, 503);
    load::is_accounted_for(&gateway.metrics().await);

    kafka.start_again().await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(
        metrics.sum("footfall_events_produced_total"),
        accepted as f64
    );
    load::are_in_order(&load::records(&kafka, &gateway, accepted).await);
    client::until_answers(&format!("{}/readyz", gateway.url), r#""spill":"empty""#).await;
    let taken = gateway.post(batch::of_page_views(1).to_string()).await;
    assert_eq!(taken.status, 202);
}

#[tokio::test]
async fn killed_with_a_full_disk_it_starts_on_it_and_what_lies_there_arrives() {
    let kafka = Kafka::shared().await;
    let disk = Mount::of_kib(DISK_KIB);
    let dir = in_folder(&disk);
    let flags = ["--spill-dir", &dir, "--kafka-queue", QUEUE];
    let mut gateway = Gateway::launch(&port::free_address(), &flags);
    client::until_answers(&format!("{}/livez", gateway.url), "ok").await;
    fill(&gateway, &mut 0).await;
    until_spill_is(&gateway, "full").await;
    gateway.program.signal(Signal::SIGKILL);
    gateway.program.exit().await;
    // Whatever room is left goes too.
    let filler = std::fs::write(disk.path().join("filler"), vec![0; DISK_KIB * 1024]);
    assert!(filler.is_err(), "the disk was not full");

    kafka.create_topic(&gateway.topic, 3).await;
    kafka.create_topic(&gateway.rejected, 1).await;
    let address = port::free_address();
    let topics = [
        "--kafka-topic",
        &gateway.topic,
        "--kafka-rejected-topic",
        &gateway.rejected,
    ];
    let own = ["--listen", &address];
    let gateway = Gateway::again(kafka, &[&own[..], &flags, &topics].concat()).await;
    let metrics = load::at_rest(&gateway).await;
    let recovered = metrics.sum("footfall_events_recovered_total");
    assert!(recovered * EVENT as f64 > 256.0 * 1024.0, "{recovered}");
    let lost = metrics.sum("footfall_events_dropped_total");
    assert!(lost <= 1.0, "at most the half-written end of it: {lost}");
    let produced = metrics.sum("footfall_events_produced_total");
    assert_eq!(produced, recovered - lost);
    load::are_in_order(&kafka.read(&gateway.topic).await.unwrap());
}

#[tokio::test]
async fn a_file_system_that_cannot_be_written_at_start_is_a_wrong_configuration() {
    let disk = Mount::of_kib(DISK_KIB);
    disk.make_read_only();
    let dir = in_folder(&disk);
    let mut gateway = Gateway::launch(&port::free_address(), &["--spill-dir", &dir]);
    assert_eq!(gateway.program.exit().await.code(), Some(2));
    let said = gateway.program.stderr();
    assert!(
        said.contains("spill.dir: expected a folder that can be written"),
        "{said}"
    );
}

#[tokio::test]
async fn a_file_system_that_turns_read_only_leaves_memory_then_503_until_it_can_be_written() {
    let mut kafka = Kafka::start().await;
    let disk = Mount::of_kib(DISK_KIB * 8);
    let dir = in_folder(&disk);
    let flags = ["--spill-dir", &dir, "--kafka-queue", QUEUE];
    let gateway = Gateway::start_with(&kafka, &flags).await;
    disk.make_read_only();
    kafka.stop().await;

    let mut seq = 0;
    let (_, body) = load::visitor_batch(0, &mut seq, 20);
    assert_eq!(gateway.post(body).await.status, 202);
    let ready = r#""spill":"failed""#;
    let said = client::until_answers(&format!("{}/readyz", gateway.url), ready).await;
    assert_eq!(said.json()["ready"], true);
    let (more, refused) = fill(&gateway, &mut seq).await;
    is_unavailable(&refused);
    let in_memory = more + 20;
    assert!(
        in_memory * EVENT < 512 * 1024,
        "{in_memory} events in memory"
    );
    load::is_accounted_for(&gateway.metrics().await);

    disk.make_writable();
    until_spill_is(&gateway, "in_use").await;
    let (_, body) = load::visitor_batch(0, &mut seq, 20);
    assert_eq!(gateway.post(body).await.status, 202);
    kafka.start_again().await;
    let metrics = load::at_rest(&gateway).await;
    let accepted = in_memory + 20;
    assert_eq!(
        metrics.sum("footfall_events_produced_total"),
        accepted as f64
    );
    load::are_in_order(&load::records(&kafka, &gateway, accepted).await);
}
