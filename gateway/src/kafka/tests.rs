use super::*;
use crate::{
    hot_key::Limits,
    testing::{NOW, outgoing},
};
use footfall_service::kafka::Settings;
use prometheus_client::{encoding::text::encode, registry::Registry};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::OwnedMessage,
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

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
    fn new(brokers: String, queue: usize) -> Self {
        let config = config::Kafka {
            settings: Settings {
                brokers,
                ..Settings::default()
            },
            topic: "events".into(),
            rejected_topic: "rejected".into(),
            queue,
            hot_key: Limits::default(),
        };
        let mut registry = footfall_service::metrics::registry();
        let metrics = Metrics::register(&mut registry);
        let sink = KafkaSink::new(&config, 1 << 20, metrics).unwrap();
        Self { sink, registry }
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
    let gateway = Fixture::new(cluster.bootstrap_servers(), 1 << 20);
    let request = outgoing(1, 1);
    gateway.sink.take(&request).unwrap();
    assert_eq!(gateway.sink.close(TIMEOUT), 0);
    assert_eq!(gateway.metric("footfall_events_produced_total "), 1);
    assert_eq!(gateway.sink.waiting(), (0, 0));

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
    let gateway = Fixture::new("127.0.0.1:1".into(), request.bytes() * 2);
    assert_eq!(gateway.sink.take(&request), Ok(()));
    assert_eq!(gateway.sink.take(&request), Ok(()));
    assert_eq!(gateway.sink.take(&request), Err(Unavailable::Full));
    assert_eq!(gateway.sink.waiting(), (6, request.bytes() * 2));
    let health = gateway.sink.health();
    assert!(!health.takes);
    assert_eq!(health.kafka, health::Kafka::Down);

    assert_eq!(gateway.sink.close(Duration::from_millis(50)), 6);
    assert_eq!(
        gateway.metric("footfall_events_dropped_total{reason=\"shutdown\"} "),
        6
    );
    assert_eq!(gateway.metric("footfall_rejected_records_lost_total "), 2);
    assert_eq!(gateway.sink.waiting(), (0, 0));
    assert_eq!(gateway.sink.take(&request), Err(Unavailable::Closed));
}

#[test]
fn what_kafka_refuses_for_good_is_counted() {
    let cluster = cluster();
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::Produce, &[refusal]);
    let gateway = Fixture::new(cluster.bootstrap_servers(), 1 << 20);
    gateway.sink.take(&outgoing(2, 0)).unwrap();
    assert_eq!(gateway.sink.close(TIMEOUT), 0);
    let series = "footfall_events_dropped_total{reason=\"delivery_failed\"} ";
    let (dropped, produced) = (
        gateway.metric(series),
        gateway.metric("footfall_events_produced_total "),
    );
    assert_eq!(dropped + produced, 2);
    assert!(dropped > 0);
}

#[test]
fn reach_turns_when_kafka_answers() {
    let cluster = cluster();
    let gateway = Fixture::new(cluster.bootstrap_servers(), 1 << 20);
    assert_eq!(gateway.sink.health().kafka, health::Kafka::Down);
    gateway.sink.watch().unwrap();
    let looks = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(20));
        gateway.sink.health().kafka
    });
    assert!(looks.take(1000).any(|kafka| kafka == health::Kafka::Up));
}
