//! A broker, the processor on it, and what a test asks of them.

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

pub(crate) const STREAMS: &str = r#"
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
pub(crate) struct Broker {
    _cluster: MockCluster<'static, DefaultProducerContext>,
    address: String,
}

/// The processor at work.
pub(crate) struct Running {
    address: String,
    stop: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Broker {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn produce(&self, records: &[(Option<&str>, &str, i64)]) {
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

    /// Waits for this many records of a topic: key, value, timestamp, and its first header.
    pub(crate) async fn records(&self, topic: &'static str, count: usize) -> Vec<String> {
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
    pub(crate) async fn start(&self, configuration: &str) -> Running {
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
            .chain(["--delivery", "at_least_once"])
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

    pub(crate) async fn connect(&self, method: &str, path: &str) -> BufReader<TcpStream> {
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

    pub(crate) async fn ask(&self, method: &str, path: &str) -> String {
        let mut answer = String::new();
        self.connect(method, path)
            .await
            .read_to_string(&mut answer)
            .await
            .unwrap();
        answer
    }

    pub(crate) async fn body(&self, path: &str) -> String {
        self.get(path)
            .await
            .split_once("\r\n\r\n")
            .unwrap()
            .1
            .to_owned()
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.serving)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

/// Waits for the next line with this beginning.
pub(crate) async fn line(stream: &mut BufReader<TcpStream>, beginning: &str) -> String {
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
