//! The whole processor against librdkafka's in-process broker: records in, results on the topic and
//! over HTTP.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "mock_broker/scene.rs"]
mod scene;

use scene::{Broker, STREAMS, line};

#[tokio::test(flavor = "multi_thread")]
async fn records_become_results_on_the_topic_and_over_http() {
    let broker = Broker::new();
    let running = broker.start(STREAMS).await;
    let mut live = running.connect("GET", "/v1/streams/visits/live").await;
    line(&mut live, "content-type: text/event-stream").await;
    broker.produce(&[
        (
            Some("ann"),
            r#"{"type":"page_view","page":{"url":"/cart"},"amount":0.1}"#,
            61_000,
        ),
        (
            Some("ann"),
            r#"{"type":"page_view","page":{"url":"/cart"},"amount":0.2}"#,
            62_000,
        ),
        (
            Some("bob"),
            r#"{"type":"page_view","page":{"url":"/"}}"#,
            63_000,
        ),
        (
            Some("bob"),
            r#"{"type":"click","page":{"url":"/"}}"#,
            64_000,
        ),
        (None, r#"{"type":"click","page":{"url":"/"}}"#, 64_000),
    ]);
    let visits = [
        r#"{"key":"ann","start":55000,"end":65000} {"key":"ann","start":55000,"end":65000,"count":2,"final":false} 62000"#,
        r#"{"key":"ann","start":60000,"end":70000} {"key":"ann","start":60000,"end":70000,"count":2,"final":false} 62000"#,
        r#"{"key":"bob","start":55000,"end":65000} {"key":"bob","start":55000,"end":65000,"count":2,"final":false} 64000"#,
        r#"{"key":"bob","start":60000,"end":70000} {"key":"bob","start":60000,"end":70000,"count":2,"final":false} 64000"#,
    ];
    assert_eq!(broker.records("visits", 4).await, visits);
    let pages = [
        r#"{"key":"/cart","start":60000,"end":120000} {"key":"/cart","start":60000,"end":120000,"views":2,"amount":0.3,"final":false} 62000"#,
        r#"{"key":"/","start":60000,"end":120000} {"key":"/","start":60000,"end":120000,"views":1,"amount":0,"final":false} 63000"#,
    ];
    assert_eq!(broker.records("pages", 2).await, pages);
    assert_eq!(
        broker.records("events.dlq", 1).await,
        [r#"none {"type":"click","page":{"url":"/"}} 64000 null_key"#]
    );
    line(&mut live, "event: window").await;
    let first = r#"data: {"key":"ann","start":55000,"end":65000,"count":2,"final":false}"#;
    assert_eq!(line(&mut live, "data: ").await, first);

    let cart = r#"{"key":"/cart","start":60000,"end":120000,"views":2,"amount":0.3,"final":false}"#;
    let root = r#"{"key":"/","start":60000,"end":120000,"views":1,"amount":0,"final":false}"#;
    for (question, windows) in [
        ("", format!("{root},{cart}")),
        ("?key=%2Fcart", cart.to_owned()),
        ("?key_base64=Lw%3D%3D", root.to_owned()),
        ("?top=1", cart.to_owned()),
        ("?limit=1", root.to_owned()),
        ("?from=60000&to=60001", format!("{root},{cart}")),
        ("?from=60001", String::new()),
        ("?to=60000", String::new()),
        ("?from=9&to=3", String::new()),
    ] {
        let expected = format!(r#"{{"stream":"pages","stale_ms":0,"windows":[{windows}]}}"#);
        let body = running
            .body(&format!("/v1/streams/pages/windows{question}"))
            .await;
        assert_eq!(body, expected, "{question}");
    }
    // The open connection of `live` does not hold it up.
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_go_on_after_a_restart() {
    let broker = Broker::new();
    let record = (Some("ann"), r#"{"type":"click"}"#, 64_000);
    broker.produce(&[record, record]);
    let first = broker.start(STREAMS).await;
    broker.records("visits", 2).await;
    first.end().await;
    broker.produce(&[record]);
    let second = broker.start(STREAMS).await;
    let last = broker.records("visits", 4).await.pop().unwrap();
    assert!(last.contains(r#""count":3"#), "{last}");
    second.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_closes_windows_and_a_record_that_comes_twice_counts_once() {
    let broker = Broker::new();
    let running = broker
        .start(
            r#"
            [streams.visits]
            from = "events"
            dedupe = { by = "/id", within = "1h" }
            window = { size = "10s", grace = "1h" }
            aggregate = { count = "count()", who = "distinct(/user)", slowest = "quantile(/ms, 1)", last = "last(/ms)", top = "top(/user, 1)" }
            emit = "both"
            idle_timeout = "2s"
            to = "visits"
            "#,
        )
        .await;
    let record = (Some("ann"), r#"{"id":"e1","user":"u1","ms":31}"#, 64_000);
    let other = (Some("ann"), r#"{"id":"e2","user":"u2","ms":12}"#, 63_000);
    broker.produce(&[record, record, other]);
    let mut results = broker.records("visits", 2).await;
    while !results.last().unwrap().contains("final\":true") {
        results = broker.records("visits", results.len() + 1).await;
    }
    let last = r#"{"key":"ann","start":60000,"end":70000} {"key":"ann","start":60000,"end":70000,"count":2,"who":2,"slowest":31,"last":31,"top":[{"value":"u1","count":1}],"final":true,"closed_by":"idle"} 64000"#;
    assert_eq!(results.pop().unwrap(), last);
    broker.produce(&[(Some("ann"), r#"{"id":"e3"}"#, 65_000)]);
    let late = r#"ann {"id":"e3"} 65000 visits"#;
    assert_eq!(broker.records("visits.late", 1).await, [late]);
    let metrics = running.body("/metrics").await;
    let duplicates = r#"footfall_duplicates_total{stream="visits",topic="events",partition="0"} 1"#;
    assert!(metrics.contains(duplicates), "{metrics}");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_make_no_sense_get_a_problem() {
    let running = Broker::new().start(STREAMS).await;
    for (method, path, status, code) in [
        ("GET", "/v1/streams/nothing/windows", 404, "unknown_stream"),
        ("GET", "/v1/streams/nothing/live", 404, "unknown_stream"),
        ("GET", "/v1/streams/visits/tail", 404, "tail_disabled"),
        (
            "GET",
            "/v1/streams/visits/windows?from=now",
            400,
            "invalid_parameter",
        ),
        (
            "GET",
            "/v1/streams/visits/windows?to=1.5",
            400,
            "invalid_parameter",
        ),
        (
            "GET",
            "/v1/streams/visits/windows?top=0",
            400,
            "invalid_parameter",
        ),
        (
            "GET",
            "/v1/streams/visits/windows?limit=-1",
            400,
            "invalid_parameter",
        ),
        (
            "GET",
            "/v1/streams/visits/windows?key_base64=%",
            400,
            "invalid_parameter",
        ),
        (
            "GET",
            "/v1/streams/visits/windows?key=a&key=b",
            400,
            "invalid_parameter",
        ),
        (
            "GET",
            "/v1/streams/visits/windows?size=1",
            400,
            "invalid_parameter",
        ),
        ("GET", "/v1/streams/visits", 404, "not_found"),
        ("GET", "/v2", 404, "not_found"),
        ("POST", "/v1/streams", 405, "method_not_allowed"),
    ] {
        let answer = running.ask(method, path).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
        assert!(
            answer.contains("content-type: application/problem+json"),
            "{path}: {answer}"
        );
        assert!(
            answer.contains(&format!(r#""code":"{code}""#)),
            "{path}: {answer}"
        );
        assert!(
            answer.contains("access-control-allow-origin: https://dashboard.example"),
            "{path}"
        );
    }
    let preflight = running.ask("OPTIONS", "/v1/streams").await;
    assert!(preflight.starts_with("HTTP/1.1 204 "), "{preflight}");
    assert!(
        preflight.contains("access-control-max-age: 7200"),
        "{preflight}"
    );
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_listed_and_a_tail_shows_records_before_where() {
    let broker = Broker::new();
    broker.produce(&[(Some("ann"), r#"{"type":"click"}"#, 64_000)]);
    let running = broker.start(&format!("tail = true\n{STREAMS}")).await;
    let expected = r#"{"streams":[{"name":"visits","from":"events","to":"visits","window":{"size_ms":10000,"advance_ms":5000,"grace_ms":1000},"aggregates":[{"name":"count","function":"count()"}],"emit":"updates"},{"name":"pages","from":"events","to":"pages","window":{"size_ms":60000,"advance_ms":60000,"grace_ms":1000},"aggregates":[{"name":"views","function":"count()"},{"name":"amount","function":"sum(/amount)"}],"emit":"updates"}]}"#;
    assert_eq!(running.body("/v1/streams").await, expected);
    let mut tail = running.connect("GET", "/v1/streams/pages/tail").await;
    let first = r#"data: {"topic":"events","partition":0,"offset":0,"timestamp":64000,"key":"ann","value":{"type":"click"}}"#;
    assert_eq!(line(&mut tail, "data: ").await, first);
    running.end().await;
}
