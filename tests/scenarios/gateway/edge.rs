//! Connections: what is no clear request yields no second one, who is slow is told, and how clients are sent elsewhere.

use crate::pipeline::batch;
use footfall_tests::{
    client::{self, Answer},
    gateway::Gateway,
    kafka::Kafka,
    wire::Wire,
};
use nix::sys::signal::Signal;

fn post(fields: &str, body: &str) -> String {
    format!("POST /v1/events HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n{body}")
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

#[tokio::test]
async fn no_smuggled_request_is_ever_answered() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let second = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let batch = batch::of_page_views(1).to_string();
    let len = batch.len();
    let chunked = format!("{len:x}\r\n{batch}\r\n0\r\n\r\n");
    for (name, request) in [
        (
            "length and chunks",
            post(
                &format!("content-length: {len}\r\ntransfer-encoding: chunked"),
                &chunked,
            ),
        ),
        (
            "chunks and length",
            post("transfer-encoding: chunked\r\ncontent-length: 4", &chunked),
        ),
        (
            "two lengths",
            post(
                &format!("content-length: {len}\r\ncontent-length: 0"),
                &batch,
            ),
        ),
        (
            "a length twice",
            post(
                &format!("content-length: {len}\r\ncontent-length: {len}"),
                &batch,
            ),
        ),
        (
            "a list of lengths",
            post(&format!("content-length: {len}, {len}"), &batch),
        ),
        (
            "a signed length",
            post(&format!("content-length: +{len}"), &batch),
        ),
        (
            "bare line feeds",
            format!("POST /v1/events HTTP/1.1\nhost: x\ncontent-length: {len}\n\n{batch}"),
        ),
        (
            "one bare line feed",
            post(&format!("x: y\ncontent-length: {len}"), &batch),
        ),
        (
            "a folded line",
            post(&format!("x: y\r\n z\r\ncontent-length: {len}"), &batch),
        ),
        (
            "a folded length",
            post(&format!("content-length:\r\n {len}"), &batch),
        ),
        (
            "a space before the colon",
            post(&format!("content-length : {len}"), &batch),
        ),
        (
            "hidden chunks",
            post("transfer-encoding: \u{b}chunked", &chunked),
        ),
        (
            "two codings",
            post(
                "transfer-encoding: chunked\r\ntransfer-encoding: identity",
                &chunked,
            ),
        ),
        (
            "chunks of HTTP/1.0",
            post("transfer-encoding: chunked", &chunked).replace("1.1", "1.0"),
        ),
        (
            "a chunk with a bare line feed",
            post("transfer-encoding: chunked", &chunked.replace("\r\n", "\n")),
        ),
        (
            "a chunk size that is none",
            post("transfer-encoding: chunked", &format!("0x{chunked}")),
        ),
    ] {
        let said = Wire::ask_once(&gateway.url, format!("{request}{second}")).await;
        assert_eq!(answers(&said), 1, "{name}: {said}");
        assert!(said.starts_with("HTTP/1.1 400 "), "{name}: {said}");
    }
    let right = post(&format!("content-length: {len}"), &batch);
    let mut wire = Wire::to(&gateway.url).await;
    wire.send(&right).await.unwrap();
    assert!(wire.answer().await.starts_with("HTTP/1.1 202 "));
    wire.send(&right).await.unwrap();
    assert!(wire.answer().await.starts_with("HTTP/1.1 202 "));
    wire.send(post("transfer-encoding: chunked", &chunked))
        .await
        .unwrap();
    assert!(wire.answer().await.starts_with("HTTP/1.1 202 "));
    assert_eq!(
        gateway
            .metrics()
            .await
            .sum("footfall_events_received_total"),
        3.0
    );
}

