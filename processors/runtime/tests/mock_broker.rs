//! The shell against librdkafka's in-process broker. What only Apache Kafka does is tested with it,
//! in the package of whole scenarios.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use footfall_runtime::{Config, Delivery, Metrics, Runtime, Status};
use footfall_service::{
    health::Kafka,
    kafka::{CreateTopics, Settings},
    metrics,
};
use footfall_task::{
    Cleanup, Effects, Internal, Kind, Outgoing, Partition, Processor, Record, RestoreError, Source,
    Task, Timestamp,
};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _},
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const PARTITIONS: i32 = 2;
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes each value again, after how many values its partition had before.
#[derive(Debug, Default)]
struct Echo {
    /// Whether `mishap` has been met, which it panics at the first time.
    has_panicked: Arc<AtomicBool>,
}

#[derive(Debug)]
struct EchoTask {
    partition: Partition,
    count: u64,
    /// Whether `many` has been met since the last commit, which is too much for one commit.
    is_much: bool,
    has_panicked: Arc<AtomicBool>,
}

impl Processor for Echo {
    type Task = EchoTask;

    fn sources(&self) -> Vec<Source> {
        let internal = |topic: &str, cleanup| Internal {
            topic: topic.into(),
            cleanup,
            same_partitions: true,
        };
        vec![Source {
            topic: "in".into(),
            beside: vec![
                internal("out", Cleanup::Any),
                internal("changelog", Cleanup::Replaced),
            ],
        }]
    }

    fn task(&self, _topic: &str, partition: Partition) -> EchoTask {
        EchoTask {
            partition,
            count: 0,
            is_much: false,
            has_panicked: Arc::clone(&self.has_panicked),
        }
    }

    fn written(&self, _effects: &Effects) {}
}

impl EchoTask {
    fn send(&self, kind: Kind, topic: &str, value: String, effects: &mut Effects) {
        let record = Outgoing {
            topic: topic.into(),
            partition: Some(self.partition),
            timestamp: None,
            key: Some(b"count"[..].into()),
            value: Some(value.into()),
            headers: Vec::new(),
        };
        effects.send(&"echo".into(), kind, record);
    }
}

impl Task for EchoTask {
    fn changelogs(&self) -> Vec<Arc<str>> {
        vec!["changelog".into()]
    }

    fn restore(&mut self, _: &str, _: &[u8], value: Option<&[u8]>) -> Result<(), RestoreError> {
        self.count = text(value).parse().unwrap();
        Ok(())
    }

    fn process(&mut self, record: &Record<'_>, _now: Timestamp, effects: &mut Effects) {
        let value = text(record.value);
        let is_mishap = value == "mishap" && !self.has_panicked.swap(true, Ordering::Relaxed);
        assert!(!is_mishap, "as the test wants it");
        self.is_much |= value == "many";
        let value = format!("{}: {value}", self.count);
        self.count += 1;
        self.send(Kind::Output, "out", value, effects);
    }

    fn waiting(&self) -> usize {
        if self.is_much { 100_000 } else { 0 }
    }

    fn commit(&mut self, effects: &mut Effects) {
        self.is_much = false;
        self.send(Kind::Change, "changelog", self.count.to_string(), effects);
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}

/// A broker, and the shell at work on it.
struct Scene {
    cluster: MockCluster<'static, DefaultProducerContext>,
    brokers: String,
}

impl Scene {
    fn new(topics: &[&str]) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for topic in topics {
            cluster.create_topic(topic, PARTITIONS, 1).unwrap();
        }
        let brokers = cluster.bootstrap_servers();
        Self { cluster, brokers }
    }

    fn start(&self) -> Running {
        self.start_with(Duration::from_millis(20))
    }

    fn start_with(&self, commit_interval: Duration) -> Running {
        let config = Config {
            kafka: Settings {
                brokers: self.brokers.clone(),
                ..Settings::default()
            },
            group: "echo".into(),
            commit_interval,
            delivery: Delivery::AtLeastOnce,
            state_dir: None,
            workers: std::num::NonZeroUsize::MIN,
            standby: false,
            topics: CreateTopics::default(),
            address: Some("http://here".into()),
        };
        let stop = CancellationToken::new();
        let counted = Metrics::register(&mut metrics::registry());
        let runtime =
            Runtime::start(&Arc::new(Echo::default()), config, &counted, stop.clone()).unwrap();
        Running { runtime, stop }
    }

