use super::*;
use crate::config::PROGRAM;
use footfall_service::config::{Inputs, load};
use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};
use std::net::TcpListener;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

const EVENT: &str = r#"{"write_key":"demo","sent_at":1764000000123,"events":[
    {"id":"0199d0a4-0000-7000-8000-0000000000aa","time":1764000000001,"type":"page_view"}]}"#;

struct Gateway {
    listen: String,
    admin: String,
    stop: CancellationToken,
    ended: JoinHandle<anyhow::Result<()>>,
}

impl Gateway {
    async fn start(brokers: &str, arguments: &[&str]) -> Self {
        let [listen, admin] = [(); 2].map(|()| free_address());
        let mut all = vec!["footfall-gateway", "--kafka-brokers", brokers];
        all.extend([
            "--listen",
            &listen,
            "--admin",
            &admin,
            "--kafka-topic",
            "events",
        ]);
        all.extend(arguments);
        let inputs = Inputs {
            arguments: all.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
        };
        let config = Config::read(&load(&PROGRAM, inputs).unwrap().document).unwrap();
        let signals = Signals::listen().unwrap();
        let stop = signals.stop.clone();
        let ended = tokio::spawn(run(config, signals));
        while TcpStream::connect(&listen).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
        Self {
            listen,
            admin,
            stop,
            ended,
        }
    }

    async fn post(&self, body: &str) -> String {
        let request = format!(
            "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        ask(&self.listen, &request).await
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await
}

/// Sends a request and reads the answer; the connection stays open.
async fn ask(address: &str, request: &str) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    while !is_whole(&answer) {
        let mut bytes = [0; 4096];
        let read = connection.read(&mut bytes).await.unwrap();
        assert!(read > 0, "the connection was closed after `{answer}`");
        answer += std::str::from_utf8(&bytes[..read]).unwrap();
    }
    answer
}

fn is_whole(answer: &str) -> bool {
    answer.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        let len = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        body.len() >= len.unwrap().parse().unwrap()
    })
}

#[tokio::test]
async fn a_gateway_drains_and_ends_well_when_kafka_has_everything() {
    let cluster: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).unwrap();
    cluster.create_topic("events", 1, 1).unwrap();
    let arguments = ["--drain-delay", "300ms", "--drain-timeout", "20s"];
    let gateway = Gateway::start(&cluster.bootstrap_servers(), &arguments).await;
    assert!(gateway.post(EVENT).await.starts_with("HTTP/1.1 202 "));
    assert!(
        get(&gateway.listen, "/metrics")
            .await
            .starts_with("HTTP/1.1 404 ")
    );

    gateway.stop.cancel();
    while !get(&gateway.listen, "/readyz")
        .await
        .starts_with("HTTP/1.1 503 ")
    {
        sleep(Duration::from_millis(5)).await;
    }
    let last = gateway.post(EVENT).await;
    assert!(
        last.starts_with("HTTP/1.1 202 ") && last.contains("connection: close"),
        "{last}"
    );
    gateway.ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(&gateway.listen).await.is_err());
    let page = get(&gateway.admin, "/metrics").await;
    assert!(page.contains("footfall_events_produced_total 2"), "{page}");
}

#[tokio::test]
async fn a_gateway_without_a_broker_takes_events_and_ends_badly_when_it_loses_them() {
    let arguments = ["--drain-delay", "0ms", "--drain-timeout", "100ms"];
    let gateway = Gateway::start("127.0.0.1:1", &arguments).await;
    assert!(gateway.post(EVENT).await.starts_with("HTTP/1.1 202 "));
    let ready = get(&gateway.admin, "/readyz").await;
    assert!(
        ready.starts_with("HTTP/1.1 200 ") && ready.contains(r#""kafka":"down""#),
        "{ready}"
    );

    gateway.stop.cancel();
    let error = gateway.ended.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 event(s) were lost: kafka did not take them within `drain.timeout`"
    );
    let page = get(&gateway.admin, "/metrics").await;
    assert!(
        page.contains("footfall_events_dropped_total{reason=\"shutdown\"} 1"),
        "{page}"
    );
}
