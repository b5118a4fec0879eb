use super::*;
use crate::{
    config::PROGRAM,
    testing::{NOW, outgoing},
};
use footfall_service::config::{Inputs, load};
use prometheus_client::{encoding::text::encode, registry::Registry};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::{Headers as _, OwnedMessage},
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

mod partitions;

const TIMEOUT: Duration = Duration::from_secs(20);

type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A cluster with both topics.
fn cluster() -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    for topic in ["events", "rejected"] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    cluster
}

struct Fixture {
    sink: KafkaSink,
    registry: Registry,
}

impl Fixture {
    fn new(brokers: &str, queue: usize) -> Self {
        Self::with(brokers, queue, &[])
    }

    fn with(brokers: &str, queue: usize, flags: &[&str]) -> Self {
        let queue = queue.to_string();
        let own = [
            "footfall-gateway",
            "--kafka-brokers",
            brokers,
            "--kafka-queue",
            &queue,
        ];
        let topics = [
            "--kafka-topic",
            "events",
            "--kafka-rejected-topic",
            "rejected",
        ];
        let arguments = [&own[..], &topics, flags].concat();
        let inputs = Inputs {
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
        };
        let config = Config::read(&load(&PROGRAM, inputs).unwrap().document).unwrap();
        let mut registry = footfall_service::metrics::registry();
        let metrics = Metrics::register(&mut registry);
        let sink = KafkaSink::new(&config, metrics).unwrap();
        Self { sink, registry }
    }

    fn take(&self, request: &Outgoing) -> Result<(), Unavailable> {
        self.sink.take(request.clone()).map(drop)
    }

    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        for _ in 0..1000 {
            if holds() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("waited for {what}: {:?}", self.sink);
    }

    fn waiting(&self) -> (usize, usize) {
        let depth = self.sink.shared.pending().depth();
        (depth.events, depth.bytes)
    }

    fn metric(&self, series: &str) -> usize {
        let mut page = String::new();
        encode(&mut page, &self.registry).unwrap();
        let value = page.lines().find_map(|line| line.strip_prefix(series));
        value.unwrap().trim().parse().unwrap()
    }
}

fn first_record(cluster: &Cluster, topic: &str) -> OwnedMessage {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap_servers());
    config.set("group.id", "test");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(topic, 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&assignment).unwrap();
    consumer.poll(TIMEOUT).unwrap().unwrap().detach()
}

#[test]
fn records_arrive_with_key_value_and_timestamp() {
    let cluster = cluster();
    let gateway = Fixture::new(&cluster.bootstrap_servers(), 1 << 20);
    let request = outgoing(1, 1);
    gateway.take(&request).unwrap();
    assert_eq!(gateway.sink.close(TIMEOUT), 0);
    assert_eq!(gateway.metric("footfall_events_produced_total "), 1);
    assert_eq!(gateway.waiting(), (0, 0));

    let sent: Vec<_> = request.messages().collect();
    for (topic, sent) in ["events", "rejected"].into_iter().zip(sent) {
        let record = first_record(&cluster, topic);
        assert_eq!(record.key(), sent.key);
        assert_eq!(record.payload(), Some(sent.value));
        assert_eq!(
            record.timestamp().to_millis(),
            Some(sent.timestamp.as_millis())
        );
    }
    assert_eq!(
        first_record(&cluster, "rejected").timestamp().to_millis(),
        Some(NOW.as_millis())
    );
}

#[test]
fn without_a_broker_there_is_room_until_the_queue_is_full_and_the_rest_is_counted() {
    let request = outgoing(3, 1);
    let gateway = Fixture::new("127.0.0.1:1", request.bytes() * 2);
    assert_eq!(gateway.take(&request), Ok(()));
    assert_eq!(gateway.take(&request), Ok(()));
    assert_eq!(gateway.take(&request), Err(Unavailable::Full));
    // The second request's rejected event was too much for a queue of this size.
    let bytes = request.bytes() * 2 - request.rejected_bytes();
    assert_eq!(gateway.waiting(), (6, bytes));
    let health = gateway.sink.health();
    assert!(!health.takes);
    assert_eq!(health.kafka, health::Kafka::Down);

    assert_eq!(gateway.sink.close(Duration::from_millis(50)), 6);
    assert_eq!(
        gateway.metric("footfall_events_dropped_total{reason=\"shutdown\"} "),
        6
    );
    assert_eq!(gateway.metric("footfall_rejected_records_lost_total "), 2);
    assert_eq!(gateway.waiting(), (0, 0));
    assert_eq!(gateway.take(&request), Err(Unavailable::Closed));
}

