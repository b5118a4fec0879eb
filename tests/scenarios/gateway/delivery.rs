//! One topic, record or file at fault costs nothing but itself.

use crate::{gateway::load, pipeline::batch};
use footfall_tests::{
    client, gateway::Gateway, kafka::Kafka, program, program::Program, wait, wire::Wire,
};
use serde_json::json;
use std::{collections::BTreeSet, fs, process::Command};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// What Kafka's client would wait for a missing topic for half a minute.
const IMPATIENT: [&str; 2] = ["--kafka-property", "topic.metadata.propagation.max.ms=1000"];

async fn until_ready_says(gateway: &Gateway, parts: &[&str]) {
    wait::until(&format!("/readyz to say {parts:?}"), async || {
        let said = client::get(&format!("{}/readyz", gateway.url)).await?;
        let all = parts.iter().all(|part| said.body.contains(part));
        (said.status == 200 && all).then_some(()).ok_or(said.body)
    })
    .await;
}

async fn until(gateway: &Gateway, metric: &str, value: f64) {
    wait::until(&format!("{metric} {value}"), async || {
        let metrics = gateway.metrics().await;
        load::is_accounted_for(&metrics);
        let now = metrics.sum(metric);
        (now == value).then_some(()).ok_or(format!("{metrics:?}"))
    })
    .await;
}

