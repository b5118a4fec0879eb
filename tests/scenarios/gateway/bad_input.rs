//! Bad input gets the right answer, and the gateway goes on.

use crate::pipeline::batch;
use footfall_tests::{
    client::{self, Answer},
    gateway::Gateway,
    kafka::Kafka,
};
use serde_json::{Value, json};

async fn gateway() -> Gateway {
    Gateway::start(Kafka::shared().await).await
}

fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{answer:?}"
    );
    let body = answer.json();
    assert_eq!(body["code"], code, "{answer:?}");
    assert_eq!(body["status"], status, "{answer:?}");
}

/// A change to one member of a right batch.
fn batch_with(member: &str, value: Value) -> String {
    let mut batch = batch::of_page_views(1);
    batch[member] = value;
    batch.to_string()
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole_and_the_next_batch_is_taken() {
    let gateway = gateway().await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"write_key\":\"a\",\"write_key\":\"b\"}",
        "{} {}",
    ] {
        assert_problem(&gateway.post(body).await, 400, "malformed_body");
    }
    assert_problem(&gateway.post(vec![0xff, 0xfe]).await, 400, "malformed_body");
    let deep = format!("{}{}", "[".repeat(600), "]".repeat(600));
    assert_problem(&gateway.post(deep).await, 400, "malformed_body");
    let taken = gateway.post(batch::of_page_views(1).to_string()).await;
    assert_eq!(
        (taken.status, taken.body.as_str()),
        (202, r#"{"accepted":1,"rejected":[]}"#)
    );
}

#[tokio::test]
async fn a_wrong_member_of_the_envelope_is_named_by_its_pointer() {
    let gateway = gateway().await;
    let cases = [
        ("write_key", json!("no spaces"), "#/write_key"),
        ("write_key", json!(7), "#/write_key"),
        ("sent_at", json!("yesterday"), "#/sent_at"),
        ("visitor", json!("v".repeat(129)), "#/visitor"),
        ("consent", json!("perhaps"), "#/consent"),
        ("context", json!([]), "#/context"),
        ("events", json!({}), "#/events"),
    ];
    for (member, value, pointer) in cases {
        let answer = gateway.post(batch_with(member, value)).await;
        assert_problem(&answer, 400, "invalid_field");
        assert_eq!(answer.json()["pointer"], pointer);
    }
}

#[tokio::test]
async fn a_batch_of_500_is_taken_and_501_or_none_are_refused() {
    let gateway = gateway().await;
    let full = gateway.post(batch::of_page_views(500).to_string()).await;
    assert_eq!(
        (full.status, full.json()["accepted"].clone()),
        (202, json!(500))
    );
    assert_problem(
        &gateway.post(batch::of_page_views(501).to_string()).await,
        400,
        "batch_too_large",
    );
    assert_problem(
        &gateway.post(batch::of_page_views(0).to_string()).await,
        400,
        "batch_empty",
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_its_length_is_known_or_not() {
    let gateway = Gateway::start_with(Kafka::shared().await, &["--limits-body", "1KiB"]).await;
    assert_problem(&gateway.post("x".repeat(1025)).await, 413, "body_too_large");
    let pieces = (0..100).map(|_| Ok::<_, std::io::Error>("y".repeat(100)));
    let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    assert_problem(&gateway.post(chunked).await, 413, "body_too_large");
    assert_eq!(
        gateway
            .post(batch::of_page_views(1).to_string())
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn unknown_paths_methods_types_and_encodings_have_their_own_answers() {
    let gateway = gateway().await;
    let at = |path: &str| format!("{}{path}", gateway.url);
    assert_problem(
        &client::get(&at("/v2/events")).await.unwrap(),
        404,
        "not_found",
    );
    let wrong_method = client::get(&at("/v1/events")).await.unwrap();
    assert_problem(&wrong_method, 405, "method_not_allowed");
    assert!(wrong_method.header("allow").unwrap().contains("POST"));
    let body = batch::of_page_views(1).to_string();
    let typed = gateway
        .request(body.clone())
        .header("content-type", "application/xml");
    assert_problem(
        &Answer::to(typed).await.unwrap(),
        415,
        "unsupported_media_type",
    );
    let encoded = gateway
        .request(body.clone())
        .header("content-encoding", "rot13");
    let encoded = Answer::to(encoded).await.unwrap();
    assert_problem(&encoded, 415, "unsupported_encoding");
    assert!(encoded.header("accept-encoding").is_some());
    let beacon = gateway
        .request(body.clone())
        .header("content-type", "text/plain;charset=UTF-8");
    assert_eq!(Answer::to(beacon).await.unwrap().status, 202);
    let untyped = gateway.request(batch::of_page_views(1).to_string());
    assert_eq!(Answer::to(untyped).await.unwrap().status, 202);
}

#[tokio::test]
async fn pages_of_other_origins_can_send_without_and_read_every_answer() {
    let gateway = gateway().await;
    let url = format!("{}/v1/events", gateway.url);
    let client = reqwest::Client::new();
    let preflight = client
        .request(reqwest::Method::OPTIONS, &url)
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let preflight = Answer::to(preflight).await.unwrap();
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-origin"),
        Some("https://shop.example")
    );
    assert_eq!(preflight.header("access-control-max-age"), Some("7200"));
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        Some("POST")
    );
    let headers = preflight.header("access-control-allow-headers").unwrap();
    assert!(
        headers.contains("content-type") && headers.contains("content-encoding"),
        "{headers}"
    );
    assert!(
        preflight
            .header("vary")
            .unwrap()
            .to_ascii_lowercase()
            .contains("origin")
    );
    for (body, status) in [
        (batch::of_page_views(1).to_string(), 202),
        ("{".into(), 400),
    ] {
        let answer = Answer::to(
            gateway
                .request(body)
                .header("origin", "https://shop.example"),
        )
        .await
        .unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://shop.example")
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    let lost = client
        .get(format!("{}/nowhere", gateway.url))
        .header("origin", "https://shop.example");
    let lost = Answer::to(lost).await.unwrap();
    assert_eq!(
        (lost.status, lost.header("access-control-allow-origin")),
        (404, Some("https://shop.example"))
    );
}