    fn produce(&self, partition: i32, values: &[&str]) {
        let producer: BaseProducer = self.client().create().unwrap();
        for value in values {
            let record = BaseRecord::<[u8], str>::to("in")
                .partition(partition)
                .payload(value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Waits for this many values of the output.
    async fn output(&self, partition: i32, count: usize) -> Vec<String> {
        let client = self.client();
        let read = move || {
            let consumer: BaseConsumer = client.create().unwrap();
            let mut assignment = TopicPartitionList::new();
            let from = Offset::Beginning;
            assignment
                .add_partition_offset("out", partition, from)
                .unwrap();
            consumer.assign(&assignment).unwrap();
            let mut values = Vec::new();
            while values.len() < count {
                // Nothing means that something else than a record has come.
                if let Some(record) = consumer.poll(PATIENCE) {
                    values.push(text(record.unwrap().payload()));
                }
            }
            values
        };
        let reading = tokio::task::spawn_blocking(read);
        tokio::time::timeout(PATIENCE, reading)
            .await
            .unwrap()
            .unwrap()
    }

    fn committed(&self, partition: i32) -> Result<Option<i64>, KafkaError> {
        let consumer: BaseConsumer = self.client().create()?;
        let mut asked = TopicPartitionList::new();
        asked.add_partition("in", partition);
        let answer = consumer.committed_offsets(asked, PATIENCE)?;
        Ok(answer
            .find_partition("in", partition)
            .and_then(|place| place.offset().to_raw()))
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", "echo");
        config
    }
}

struct Running {
    runtime: Runtime,
    stop: CancellationToken,
}

impl Running {
    async fn until(&self, what: impl Fn(&Status) -> bool) {
        let status = self.runtime.status();
        let looking = async {
            while !what(&status) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        assert!(found.is_ok(), "{:?}", status.readiness());
    }

    async fn end(self) {
        self.stop.cancel();
        self.runtime.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_written_and_then_committed() {
    let scene = Scene::new(&["in", "out", "changelog"]);
    scene.produce(1, &["a", "b"]);
    let running = scene.start();
    running.until(|status| status.readiness().ready).await;
    assert_eq!(scene.output(1, 2).await, ["0: a", "1: b"]);
    running.end().await;
    assert_eq!(scene.committed(1), Ok(Some(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_life_goes_on_where_the_last_one_ended() {
    let scene = Scene::new(&["in", "out", "changelog"]);
    scene.produce(0, &["a", "b"]);
    let first = scene.start();
    scene.output(0, 2).await;
    first.end().await;
    scene.produce(0, &["c"]);
    let second = scene.start();
    assert_eq!(scene.output(0, 3).await, ["0: a", "1: b", "2: c"]);
    second.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_too_much_is_committed_before_its_time() {
    let scene = Scene::new(&["in", "out", "changelog"]);
    let running = scene.start_with(Duration::from_hours(1));
    scene.produce(0, &["a", "many", "b", "many"]);
    scene.output(0, 4).await;
    running.until(|_| scene.committed(0) == Ok(Some(4))).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_kafka_refuses_is_tried_again_before_anything_is_committed() {
    let scene = Scene::new(&["in", "out", "changelog"]);
    let running = scene.start();
    running.until(|status| status.readiness().ready).await;
    scene.produce(0, &["a"]);
    scene.output(0, 1).await;
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD;
    scene.cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR, refusal, refusal],
    );
    scene.produce(0, &["b"]);
    running
        .until(|status| {
            let reason = status.readiness().reason;
            reason.is_some_and(|reason| reason.contains("does not take a record for topic `out`"))
        })
        .await;
    assert_eq!(scene.output(0, 2).await, ["0: a", "1: b"]);
    running.until(|status| status.readiness().ready).await;
    running.end().await;
    assert_eq!(scene.committed(0), Ok(Some(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_broker_is_back_the_work_goes_on() {
    let scene = Scene::new(&["in", "out", "changelog"]);
    let running = scene.start();
    running.until(|status| status.readiness().ready).await;
    scene.cluster.broker_down(1).unwrap();
    running
        .until(|status| status.readiness().kafka == Kafka::Down)
        .await;
    assert!(running.runtime.status().staleness() > Duration::ZERO);
    scene.cluster.broker_up(1).unwrap();
    scene.produce(1, &["a"]);
    assert_eq!(scene.output(1, 1).await, ["0: a"]);
    running.until(|status| status.readiness().ready).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_are_missing_are_named() {
    let scene = Scene::new(&["in", "out"]);
    let running = scene.start();
    let expected = "topics are missing: `changelog`; create them, or set `topics.create = true`";
    running
        .until(|status| status.readiness().reason.as_deref() == Some(expected))
        .await;
    scene
        .cluster
        .create_topic("changelog", PARTITIONS, 1)
        .unwrap();
    running.until(|status| status.readiness().ready).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_panic_the_record_is_processed_again_on_the_state_of_the_last_commit() {
    let scene = Scene::new(&["in", "out", "changelog"]);
    let running = scene.start();
    scene.produce(0, &["a"]);
    scene.output(0, 1).await;
    scene.produce(0, &["mishap", "b"]);
    assert_eq!(scene.output(0, 3).await, ["0: a", "1: mishap", "2: b"]);
    running.end().await;
    assert_eq!(scene.committed(0), Ok(Some(3)));
}