#[tokio::test]
async fn without_a_spill_what_came_while_the_topic_was_away_waits_and_arrives_in_order() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start_with(kafka, &IMPATIENT).await;
    let (mut seq, mut sent) = (0, BTreeSet::new());
    kafka.delete_topic(&gateway.topic).await;
    for _ in 0..5 {
        let (ids, body) = load::visitor_batch(0, &mut seq, 20);
        assert_eq!(gateway.post(body).await.status, 202);
        sent.extend(ids);
    }
    let topic = format!("topic `{}`", gateway.topic);
    until_ready_says(&gateway, &[&topic, r#""ready":true"#]).await;
    wait::until("kafka's client to give the records up", async || {
        let said = gateway.program.stderr();
        let is_told = said.contains("it waits, and is sent again");
        is_told.then_some(()).ok_or(said)
    })
    .await;
    // What comes now waits behind them.
    let (ids, body) = load::visitor_batch(0, &mut seq, 20);
    assert_eq!(gateway.post(body).await.status, 202);
    sent.extend(ids);
    until(&gateway, "footfall_queue_events", 120.0).await;

    kafka.create_topic(&gateway.topic, 3).await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_produced_total"), 120.0);
    let records = load::records(kafka, &gateway, 120).await;
    assert_eq!((records.len(), load::ids_of(&records)), (120, sent));
    load::are_in_order(&records);
    load::are_at_their_time(&records);
    until_ready_says(&gateway, &[r#"{"ready":true,"kafka":"up","spill":"off"}"#]).await;
}

#[tokio::test]
async fn a_missing_topic_of_rejected_events_costs_their_records_and_nothing_else() {
    let kafka = Kafka::shared().await;
    let folder = TempDir::new().unwrap();
    let dir = folder.path().display().to_string();
    let flags = [&IMPATIENT[..], &["--spill-dir", &dir]].concat();
    let gateway = Gateway::launch(&kafka.brokers, &flags);
    kafka.create_topic(&gateway.topic, 1).await;
    let reason = format!(
        "records of rejected events are lost: topic `{}`",
        gateway.rejected
    );
    until_ready_says(&gateway, &[r#""kafka":"up""#, &reason]).await;
    let mut mixed = batch::of_page_views(3);
    mixed["events"][1]["id"] = json!("no id");
    for round in 1..=3 {
        assert_eq!(gateway.post(mixed.to_string()).await.status, 202);
        until(
            &gateway,
            "footfall_events_produced_total",
            f64::from(2 * round),
        )
        .await;
    }
    until(&gateway, "footfall_rejected_records_lost_total", 3.0).await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_spilled_total"), 0.0);

    kafka.create_topic(&gateway.rejected, 1).await;
    until_ready_says(
        &gateway,
        &[r#"{"ready":true,"kafka":"up","spill":"empty"}"#],
    )
    .await;
    assert_eq!(gateway.post(mixed.to_string()).await.status, 202);
    kafka.records(&gateway.rejected, 1).await;
}

#[tokio::test]
async fn without_a_spill_a_refused_record_costs_no_other_in_its_batch() {
    let kafka = Kafka::shared().await;
    for ack in ["enqueued", "delivered"] {
        let flags = ["--ack", ack, "--kafka-property", "linger.ms=300"];
        let gateway = Gateway::launch(&kafka.brokers, &flags);
        let minute = [("message.timestamp.before.max.ms", "60000")];
        kafka.create_topic_with(&gateway.topic, 1, &minute).await;
        kafka.create_topic(&gateway.rejected, 1).await;
        until_ready_says(&gateway, &[r#""kafka":"up""#]).await;
        let mut old = batch::of_page_views(1);
        old["events"][0]["time"] = json!(1_000_000_000_000_i64);
        let (ids, good) = load::visitor_batch(0, &mut 0, 40);
        let (other_ids, other) = load::visitor_batch(1, &mut 0, 40);
        let (good, old, other) = tokio::join!(
            gateway.post(good),
            gateway.post(old.to_string()),
            gateway.post(other)
        );
        let refused = if ack == "delivered" { 503 } else { 202 };
        assert_eq!([good.status, old.status, other.status], [202, refused, 202]);
        let metrics = load::at_rest(&gateway).await;
        assert_eq!(metrics.sum("footfall_events_produced_total"), 80.0);
        let lost = "reason=\"delivery_failed\"";
        assert_eq!(metrics.sum_with("footfall_events_dropped_total", lost), 1.0);
        let records = load::records(kafka, &gateway, 80).await;
        let sent: BTreeSet<_> = ids.into_iter().chain(other_ids).collect();
        assert_eq!((records.len(), load::ids_of(&records)), (80, sent));
        load::are_at_their_time(&records);
        assert!(gateway.program.stderr().contains("an event is lost"));
    }
}

#[tokio::test]
async fn a_rejected_event_that_is_longer_than_its_topic_takes_is_recorded_without_itself() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::launch(&kafka.brokers, &[]);
    kafka.create_topic(&gateway.topic, 1).await;
    let small = [("max.message.bytes", "10000")];
    kafka.create_topic_with(&gateway.rejected, 1, &small).await;
    until_ready_says(&gateway, &[r#""kafka":"up""#]).await;
    let noise: String = std::iter::repeat_with(|| uuid::Uuid::new_v4().simple().to_string())
        .take(3000)
        .collect();
    let mut long = batch::of_page_views(3);
    long["events"][0] = json!("short");
    long["events"][2]["properties"] = json!({ "noise": noise });
    let event = long["events"][2].to_string();
    assert_eq!(gateway.post(long.to_string()).await.status, 202);

    let records = kafka.records(&gateway.rejected, 2).await;
    let find = |code: &str| {
        let mut values = records.iter().map(|record| (record, record.json()));
        values.find(|(_, value)| value["code"] == code).unwrap()
    };
    let (_, whole) = find("not_an_object");
    assert_eq!(whole["event"], "short");
    let (record, shortened) = find("event_too_large");
    let names: Vec<_> = shortened
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let kept = ["code", "message", "index", "received_at"];
    assert_eq!(
        names,
        [&kept[..], &["event_bytes", "event_sha256"]].concat()
    );
    assert_eq!(shortened["index"], 2);
    assert_eq!(shortened["event_bytes"], event.len());
    assert_eq!(shortened["event_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(record.key_text(), Some("demo"));
    assert_eq!(shortened["received_at"], record.timestamp);
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_rejected_records_lost_total"), 0.0);
}

#[tokio::test]
async fn a_spill_whose_folder_was_removed_says_so_keeps_all_and_takes_the_one_that_comes_back() {
    let mut kafka = Kafka::start().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spill");
    let dir = path.display().to_string();
    let gateway = Gateway::start_with(&kafka, &["--spill-dir", &dir]).await;
    kafka.stop().await;
    let (mut seq, mut sent) = (0, BTreeSet::new());
    let mut post = async || {
        let (ids, body) = load::visitor_batch(0, &mut seq, 50);
        assert_eq!(gateway.post(body).await.status, 202);
        sent.extend(ids);
    };
    post().await;
    wait::until("the spill to be on disk", async || {
        let files = fs::read_dir(&path).unwrap().count();
        (files > 1).then_some(()).ok_or(format!("{files} files"))
    })
    .await;
    wait::until("the end of the folder", async || {
        // The gateway may be writing there.
        fs::remove_dir_all(&path).map_err(|error| error.to_string())
    })
    .await;
    post().await;
    until_ready_says(&gateway, &[r#""spill":"failed""#, "its folder was removed"]).await;
    post().await;
    assert!(!path.exists(), "it is not made: a disk may belong there");

    fs::create_dir(&path).unwrap();
    until_ready_says(&gateway, &[r#""spill":"in_use""#]).await;
    wait::until("all to be on the new disk", async || {
        let files = fs::read_dir(&path).unwrap();
        let bytes: u64 = files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum();
        (bytes > 150 * 300)
            .then_some(())
            .ok_or(format!("{bytes} bytes"))
    })
    .await;
    let lock = fs::File::open(path.join("lock")).unwrap();
    assert!(lock.try_lock().is_err(), "it is this gateway's");
    post().await;

    kafka.start_again().await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_produced_total"), 200.0);
    let records = load::records(&kafka, &gateway, 200).await;
    assert_eq!((records.len(), load::ids_of(&records)), (200, sent));
    load::are_in_order(&records);
    load::are_at_their_time(&records);
}

#[tokio::test]
async fn with_few_open_files_connections_leave_some_for_kafka_and_the_spill_and_the_log_is_short() {
    let kafka = Kafka::shared().await;
    let folder = TempDir::new().unwrap();
    let address = footfall_tests::port::free_address();
    let topic = Kafka::unique("events");
    let rejected = format!("{topic}.rejected");
    let spill = folder.path().join("spill").display().to_string();
    let script = format!(
        "ulimit -n 100; exec {} --listen {address} --kafka-brokers {} --topics-create true --spill-dir {spill} \
         --kafka-topic {topic} --kafka-rejected-topic {rejected} --drain-delay 0s",
        program::path("footfall-gateway").display(),
        kafka.brokers
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    let program = Program::start_command("footfall-gateway", command);
    let gateway = Gateway {
        url: format!("http://{address}"),
        topic,
        rejected,
        program,
    };
    client::until_answers(&format!("{}/livez", gateway.url), "ok").await;
    let mut idle = Vec::new();
    for _ in 0..150 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    wait::until("connections to be turned away", async || {
        // One that is turned away is closed by the gateway.
        let mut closed = 0;
        for connection in &idle {
            let mut byte = [0];
            if connection.try_read(&mut byte).is_ok() {
                closed += 1;
            }
        }
        (closed >= 100)
            .then_some(())
            .ok_or(format!("{closed} closed"))
    })
    .await;
    drop(idle);
    let (_, body) = load::visitor_batch(0, &mut 0, 20);
    wait::until("room for a request", async || {
        let answer = client::Answer::to(gateway.request(body.clone())).await?;
        (answer.status == 202)
            .then_some(())
            .ok_or(format!("{answer:?}"))
    })
    .await;
    let metrics = load::at_rest(&gateway).await;
    assert_eq!(metrics.sum("footfall_events_produced_total"), 20.0);
    let said = gateway.program.stderr();
    assert!(said.contains("leaves fewer connections"), "{said}");
    let warnings = said
        .lines()
        .filter(|line| line.contains("WARN") || line.contains("ERROR"));
    assert!(warnings.count() < 6, "{said}");
}

#[tokio::test]
async fn what_is_said_again_and_again_is_told_once() {
    let kafka = Kafka::shared().await;
    let flags = ["--kafka-property", "message.max.bytes=1000"];
    let gateway = Gateway::start_with(kafka, &flags).await;
    let (_, body) = load::visitor_batch(0, &mut 0, 100);
    let long = body.replace(&"x".repeat(300), &"x".repeat(2000));
    assert_eq!(gateway.post(long).await.status, 202);
    until(&gateway, "footfall_events_dropped_total", 100.0).await;
    let said = gateway.program.stderr();
    assert_eq!(said.matches("an event is lost").count(), 1, "{said}");
}

/// Requests over HTTP/2 that are taken back at once: the library warns of every connection that goes too far with it.
fn rapid_resets() -> Vec<u8> {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        [&head, payload].concat()
    };
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    for stream in (1..2000).step_by(2) {
        // `GET`, `/`, `http` by their places in the static table; the head and the stream end here.
        bytes.extend(frame(HEADERS, 5, stream, &[0x82, 0x84, 0x86]));
        bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    bytes
}

#[tokio::test]
async fn connections_that_reset_rapidly_cost_one_line_of_the_log() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    for _ in 0..20 {
        let mut connection = Wire::to(&gateway.url).await;
        // It may be closed before all is written.
        let _written = connection.send(rapid_resets()).await;
        connection.to_the_end().await;
    }
    let said = gateway.program.stderr();
    assert_eq!(said.matches("recv_reset").count(), 1, "{said}");
}
