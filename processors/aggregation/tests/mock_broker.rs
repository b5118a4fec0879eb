//! The whole processor against librdkafka's in-process broker: records in, results on the topic and
//! over HTTP.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use footfall_aggregation::{PROGRAM, config, serve};
use footfall_service::{
    config::{Inputs, load},
    shutdown::Signals,
};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::Headers as _,
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _},
};
use std::{ffi::OsString, fs, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(30);

const STREAMS: &str = r#"
origins = ["https://dashboard.example"]
[streams.visits]
from = "events"
window = { size = "10s", advance = "5s", grace = "1s" }
to = "visits"
[streams.pages]
from = "events"
where = 'type == "page_view"'
key = "/page/url"
window = { size = "1m", grace = "1s" }
aggregate = { views = "count()", amount = "sum(/amount)" }
to = "pages"
"#;

const TOPICS: [&str; 9] = [
    "events",
    "events.dlq",
    "visits",
    "visits.late",
    "pages",
    "pages.late",
    "footfall-aggregation-visits-changelog",
    "footfall-aggregation-pages-changelog",
    "footfall-aggregation-pages-repartition",
];

/// A broker with every topic, of one partition each.
struct Broker {
    _cluster: MockCluster<'static, DefaultProducerContext>,
    address: String,
}

/// The processor at work.
struct Running {
    address: String,
    stop: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Broker {
    fn new() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for topic in TOPICS {
            cluster.create_topic(topic, 1, 1).unwrap();
        }
        let address = cluster.bootstrap_servers();
        Self {
            _cluster: cluster,
            address,
        }
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.address)
            .set("group.id", "test");
        config
    }

    fn produce(&self, records: &[(Option<&str>, &str, i64)]) {
        let producer: BaseProducer = self.client().create().unwrap();
        for (key, value, time) in records {
            let mut record = BaseRecord::<str, str>::to("events")
                .payload(value)
                .timestamp(*time);
            record.key = *key;
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Waits for this many records of a topic: key, value, timestamp, and its second header.
    async fn records(&self, topic: &'static str, count: usize) -> Vec<String> {
        let client = self.client();
        let read = move || {
            let consumer: BaseConsumer = client.create().unwrap();
            let mut assignment = TopicPartitionList::new();
            assignment
                .add_partition_offset(topic, 0, Offset::Beginning)
                .unwrap();
            consumer.assign(&assignment).unwrap();
            let mut records = Vec::new();
            while records.len() < count {
                if let Some(record) = consumer.poll(PATIENCE) {
                    let record = record.unwrap();
                    let text = |bytes: Option<&[u8]>| {
                        String::from_utf8(bytes.unwrap_or(b"none").to_vec()).unwrap()
                    };
                    let code = record.headers().map(|headers| text(headers.get(0).value));
                    let time = record.timestamp().to_millis().unwrap();
                    let line = [text(record.key()), text(record.payload()), time.to_string()];
                    let line = line.into_iter().chain(code).collect::<Vec<_>>();
                    records.push(line.join(" "));
                }
            }
            records
        };
        let reading = tokio::task::spawn_blocking(read);
        timeout(PATIENCE, reading).await.unwrap().unwrap()
    }

    /// Starts the processor and waits until it is ready.
    async fn start(&self, configuration: &str) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("aggregation.toml");
        fs::write(&file, configuration).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let address = port.to_string();
        let arguments = [
            "footfall-aggregation",
            "--config",
            file.to_str().unwrap(),
            "--listen",
            &address,
        ];
        let arguments = arguments
            .into_iter()
            .chain(["--kafka-brokers", &self.address]);
        let arguments = arguments
            .chain(["--topics-create", "false"])
            .map(OsString::from);
        let inputs = Inputs {
            arguments: arguments.collect(),
            environment: Vec::new(),
        };
        let document = load(&PROGRAM, inputs).unwrap().document;
        let signals = Signals::listen().unwrap();
        let stop = signals.stop.clone();
        let serving = tokio::spawn(serve(config::read(&document).unwrap(), signals));
        let running = Running {
            address,
            stop,
            serving,
        };
        timeout(PATIENCE, running.until_ready()).await.unwrap();
        running
    }
}

impl Running {
    async fn until_ready(&self) {
        loop {
            if TcpStream::connect(&self.address).await.is_ok() {
                let answer = self.get("/readyz").await;
                if answer.starts_with("HTTP/1.1 200") {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn connect(&self, method: &str, path: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let host = &self.address;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: https://dashboard.example\r\n\
             Access-Control-Request-Method: GET\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        BufReader::new(stream)
    }

    /// The whole answer, head and body.
    async fn get(&self, path: &str) -> String {
        self.ask("GET", path).await
    }

    async fn ask(&self, method: &str, path: &str) -> String {
        let mut answer = String::new();
        self.connect(method, path)
            .await
            .read_to_string(&mut answer)
            .await
            .unwrap();
        answer
    }

    async fn body(&self, path: &str) -> String {
        self.get(path)
            .await
            .split_once("\r\n\r\n")
            .unwrap()
            .1
            .to_owned()
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.serving)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

/// Waits for the next line with this beginning.
async fn line(stream: &mut BufReader<TcpStream>, beginning: &str) -> String {
    let reading = async {
        loop {
            let mut line = String::new();
            assert!(
                stream.read_line(&mut line).await.unwrap() > 0,
                "ended before {beginning}"
            );
            if line.starts_with(beginning) {
                return line.trim_end().to_owned();
            }
        }
    };
    timeout(PATIENCE, reading).await.unwrap()
}

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
        r#"{"key":"bob","start":55000,"end":65000} {"key":"bob","start":55000,"end":65000,"count":2,"final":false} 64000"#,
        r#"{"key":"ann","start":60000,"end":70000} {"key":"ann","start":60000,"end":70000,"count":2,"final":false} 62000"#,
        r#"{"key":"bob","start":60000,"end":70000} {"key":"bob","start":60000,"end":70000,"count":2,"final":false} 64000"#,
    ];
    assert_eq!(broker.records("visits", 4).await, visits);
    let pages = [
        r#"{"key":"/","start":60000,"end":120000} {"key":"/","start":60000,"end":120000,"views":1,"amount":0,"final":false} 63000"#,
        r#"{"key":"/cart","start":60000,"end":120000} {"key":"/cart","start":60000,"end":120000,"views":2,"amount":0.3,"final":false} 62000"#,
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