#[tokio::test]
async fn slow_and_oversized_heads_and_slow_bodies_are_told_and_closed() {
    let flags = [
        "--limits-header-timeout",
        "300ms",
        "--limits-body-timeout",
        "300ms",
        "--limits-idle-timeout",
        "1s",
        "--limits-headers",
        "2KiB",
    ];
    let gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
    let slow = Wire::ask_once(&gateway.url, "POST /v1/events HTTP/1.1\r\nhos").await;
    assert!(
        slow.starts_with("HTTP/1.1 408 ") && slow.contains(r#""code":"request_timeout""#),
        "{slow}"
    );
    let body = Wire::ask_once(
        &gateway.url,
        post("content-length: 9\r\norigin: https://a.example", "{"),
    )
    .await;
    assert!(body.starts_with("HTTP/1.1 408 "), "{body}");
    assert!(
        body.contains("access-control-allow-origin: https://a.example"),
        "{body}"
    );
    let large = Wire::ask_once(&gateway.url, post(&format!("x: {}", "y".repeat(2048)), "")).await;
    assert!(
        large.starts_with("HTTP/1.1 431 ") && large.contains(r#""code":"headers_too_large""#),
        "{large}"
    );
    let many = Wire::ask_once(&gateway.url, post(&"a: b\r\n".repeat(101), "")).await;
    assert!(many.starts_with("HTTP/1.1 431 "), "{many}");
    let quiet = Wire::ask_once(&gateway.url, "").await;
    assert_eq!(quiet, "");
    assert_eq!(
        gateway
            .post(batch::of_page_views(1).to_string())
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn connections_beyond_the_cap_are_turned_away_and_those_within_are_not() {
    let gateway = Gateway::start_with(Kafka::shared().await, &["--limits-connections", "3"]).await;
    let mut first = Wire::to(&gateway.url).await;
    first
        .send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(first.answer().await.starts_with("HTTP/1.1 200 "));
    let mut others = Vec::new();
    let turned = footfall_tests::wait::until("a connection to be turned away", async || {
        let mut wire = Wire::to(&gateway.url).await;
        let asked = wire.send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await;
        asked.map_err(|error| error.to_string())?;
        let said = wire.answer().await;
        if said.starts_with("HTTP/1.1 503 ") {
            return Ok(said);
        }
        others.push(wire);
        Err(said)
    });
    let turned = turned.await;
    assert!(
        turned.contains("retry-after: ") && turned.contains(r#""code":"unavailable""#),
        "{turned}"
    );
    assert!(others.len() <= 2);
    first
        .send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(first.answer().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn http_2_is_spoken_by_prior_knowledge() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    for _ in 0..3 {
        let request = client
            .post(format!("{}/v1/events", gateway.url))
            .body(batch::of_page_views(1).to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        assert_eq!(answer.status(), 202);
    }
}

/// A body whose second half comes when it is sent.
fn in_halves(body: &str) -> (tokio::sync::oneshot::Sender<()>, reqwest::Body) {
    let (first, second) = body.split_at(body.len() / 2);
    let (go_on, told) = tokio::sync::oneshot::channel::<()>();
    let second = second.to_owned();
    let second = futures_util::stream::once(async move {
        told.await.unwrap();
        Ok(second)
    });
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(first.to_owned())]);
    let halves = futures_util::StreamExt::chain(first, second);
    (go_on, reqwest::Body::wrap_stream(halves))
}

#[tokio::test]
async fn a_head_of_http_2_that_is_too_long_is_refused_alone() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let url = format!("{}/v1/events", gateway.url);
    let (go_on, body) = in_halves(&batch::of_page_views(1).to_string());
    let other = tokio::spawn(client.post(&url).body(body).send());
    footfall_tests::wait::until("the other request to begin", async || {
        let open = gateway.metrics().await.sum("footfall_connections");
        // Its own, and that of this question.
        (open >= 2.0).then_some(()).ok_or(open.to_string())
    })
    .await;
    for (fields, len) in [
        (1, 20 << 10),
        (1, 64 << 10),
        (64, 1 << 10),
        (4, 16 << 10),
        (1000, 64),
    ] {
        let mut request = client.post(&url).header("origin", "https://a.example");
        for field in 0..fields {
            request = request.header(format!("x-{field}"), "v".repeat(len));
        }
        let body = batch::of_page_views(1).to_string();
        let refused = Answer::to(request.body(body)).await.unwrap();
        assert_eq!(refused.status, 431, "{fields} of {len}: {refused:?}");
        assert_eq!(refused.json()["code"], "headers_too_large");
        let allowed = refused.header("access-control-allow-origin");
        assert_eq!(allowed, Some("https://a.example"));
    }
    go_on.send(()).unwrap();
    assert_eq!(other.await.unwrap().unwrap().status(), 202);
}

#[tokio::test]
async fn a_gateway_that_drains_still_answers_and_sends_its_clients_elsewhere() {
    let gateway = Gateway::start_with(Kafka::shared().await, &["--drain-delay", "2s"]).await;
    let mut kept = Wire::to(&gateway.url).await;
    kept.send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(!kept.answer().await.contains("connection: close"));
    let batch = batch::of_page_views(1).to_string();
    let request = post(&format!("content-length: {}", batch.len()), &batch);
    let (begun, rest) = request.split_at(request.len() - 1);
    let mut half = Wire::to(&gateway.url).await;
    half.send(begun).await.unwrap();
    let http_2 = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let livez = format!("{}/livez", gateway.url);
    assert_eq!(http_2.get(&livez).send().await.unwrap().status(), 200);

    gateway.program.signal(Signal::SIGTERM);
    let readyz = format!("{}/readyz", gateway.url);
    footfall_tests::wait::until("readyz to say 503", async || {
        match client::get(&readyz).await {
            Ok(answer) if answer.status == 503 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    gateway.program.signal(Signal::SIGTERM);
    kept.send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let last = kept.to_the_end().await;
    assert!(
        last.starts_with("HTTP/1.1 200 ") && last.contains("connection: close"),
        "{last}"
    );
    // GOAWAY closes the old connection; the listener is open for a new one.
    assert_eq!(http_2.get(&livez).send().await.unwrap().status(), 200);
    let mut program = gateway.program;
    half.send(rest).await.unwrap();
    let said = half.to_the_end().await;
    assert!(said.starts_with("HTTP/1.1 202 "), "{said}");
    assert!(program.exit().await.success());
}

#[tokio::test]
async fn a_request_under_way_at_the_end_of_the_delay_is_finished() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let batch = batch::of_page_views(1).to_string();
    let request = post(&format!("content-length: {}", batch.len()), &batch);
    let (begun, rest) = request.split_at(request.len() - 1);
    let mut half = Wire::to(&gateway.url).await;
    half.send(begun).await.unwrap();
    // An answer on another connection says that the gateway has had the time to read that one.
    assert_eq!(
        client::get(&format!("{}/livez", gateway.url))
            .await
            .unwrap()
            .status,
        200
    );
    let mut program = gateway.program;
    program.signal(Signal::SIGTERM);
    let address = gateway.url.clone();
    footfall_tests::wait::until("the listener to close", async || {
        match client::get(&format!("{address}/livez")).await {
            Err(_refused) => Ok(()),
            Ok(answer) => Err(format!("{answer:?}")),
        }
    })
    .await;
    half.send(rest).await.unwrap();
    assert!(half.to_the_end().await.starts_with("HTTP/1.1 202 "));
    assert!(program.exit().await.success());
}

#[tokio::test]
async fn with_the_proxy_protocol_the_balancer_names_the_visitor_and_nobody_else_may_connect() {
    let kafka = Kafka::shared().await;
    let flags = [
        "--proxy-protocol",
        "true",
        "--trusted-proxies",
        "127.0.0.1",
        "--ip",
        "full",
        "--drain-delay",
        "0s",
        "--topics-create",
        "true",
    ];
    let gateway = Gateway::launch(&kafka.brokers, &flags);
    let batch = batch::of_page_views(1).to_string();
    let request = post(
        &format!("content-length: {}\r\nconnection: close", batch.len()),
        &batch,
    );
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    second.extend([203, 0, 113, 10, 10, 0, 0, 1, 0x11, 0x5c, 0, 80]);
    let said = footfall_tests::wait::until("the gateway to answer", async || {
        let mut wire = match tokio::net::TcpStream::connect(&gateway.url[7..]).await {
            Ok(_) => Wire::to(&gateway.url).await,
            Err(error) => return Err(error.to_string()),
        };
        wire.send(format!(
            "PROXY TCP4 203.0.113.9 10.0.0.1 4444 80\r\n{request}"
        ))
        .await
        .unwrap();
        Ok(wire.to_the_end().await)
    })
    .await;
    assert!(said.starts_with("HTTP/1.1 202 "), "{said}");
    second.extend(request.bytes());
    let said = Wire::ask_once(&gateway.url, second).await;
    assert!(said.starts_with("HTTP/1.1 202 "), "{said}");
    assert_eq!(Wire::ask_once(&gateway.url, &request).await, "");
    let records = kafka.records(&gateway.topic, 2).await;
    let mut addresses: Vec<_> = records
        .iter()
        .map(|record| record.json()["client"]["ip"].to_string())
        .collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["\"203.0.113.10\"", "\"203.0.113.9\""]);
}
