//! What whoever runs it sees: readiness, the exit code, the admin listener, metrics.

use crate::pipeline::batch;
use footfall_tests::{
    client::{self, Answer},
    gateway::Gateway,
    kafka::Kafka,
    port, program, wait,
};
use nix::sys::signal::Signal;
use reqwest::{Client, Method};
use serde_json::json;
use std::{collections::BTreeSet, fs};

#[tokio::test]
async fn without_its_topics_it_is_not_ready_until_they_are_there() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::launch(&kafka.brokers, &["--drain-delay", "0s"]);
    let readyz = format!("{}/readyz", gateway.url);
    wait::until("the missing topic to be told", async || {
        let answer = client::get(&readyz).await?;
        let said = answer.json();
        let reason = said["reason"].as_str().unwrap_or_default();
        let is_told = answer.status == 503 && reason.contains(&gateway.topic);
        (is_told && said["ready"] == false && said["kafka"] == "down" && said["spill"] == "off")
            .then_some(())
            .ok_or(answer.body)
    })
    .await;
    kafka.create_topic(&gateway.topic, 1).await;
    kafka.create_topic(&gateway.rejected, 1).await;
    let well = json!({ "ready": true, "kafka": "up", "spill": "off" });
    wait::until("all to be well", async || {
        let said = client::get(&readyz).await?.json();
        (said == well).then_some(()).ok_or(said.to_string())
    })
    .await;
}

#[tokio::test]
async fn without_kafka_and_spill_it_says_at_its_end_how_many_events_are_lost() {
    let flags = ["--drain-delay", "0s", "--drain-timeout", "1s"];
    let mut gateway = Gateway::launch(&port::free_address(), &flags);
    client::until_answers(&format!("{}/livez", gateway.url), "ok").await;
    let taken = gateway.post(batch::of_page_views(7).to_string()).await;
    assert_eq!(taken.status, 202);
    gateway.program.signal(Signal::SIGTERM);
    assert_eq!(gateway.program.exit().await.code(), Some(1));
    let said = gateway.program.stderr();
    assert!(said.contains("7 event(s) were lost"), "{said}");
}

#[tokio::test]
async fn with_an_admin_listener_the_main_one_has_no_metrics() {
    let admin = port::free_address();
    let gateway = Gateway::start_with(Kafka::shared().await, &["--admin", &admin]).await;
    for path in ["livez", "readyz", "metrics"] {
        let answer = client::get(&format!("http://{admin}/{path}"))
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{path}");
    }
    for path in ["livez", "readyz"] {
        let answer = client::get(&format!("{}/{path}", gateway.url)).await;
        assert_eq!(answer.unwrap().status, 200, "{path}");
    }
    let hidden = client::get(&format!("{}/metrics", gateway.url)).await;
    assert_eq!(hidden.unwrap().status, 404);
    let events = client::get(&format!("http://{admin}/v1/events")).await;
    assert_eq!(events.unwrap().json()["code"], "not_found");
}

const SITES: &str = "[[sites]]\nwrite_key = \"shop\"\n";

/// Asks for all that there is, in words that `salt` makes different.
async fn ask_around(gateway: &Gateway, salt: &str) {
    let client = Client::new();
    let mut batch = batch::of_page_views(2);
    batch["write_key"] = json!("shop");
    batch["visitor"] = json!(salt);
    batch["events"][0]["type"] = json!("lost");
    batch["events"][0]["properties"] = json!({ "expired": 1, salt: 1 });
    batch["events"].as_array_mut().unwrap().push(json!(salt));
    let mut other = batch.clone();
    other["write_key"] = json!(salt);
    let method = Method::from_bytes(salt.as_bytes()).unwrap();
    let get = |path: &str| client.get(format!("{}{path}", gateway.url));
    for request in [
        gateway
            .request(batch.to_string())
            .header("user-agent", salt),
        gateway.request(other.to_string()).header("origin", salt),
        gateway.request("{").header("host", salt),
        client.request(method, format!("{}/v1/events", gateway.url)),
        get(&format!("/{salt}")),
        get(&format!("/sdk/{salt}.js")),
        get(&format!("/v1/pixel.gif?k={salt}&{salt}")),
        get(&format!("/v1/pixel.gif?k=shop&u={salt}")),
        get(&format!("/metrics?{salt}")),
    ] {
        Answer::to(request).await.unwrap();
    }
}

async fn page(gateway: &Gateway) -> String {
    let url = format!("{}/metrics", gateway.url);
    client::get(&url).await.unwrap().body
}

/// The names and labels of a page.
fn series(page: &str) -> BTreeSet<&str> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .collect()
}

#[tokio::test]
async fn a_scraper_that_asks_for_the_text_format_gets_the_same_metrics_in_it() {
    let gateway = Gateway::start_with(Kafka::shared().await, &[]).await;
    let ask = async |accepted: &str| {
        let request = Client::new().get(format!("{}/metrics", gateway.url));
        Answer::to(request.header("accept", accepted))
            .await
            .unwrap()
    };
    let open =
        ask("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5").await;
    let open_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), Some(open_type));
    let text = ask("text/plain;version=0.0.4;q=0.5,*/*;q=0.1").await;
    let text_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(text.header("content-type"), Some(text_type));
    assert_eq!(text.header("cache-control"), Some("no-store"));
    for (line, is_text) in [
        ("# TYPE footfall_events_received_total counter\n", true),
        ("# TYPE footfall_request_duration_seconds histogram\n", true),
        ("# TYPE footfall_queue_events gauge\n", true),
        ("# TYPE footfall_events_received counter\n", false),
        ("# UNIT ", false),
        ("# EOF", false),
    ] {
        assert_eq!(text.body.contains(line), is_text, "{line}{}", text.body);
    }
    let names = |page: &str| {
        let names = series(page).into_iter();
        let names = names.filter(|name| !name.contains("/metrics") && !name.contains("/readyz"));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&text.body), names(&open.body));
}

#[tokio::test]
async fn whatever_is_asked_for_metrics_have_the_same_labels_and_the_page_of_the_docs_has_each() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    fs::write(&file, SITES).unwrap();
    let flags = ["--config", &file.display().to_string()];
    let gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
    ask_around(&gateway, "SALT-0").await;
    let first = page(&gateway).await;
    for turn in 1..30 {
        ask_around(&gateway, &format!("SALT-{turn}")).await;
    }
    let last = page(&gateway).await;
    assert!(last.ends_with("# EOF\n"), "{last}");
    assert!(!last.contains("SALT"), "{last}");
    assert_eq!(series(&last), series(&first));

    let docs = fs::read_to_string(program::root().join("docs/gateway.md")).unwrap();
    let rows = docs
        .lines()
        .filter_map(|line| line.strip_prefix("| `footfall_"));
    let rows: BTreeSet<_> = rows
        .filter_map(|row| Some(row.split_once('`')?.0))
        .collect();
    let families = last
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE footfall_"));
    let families = families.map(|line| match line.split_once(' ').unwrap() {
        (name, "counter") => format!("{name}_total"),
        (name, _) => name.to_owned(),
    });
    let families: BTreeSet<_> = families.collect();
    let families: BTreeSet<_> = families.iter().map(String::as_str).collect();
    assert_eq!(rows, families);
}
