//! Sites: who may send, how much, and how that changes while the gateway runs.

use crate::pipeline::batch;
use footfall_tests::{client::Answer, gateway::Gateway, kafka::Kafka, wait};
use nix::sys::signal::Signal;
use serde_json::json;
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const TWO: &str = r#"
[[sites]]
write_key = "shop"
origins = ["https://shop.example"]
[[sites]]
write_key = "busy"
rate = 1
burst = 500
"#;

async fn start(file: &Path, sites: &str) -> Gateway {
    fs::write(file, sites).unwrap();
    Gateway::start_with(
        Kafka::shared().await,
        &["--config", &file.display().to_string()],
    )
    .await
}

fn of(write_key: &str, count: usize) -> String {
    let mut body = batch::of_page_views(count);
    body["write_key"] = json!(write_key);
    body.to_string()
}

async fn post(gateway: &Gateway, body: String, origin: Option<&str>) -> Answer {
    let mut request = gateway.request(body);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    Answer::to(request).await.unwrap()
}

#[tokio::test]
async fn only_configured_keys_and_origins_may_send() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(&folder.path().join("gateway.toml"), TWO).await;
    let code = async |key: &str, origin: Option<&str>| {
        let answer = post(&gateway, of(key, 1), origin).await;
        (
            answer.status,
            answer.json()["code"].as_str().map(str::to_owned),
        )
    };
    assert_eq!(
        code("shop", Some("https://shop.example")).await,
        (202, None)
    );
    assert_eq!(code("shop", None).await, (202, None));
    assert_eq!(
        code("other", None).await,
        (401, Some("unknown_write_key".into()))
    );
    for origin in ["https://evil.example", "null", "http://shop.example"] {
        assert_eq!(
            code("shop", Some(origin)).await,
            (403, Some("origin_not_allowed".into()))
        );
    }
    assert_eq!(code("busy", Some("null")).await, (202, None));
    let metrics = gateway.metrics().await;
    assert_eq!(
        metrics.sum("footfall_site_events_total{site=\"shop\"}"),
        2.0
    );
    assert_eq!(metrics.sum("footfall_events_received_total"), 3.0);
}

#[tokio::test]
async fn more_than_a_rate_is_told_to_wait_and_others_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(&folder.path().join("gateway.toml"), TWO).await;
    assert_eq!(post(&gateway, of("busy", 500), None).await.status, 202);
    let limited = post(&gateway, of("busy", 100), Some("https://busy.example")).await;
    assert_eq!(
        (limited.status, &limited.json()["code"]),
        (429, &"rate_limited".into())
    );
    let seconds: u32 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=100).contains(&seconds), "{seconds}");
    assert_eq!(
        limited.header("access-control-allow-origin"),
        Some("https://busy.example")
    );
    assert_eq!(post(&gateway, of("shop", 500), None).await.status, 202);
    assert_eq!(
        gateway
            .metrics()
            .await
            .sum("footfall_events_received_total"),
        1000.0
    );
}

#[tokio::test]
async fn what_senders_say_they_have_lost_is_counted_by_site_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(&folder.path().join("gateway.toml"), TWO).await;
    let mut body = batch::of_page_views(1);
    body["write_key"] = json!("shop");
    body["events"][0]["type"] = json!("lost");
    body["events"][0]["properties"] = json!({"queue_full": 7, "trap": 1, "other": 9, "expired": 0});
    assert_eq!(post(&gateway, body.to_string(), None).await.status, 202);
    let metrics = gateway.metrics().await;
    let lost = |reason: &str| {
        metrics.sum(&format!(
            "footfall_sender_lost_events_total{{site=\"shop\",reason=\"{reason}\"}}"
        ))
    };
    assert_eq!(
        (
            lost("queue_full"),
            lost("trap"),
            lost("expired"),
            lost("other")
        ),
        (7.0, 1.0, 0.0, 0.0)
    );
}

#[tokio::test]
async fn sites_are_reloaded_without_losing_a_request_and_a_bad_file_keeps_the_old_ones() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let gateway = Arc::new(start(&file, TWO).await);
    let over = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let (gateway, over) = (gateway.clone(), over.clone());
            tokio::spawn(async move {
                let mut sent = 0;
                while !over.load(Ordering::Relaxed) {
                    assert_eq!(post(&gateway, of("shop", 1), None).await.status, 202);
                    sent += 1;
                }
                sent
            })
        })
        .collect();
    fs::write(&file, format!("{TWO}[[sites]]\nwrite_key = \"new\"\n")).unwrap();
    gateway.program.signal(Signal::SIGHUP);
    wait::until("the new site to be taken", async || {
        match post(&gateway, of("new", 1), None).await {
            answer if answer.status == 202 => Ok(()),
            answer => Err(format!("{answer:?}")),
        }
    })
    .await;
    fs::write(
        &file,
        format!("{TWO}[[sites]]\nwrite_key = \"not a key\"\n"),
    )
    .unwrap();
    gateway.program.signal(Signal::SIGHUP);
    wait::until("the bad file to be told", async || {
        let logs = gateway.program.stderr();
        let told = logs.contains("gateway.toml:") && logs.contains("sites[2].write_key: expected");
        told.then_some(()).ok_or(logs)
    })
    .await;
    assert_eq!(post(&gateway, of("new", 1), None).await.status, 202);
    fs::write(&file, format!("ip = \"full\"\n{TWO}")).unwrap();
    gateway.program.signal(Signal::SIGHUP);
    wait::until("the new site to be gone", async || {
        match post(&gateway, of("new", 1), None).await {
            answer if answer.status == 401 => Ok(()),
            answer => Err(format!("{answer:?}")),
        }
    })
    .await;
    assert!(
        gateway
            .program
            .stderr()
            .contains("need a restart keys=\"ip\""),
        "{}",
        gateway.program.stderr()
    );
    over.store(true, Ordering::Relaxed);
    for sender in senders {
        assert!(sender.await.unwrap() > 0);
    }
}
