mod fixture;

use crate::{outgoing::Topic, testing::batch};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use fixture::{Fixture, chunked};
use serde_json::Value;

#[tokio::test]
async fn accepted_and_rejected_events_go_to_their_topics_and_are_counted() {
    let gateway = Fixture::new(&[]);
    let headers = [
        ("content-type", "text/plain;charset=UTF-8"),
        ("user-agent", "B/1"),
    ];
    let answer = gateway.post(batch(2, 1), &headers).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let json = answer.json();
    assert_eq!(
        (&json["accepted"], &json["dropped"]),
        (&2.into(), &Value::Null)
    );
    assert_eq!(json["rejected"][0]["index"], 2);
    assert_eq!(json["rejected"][0]["id"], Value::Null);
    assert_eq!(json["rejected"][0]["code"], "not_an_object");

    let taken = gateway.taken();
    let topics: Vec<_> = taken
        .iter()
        .map(|(topic, key, _)| (*topic, key.as_deref()))
        .collect();
    let event = (Topic::Events, Some("demo/v"));
    assert_eq!(topics, [event, event, (Topic::Rejected, Some("demo"))]);
    let record: Value = serde_json::from_str(&taken[0].2).unwrap();
    assert_eq!(
        record["client"],
        serde_json::json!({"ip": "203.0.113.0", "user_agent": "B/1"})
    );

    assert_eq!(gateway.metric("footfall_events_received_total ").await, 3);
    let series = "footfall_events_rejected_total{code=\"not_an_object\"} ";
    assert_eq!(gateway.metric(series).await, 1);
    let series = "footfall_requests_total{route=\"/v1/events\",status=\"202\",code=\"ok\"} ";
    assert_eq!(gateway.metric(series).await, 1);
}

