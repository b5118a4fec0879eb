//! Spans of requests, as a collector receives them.

use crate::pipeline::batch;
use footfall_tests::{
    client::{self, Answer},
    collector::{Collector, Span},
    gateway::Gateway,
    kafka::Kafka,
    port, wait,
};
use nix::sys::signal::Signal;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

async fn until_taken(collector: &Collector, count: usize) -> Vec<Span> {
    wait::until(&format!("{count} spans"), async || {
        let spans = collector.spans();
        if spans.len() >= count {
            Ok(spans)
        } else {
            Err(format!("{spans:?}"))
        }
    })
    .await
}

async fn post_within(gateway: &Gateway, trace: &str, flags: &str, body: String) -> Answer {
    let parent = format!("00-{trace}-{PARENT}-{flags}");
    let request = gateway.request(body).header("traceparent", parent);
    Answer::to(request).await.unwrap()
}

#[tokio::test]
async fn a_request_within_a_trace_has_a_span_below_its_parent() {
    let kafka = Kafka::shared().await;
    let collector = Collector::start().await;
    let flags = ["--otlp-endpoint", &collector.url, "--otlp-sample", "0"];
    let gateway = Gateway::start_with(kafka, &flags).await;
    // Neither is sampled: one says so, and of those without a parent none is.
    let other = TRACE.replace('4', "5");
    let page_views = |count| batch::of_page_views(count).to_string();
    assert_eq!(
        post_within(&gateway, &other, "00", page_views(1))
            .await
            .status,
        202
    );
    assert_eq!(gateway.post(page_views(1)).await.status, 202);
    assert_eq!(
        post_within(&gateway, TRACE, "01", page_views(3))
            .await
            .status,
        202
    );
    assert_eq!(
        post_within(&gateway, TRACE, "01", "{".into()).await.status,
        400
    );

    let spans = until_taken(&collector, 2).await;
    assert_eq!(spans.len(), 2, "a span a request, not an event: {spans:?}");
    for (span, (status, code)) in spans.iter().zip([("202", "ok"), ("400", "malformed_body")]) {
        assert_eq!((&*span.trace, &*span.parent), (TRACE, PARENT));
        assert_eq!(
            (&*span.service, &*span.name),
            ("footfall-gateway", "POST /v1/events")
        );
        let expected = [
            ("footfall.code", code),
            ("http.request.method", "POST"),
            ("http.response.status_code", status),
            ("http.route", "/v1/events"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(span.attributes, expected.into(), "nothing of the visitor");
    }
    let records = kafka.records(&gateway.topic, 5).await;
    let carried = format!("00-{TRACE}-{PARENT}-01");
    let of_trace = records
        .iter()
        .filter(|record| record.header("traceparent") == Some(&carried));
    assert_eq!(of_trace.count(), 3);
}

#[tokio::test]
async fn requests_without_a_parent_are_sampled_and_the_last_spans_are_sent_at_the_end() {
    let collector = Collector::start().await;
    let flags = ["--otlp-endpoint", &collector.url, "--otlp-sample", "1"];
    let mut gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
    let pixel = format!("{}/v1/pixel.gif?k=demo", gateway.url);
    assert_eq!(client::get(&pixel).await.unwrap().status, 200);
    client::get(&format!("{}/metrics", gateway.url))
        .await
        .unwrap();
    gateway.program.signal(Signal::SIGTERM);
    assert_eq!(gateway.program.exit().await.code(), Some(0));
    let spans = until_taken(&collector, 1).await;
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["GET /v1/pixel.gif"], "none for those that watch it");
    assert_eq!(spans[0].parent, "");
}

#[tokio::test]
async fn a_collector_that_is_away_or_silent_disturbs_no_answer_and_no_end() {
    let kafka = Kafka::shared().await;
    let away = format!("http://{}", port::free_address());
    // It takes connections, and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for url in [away, silent] {
        let flags = ["--otlp-endpoint", &url, "--otlp-sample", "1"];
        let mut gateway = Gateway::start_with(kafka, &flags).await;
        // More than there is room for among the spans that wait.
        for _ in 0..5000 {
            let answer = client::get(&format!("{}/.well-known/gpc.json", gateway.url)).await;
            assert_eq!(answer.unwrap().status, 200);
        }
        let taken = gateway.post(batch::of_page_views(1).to_string()).await;
        assert_eq!(taken.status, 202);
        gateway.program.signal(Signal::SIGTERM);
        assert_eq!(gateway.program.exit().await.code(), Some(0));
        let said = gateway.program.stderr();
        let told = said.matches("the collector does not take spans").count();
        assert!(told <= 1, "{said}");
        assert_eq!(kafka.records(&gateway.topic, 1).await.len(), 1);
    }
}

#[tokio::test]
async fn an_endpoint_that_is_no_http_address_is_a_wrong_configuration() {
    let flags = ["--otlp-endpoint", "https://collector:4318"];
    let mut gateway = Gateway::launch(&port::free_address(), &flags);
    assert_eq!(gateway.program.exit().await.code(), Some(2));
    let said = gateway.program.stderr();
    let expected = "otlp.endpoint: expected an address such as `http://127.0.0.1:4318`, found `https://collector:4318`";
    assert!(said.contains(expected), "{said}");
}
