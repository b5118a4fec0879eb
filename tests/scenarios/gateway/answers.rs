//! Every answer can be read by the page that has asked, names its code, and says when to come back.

use crate::pipeline::batch;
use footfall_tests::{client::Answer, gateway::Gateway, kafka::Kafka};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::fs;

const SITES: &str = r#"
[limits]
bodies = "256KiB"
[[sites]]
write_key = "shop"
origins = ["https://shop.example"]
[[sites]]
write_key = "busy"
rate = 1
burst = 500
"#;

const SHOP: &str = "https://shop.example";

fn of(write_key: &str, count: usize) -> String {
    let mut body = batch::of_page_views(count);
    body["write_key"] = json!(write_key);
    body.to_string()
}

/// A right batch but for one member.
fn with(member: &str, value: Value) -> String {
    let mut body = batch::of_page_views(1);
    body[member] = value;
    body.to_string()
}

/// Requests, and the status and the code of their answers.
fn refused(gateway: &Gateway) -> Vec<(RequestBuilder, u16, &'static str)> {
    let post = |body: String| gateway.request(body);
    let ask = |method, path| Client::new().request(method, format!("{}{path}", gateway.url));
    vec![
        (post("{".into()), 400, "malformed_body"),
        (post(with("sent_at", json!(0.5))), 400, "invalid_field"),
        (post(of("shop", 0)), 400, "batch_empty"),
        (post(of("shop", 501)), 400, "batch_too_large"),
        (post(of("other", 1)), 401, "unknown_write_key"),
        (
            post(of("shop", 1)).header("origin", "https://evil.example"),
            403,
            "origin_not_allowed",
        ),
        (ask(Method::GET, "/nowhere"), 404, "not_found"),
        (ask(Method::GET, "/sdk/footfall.js"), 404, "not_found"),
        (ask(Method::GET, "/sdk/%ff"), 404, "not_found"),
        (ask(Method::GET, "/v1/events"), 405, "method_not_allowed"),
        (ask(Method::POST, "/privacy"), 405, "method_not_allowed"),
        (post(" ".repeat((1 << 20) + 1)), 413, "body_too_large"),
        (
            post(of("shop", 1)).header("content-type", "text/html"),
            415,
            "unsupported_media_type",
        ),
        (
            post(of("shop", 1)).header("content-encoding", "compress"),
            415,
            "unsupported_encoding",
        ),
        (post(of("busy", 500)), 429, "rate_limited"),
        (post(" ".repeat(300 << 10)), 503, "unavailable"),
    ]
}

fn names_its_code(answer: &Answer, status: u16, code: &str) {
    let content_type = answer.header("content-type");
    assert_eq!(
        (answer.status, content_type),
        (status, Some("application/problem+json")),
        "{answer:?}"
    );
    let said = answer.json();
    assert_eq!(
        (&said["code"], &said["status"]),
        (&json!(code), &json!(status)),
        "{answer:?}"
    );
}

fn is_readable_from(answer: &Answer, origin: Option<&str>) {
    let exposed = origin.map(|_| "Retry-After");
    assert_eq!(answer.header("access-control-allow-origin"), origin);
    assert_eq!(answer.header("access-control-expose-headers"), exposed);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let varies = answer.header("vary").unwrap();
    assert!(varies.eq_ignore_ascii_case("origin"), "{varies}");
}

fn says_when_to_come_back(answer: &Answer) {
    let seconds = answer.header("retry-after").map(str::parse::<u32>);
    match answer.status {
        429 | 503 => assert!(matches!(seconds, Some(Ok(1..))), "{answer:?}"),
        _ => assert_eq!(seconds, None, "{answer:?}"),
    }
}

async fn gateway(folder: &tempfile::TempDir) -> Gateway {
    let file = folder.path().join("gateway.toml");
    fs::write(&file, SITES).unwrap();
    let flags = ["--config", &file.display().to_string()];
    Gateway::start_with(Kafka::shared().await, &flags).await
}

#[tokio::test]
async fn every_refusal_names_its_code_and_can_be_read_by_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let taken = gateway.request(of("busy", 500)).header("origin", SHOP);
    let taken = Answer::to(taken).await.unwrap();
    assert_eq!(taken.status, 202);
    is_readable_from(&taken, Some(SHOP));
    for (request, status, code) in refused(&gateway) {
        let own = request.try_clone().unwrap().build().unwrap();
        let origin = own.headers().get("origin").cloned();
        let origin = origin.map_or(SHOP.into(), |own| own.to_str().unwrap().to_owned());
        let request = match own.headers().contains_key("origin") {
            true => request,
            false => request.header("origin", &origin),
        };
        let answer = Answer::to(request).await.unwrap();
        names_its_code(&answer, status, code);
        is_readable_from(&answer, Some(&origin));
        says_when_to_come_back(&answer);
        assert_eq!(answer.header("allow").is_some(), status == 405);
        let encodings = answer.header("accept-encoding").is_some();
        assert_eq!(encodings, code == "unsupported_encoding");
    }
    let metrics = gateway.metrics().await;
    for (status, code) in [
        (401, "unknown_write_key"),
        (413, "body_too_large"),
        (429, "rate_limited"),
    ] {
        let sample = format!(
            "footfall_requests_total{{route=\"/v1/events\",status=\"{status}\",code=\"{code}\"}}"
        );
        assert_eq!(metrics.sum(&sample), 1.0, "{sample}: {metrics:?}");
    }
    assert_eq!(metrics.sum("footfall_events_received_total"), 500.0);
}

#[tokio::test]
async fn without_an_origin_no_page_is_named_and_caches_know_that_it_depends_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    for (request, status, _) in refused(&gateway) {
        // Requests of other origins are what is not asked here.
        if status != 403 && status != 429 {
            let answer = Answer::to(request).await.unwrap();
            assert_eq!(answer.status, status, "{answer:?}");
            is_readable_from(&answer, None);
        }
    }
    for path in ["/livez", "/readyz", "/metrics", "/v1/pixel.gif", "/privacy"] {
        let url = format!("{}{path}", gateway.url);
        let answer = Answer::to(Client::new().get(url)).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        is_readable_from(&answer, None);
    }
}