#[test]
fn what_kafka_does_not_take_for_now_is_sent_again() {
    let cluster = cluster();
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::Produce, &[refusal]);
    let gateway = Fixture::new(&cluster.bootstrap_servers(), 1 << 20);
    gateway.sink.watch().unwrap();
    gateway.take(&outgoing(2, 0)).unwrap();
    gateway.until("the refusal", || {
        let reason = gateway.sink.health().reason;
        reason.is_some_and(|reason| reason.contains("topic `events`: TopicAuthorizationFailed"))
    });
    let (events, _) = gateway.waiting();
    assert_eq!(events, 2);
    assert_eq!(gateway.sink.close(TIMEOUT), 0);
    assert_eq!(gateway.metric("footfall_events_produced_total "), 2);
    let series = "footfall_events_dropped_total{reason=\"delivery_failed\"} ";
    assert_eq!(gateway.metric(series), 0);
}

#[test]
fn reach_turns_when_kafka_answers() {
    let cluster = cluster();
    let gateway = Fixture::new(&cluster.bootstrap_servers(), 1 << 20);
    assert_eq!(gateway.sink.health().kafka, health::Kafka::Down);
    gateway.sink.watch().unwrap();
    let looks = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(20));
        gateway.sink.health().kafka
    });
    assert!(looks.take(1000).any(|kafka| kafka == health::Kafka::Up));
}

#[test]
fn without_a_broker_events_lie_in_the_spill_at_the_end_and_reach_kafka_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let spill = ["--spill-dir", folder.path().to_str().unwrap()];
    let request = outgoing(3, 1);
    let gateway = Fixture::with("127.0.0.1:1", 1 << 20, &spill);
    assert_eq!(gateway.sink.health().spill, health::Spill::Empty);
    assert_eq!(gateway.take(&request), Ok(()));
    assert_eq!(gateway.sink.health().spill, health::Spill::InUse);
    assert_eq!(gateway.sink.close(TIMEOUT), 0);
    assert_eq!(gateway.metric("footfall_spilled_total "), 3);
    drop(gateway);

    let cluster = cluster();
    let gateway = Fixture::with(&cluster.bootstrap_servers(), 1 << 20, &spill);
    assert_eq!(gateway.metric("footfall_events_recovered_total "), 3);
    gateway.sink.watch().unwrap();
    let replayed = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(20));
        gateway.metric("footfall_replayed_total ")
    });
    assert!(replayed.take(1000).any(|replayed| replayed == 3));
    let record = first_record(&cluster, "rejected");
    assert_eq!(
        record.payload(),
        request.messages().nth(3).map(|sent| sent.value)
    );
    let headers = record.headers().unwrap();
    assert_eq!(
        (headers.count(), headers.get(0).key),
        (1, "footfall-replayed")
    );
    assert_eq!(gateway.sink.close(TIMEOUT), 0);
    assert_eq!(gateway.sink.shared.levels().spill_bytes, 0);
}

#[test]
fn two_gateways_do_not_share_a_spill() {
    let folder = tempfile::tempdir().unwrap();
    let first = Folder::open(folder.path()).unwrap();
    let error = Folder::open(folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("in use by another gateway"),
        "{error}"
    );
    drop(first);
    Folder::open(folder.path()).unwrap();
}

#[test]
fn records_that_are_on_disk_behind_others_that_are_not_due_are_not_lost() {
    let cluster = cluster();
    let folder = tempfile::tempdir().unwrap();
    let spill = ["--spill-dir", folder.path().to_str().unwrap()];
    let gateway = Fixture::with(&cluster.bootstrap_servers(), 1 << 20, &spill);
    let request = outgoing(5, 0);
    let append = |copies: usize| {
        let mut pending = gateway.sink.shared.pending();
        let log = pending.log_mut().unwrap();
        request.messages().for_each(|message| log.append(&message));
        for message in request.messages().take(copies) {
            log.copy(&message);
        }
    };
    // The copies are read with the others, and stay on their way.
    append(3);
    gateway.sink.watch().unwrap();
    let replayed = || gateway.metric("footfall_replayed_total ");
    gateway.until("the first ones", || replayed() == 5);
    append(0);
    gateway.until("those behind the copies", || replayed() == 10);
    let series = "footfall_events_dropped_total{reason=\"spill_corrupt\"} ";
    assert_eq!(gateway.metric(series), 0);
}