#[tokio::test]
async fn a_wrong_envelope_is_refused_whole_with_its_pointer() {
    let gateway = Fixture::new(&[]);
    gateway
        .post("[]", &[])
        .await
        .is_problem(400, "malformed_body");
    let wrong = gateway
        .post(r#"{"write_key":"a","sent_at":"x"}"#, &[])
        .await;
    wrong.is_problem(400, "invalid_field");
    assert_eq!(wrong.json()["pointer"], "#/sent_at");
    gateway
        .post(batch(0, 0), &[])
        .await
        .is_problem(400, "batch_empty");
    gateway
        .post(batch(501, 0), &[])
        .await
        .is_problem(400, "batch_too_large");
    assert_eq!(gateway.metric("footfall_events_received_total ").await, 0);
    let series =
        "footfall_requests_total{route=\"/v1/events\",status=\"400\",code=\"batch_empty\"} ";
    assert_eq!(gateway.metric(series).await, 1);
}

#[tokio::test]
async fn a_context_over_the_limit_refuses_the_batch() {
    let body = |len: usize| {
        let context = format!(r#"{{"context":{{"a":"{}"}},"#, "x".repeat(len - 8));
        batch(1, 0).replacen('{', &context, 1)
    };
    for (flags, max) in [(&[][..], 16_384), (&["--limits-context", "100"], 100)] {
        let gateway = Fixture::new(flags);
        assert_eq!(
            gateway.post(body(max), &[]).await.status,
            StatusCode::ACCEPTED
        );
        let refused = gateway.post(body(max + 1), &[]).await;
        refused.is_problem(400, "invalid_field");
        assert_eq!(refused.json()["pointer"], "#/context");
        assert_eq!(gateway.taken().len(), 1);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_a_length() {
    let gateway = Fixture::new(&["--limits-body", "100"]);
    gateway
        .post(" ".repeat(101), &[])
        .await
        .is_problem(413, "body_too_large");
    gateway
        .post(chunked(11, 10), &[])
        .await
        .is_problem(413, "body_too_large");
    gateway
        .post(chunked(10, 10), &[])
        .await
        .is_problem(400, "malformed_body");
}

#[tokio::test]
async fn other_media_types_and_encodings_are_refused() {
    let gateway = Fixture::new(&[]);
    let answer = gateway
        .post(batch(1, 0), &[("content-type", "application/xml")])
        .await;
    answer.is_problem(415, "unsupported_media_type");
    let compressed: [&[_]; 3] = [
        &[("content-encoding", "rot13")],
        &[("content-encoding", "identity, gzip")],
        &[
            ("content-encoding", "identity"),
            ("content-encoding", "identity"),
        ],
    ];
    for headers in compressed {
        let answer = gateway.post(batch(1, 0), headers).await;
        answer.is_problem(415, "unsupported_encoding");
        let taken = Some("gzip, deflate, br, zstd, identity");
        assert_eq!(answer.header("accept-encoding"), taken);
    }
    let uri = "/v1/events?compression=gzip";
    let headers = [("content-type", "text/plain")];
    let answer = gateway
        .ask(Method::POST, uri, &headers, Body::from(batch(1, 0)))
        .await;
    // The query is a hint for what cannot say it in a header; the bytes decide.
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let headers = [
        ("content-encoding", "Identity"),
        ("content-type", "Application/JSON"),
    ];
    assert_eq!(
        gateway.post(batch(1, 0), &headers).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn where_nothing_can_be_taken_no_body_is_read() {
    let gateway = Fixture::with_room(1);
    gateway.post(batch(1, 0), &[]).await;
    let first = gateway.post(batch(1, 0), &[]).await;
    first.is_problem(503, "unavailable");
    // Nobody has looked at this one.
    let origin = [("origin", "https://a.example")];
    let early = gateway.post("{", &origin).await;
    early.is_problem(503, "unavailable");
    assert_eq!(early.header("retry-after"), Some("5"));
    let allowed = early.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://a.example"));
}

#[tokio::test]
async fn a_full_sink_takes_nothing_of_the_request() {
    let gateway = Fixture::with_room(2);
    let refused = gateway
        .post(batch(3, 0), &[("origin", "https://a.example")])
        .await;
    refused.is_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(
        refused.header("access-control-expose-headers"),
        Some("Retry-After")
    );
    assert!(gateway.taken().is_empty());
    assert_eq!(
        gateway.post(batch(1, 1), &[]).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn sites_decide_who_may_send() {
    let file = "[[sites]]\nwrite_key = 'demo'\norigins = ['https://shop.example']\n";
    let gateway = Fixture::with_sites(file);
    let origin = |origin| [("origin", origin)];
    let answer = gateway
        .post(batch(1, 0), &origin("https://shop.example"))
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(
        gateway.post(batch(1, 0), &[]).await.status,
        StatusCode::ACCEPTED
    );
    let answer = gateway
        .post(batch(1, 0), &origin("https://evil.example"))
        .await;
    answer.is_problem(403, "origin_not_allowed");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://evil.example")
    );
    gateway
        .post(batch(1, 0), &origin("null"))
        .await
        .is_problem(403, "origin_not_allowed");
    let other = batch(1, 0).replace("demo", "other");
    gateway
        .post(other, &[])
        .await
        .is_problem(401, "unknown_write_key");
    assert_eq!(gateway.taken().len(), 2);
}

#[tokio::test]
async fn no_means_no_unless_consent_was_granted() {
    let gateway = Fixture::new(&[]);
    for headers in [[("sec-gpc", "1")], [("dnt", "1")]] {
        let json = gateway.post(batch(2, 1), &headers).await.json();
        assert_eq!(
            (&json["accepted"], &json["dropped"]),
            (&0.into(), &2.into())
        );
    }
    let denied = batch(1, 0).replacen('{', r#"{"consent":"denied","#, 1);
    assert_eq!(gateway.post(denied, &[]).await.json()["dropped"], 1);
    assert!(gateway.taken().is_empty());
    let series = "footfall_events_dropped_total{reason=\"privacy\"} ";
    assert_eq!(gateway.metric(series).await, 5);
    assert_eq!(gateway.metric("footfall_events_received_total ").await, 7);
    let granted = batch(1, 0).replacen('{', r#"{"consent":"granted","#, 1);
    assert_eq!(
        gateway.post(granted, &[("sec-gpc", "1")]).await.json()["accepted"],
        1
    );
}

#[tokio::test]
async fn anonymised_events_have_no_key_and_no_address() {
    let gateway = Fixture::new(&["--privacy-policy", "anonymise"]);
    let json = gateway.post(batch(1, 0), &[("dnt", "1")]).await.json();
    assert_eq!(
        (&json["accepted"], &json["dropped"]),
        (&1.into(), &Value::Null)
    );
    let (_, key, value) = gateway.taken().remove(0);
    let record: Value = serde_json::from_str(&value).unwrap();
    assert_eq!(
        (key, &record["visitor"], &record["client"]),
        (None, &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn every_answer_can_be_read_by_the_page_that_asked() {
    let gateway = Fixture::new(&[]);
    let origin = [("origin", "https://shop.example")];
    for (method, uri, status) in [
        (Method::POST, "/v1/events", 400),
        (Method::DELETE, "/v1/events", 405),
        (Method::GET, "/nothing", 404),
        (Method::GET, "/livez", 200),
        (Method::OPTIONS, "/v1/events", 204),
    ] {
        let answer = gateway.ask(method, uri, &origin, Body::empty()).await;
        assert_eq!(answer.status.as_u16(), status, "{uri}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://shop.example")
        );
        let varies = answer.header("vary").unwrap();
        assert!(varies.split(", ").any(|name| name == "Origin"), "{varies}");
    }
    let answer = gateway.get("/nothing").await;
    answer.is_problem(404, "not_found");
    assert_eq!(
        (
            answer.header("vary"),
            answer.header("access-control-allow-origin")
        ),
        (Some("Origin"), None)
    );
}

#[tokio::test]
async fn a_preflight_is_allowed_every_header_it_asks_for_and_remembered_for_two_hours() {
    let gateway = Fixture::new(&[]);
    for (uri, method, methods) in [
        ("/v1/events", "POST", "POST"),
        ("/v1/pixel.gif", "GET", "GET, HEAD"),
        ("/sdk/core-a128f3f7.js", "GET", "GET, HEAD"),
        ("/.well-known/footfall.json", "GET", "GET, HEAD"),
    ] {
        let headers = [
            ("origin", "https://a.example"),
            ("access-control-request-method", method),
            (
                "access-control-request-headers",
                "baggage, sentry-trace, X-Datadog-Trace-Id",
            ),
            ("access-control-request-headers", "x-of-another-line"),
        ];
        let answer = gateway
            .ask(Method::OPTIONS, uri, &headers, Body::empty())
            .await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{uri}");
        assert_eq!(answer.header("access-control-max-age"), Some("7200"));
        let allowed_methods = answer.header("access-control-allow-methods");
        assert_eq!(allowed_methods, Some(methods), "{uri}");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some(
                "content-type, content-encoding, traceparent, \
                 baggage, sentry-trace, X-Datadog-Trace-Id, x-of-another-line"
            )
        );
        let varies = answer.header("vary");
        assert_eq!(varies, Some("Origin, Access-Control-Request-Headers"));
    }
}

#[tokio::test]
async fn who_asks_for_a_head_counts_nothing() {
    let gateway = Fixture::with_sites("[[sites]]\nwrite_key = \"demo\"\nrate = 1\nburst = 500\n");
    for uri in [
        "/v1/pixel.gif?k=demo&u=https%3A%2F%2Fa.example%2F",
        "/v1/pixel.gif?k=nobody",
        "/v1/events",
        "/privacy",
        "/livez",
        "/nothing",
    ] {
        for _ in 0..600 {
            let answer = gateway.ask(Method::HEAD, uri, &[], Body::empty()).await;
            assert_eq!(answer.body, "");
        }
    }
    assert!(gateway.taken().is_empty());
    let page = gateway.get("/metrics").await.body;
    let counted = page
        .lines()
        .filter(|line| line.contains("_total") && !line.ends_with(" 0"));
    assert_eq!(counted.collect::<Vec<_>>(), [""; 0]);
    let pixel = "/v1/pixel.gif?k=demo&u=https%3A%2F%2Fa.example%2F";
    gateway.get(pixel).await;
    assert_eq!(gateway.taken().len(), 1);
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let gateway = Fixture::new(&[]);
    let answer = gateway.get("/v1/events").await;
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST,OPTIONS"));
}

#[tokio::test]
async fn readiness_says_why_and_draining_closes_connections() {
    let gateway = Fixture::new(&[]);
    let ready = gateway.get("/readyz").await;
    assert_eq!(
        ready.body,
        r#"{"ready":true,"kafka":"down","spill":"off","reason":"no broker answers"}"#
    );
    assert_eq!(
        (ready.status, ready.header("connection")),
        (StatusCode::OK, None)
    );

    gateway.gateway.drain();
    let draining = gateway.get("/readyz").await;
    assert_eq!(draining.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(draining.json()["reason"], "the gateway is stopping");
    let answer = gateway.post(batch(1, 0), &[]).await;
    assert_eq!(
        (answer.status, answer.header("connection")),
        (StatusCode::ACCEPTED, Some("close"))
    );
    assert_eq!(gateway.get("/livez").await.status, StatusCode::OK);
}
