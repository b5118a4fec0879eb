use super::*;
use rdkafka::{
    ClientConfig, ClientContext, Offset as Position,
    message::{Header as NewHeader, OwnedHeaders},
    mocking::MockCluster,
    producer::{BaseRecord, DefaultProducerContext},
};

const TOPIC: &str = "records";
/// For what a broker in this process does at once.
const LONG: Duration = Duration::from_secs(20);

#[derive(Debug)]
struct Quiet;
impl ClientContext for Quiet {}
impl ConsumerContext for Quiet {}

fn producer(brokers: &str) -> ThreadedProducer<DefaultProducerContext> {
    let mut config = ClientConfig::new();
    // Nothing goes before it is flushed.
    let config = config
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "60000");
    config.create().unwrap()
}

/// An inbox to which partition 0 is diverted.
fn inbox(brokers: &str) -> Inbox<Quiet> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("group.id", "inbox");
    let consumer: BaseConsumer<Quiet> = config.create_with_context(Quiet).unwrap();
    let consumer = Arc::new(consumer);
    let inbox = Inbox::of(&consumer).unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions
        .add_partition_offset(TOPIC, 0, Position::Beginning)
        .unwrap();
    inbox.queue().divert(&consumer, &partitions);
    consumer.assign(&partitions).unwrap();
    inbox
}

fn cluster() -> MockCluster<'static, rdkafka::producer::DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    cluster
}

fn send(producer: &ThreadedProducer<DefaultProducerContext>, key: &str) {
    let record = BaseRecord::to(TOPIC).partition(0).key(key).payload("");
    producer.send(record).unwrap();
}

/// Keys of records, once there are so many.
fn keys(inbox: &mut Inbox<Quiet>, count: usize, most: usize) -> Vec<String> {
    let mut keys = Vec::new();
    while keys.len() < count {
        let batch = inbox.take(LONG, most);
        let before = keys.len();
        for message in batch.iter() {
            let key = message.unwrap().record().key.unwrap().to_vec();
            keys.push(String::from_utf8(key).unwrap());
        }
        assert!(keys.len() - before <= most);
    }
    keys
}

#[test]
fn a_record_is_as_it_was_written() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let producer = producer(&brokers);
    let headers = OwnedHeaders::new()
        .insert(NewHeader {
            key: "trace",
            value: Some("abc"),
        })
        .insert(NewHeader {
            key: "nothing",
            value: None::<&str>,
        });
    let full = BaseRecord::to(TOPIC)
        .partition(0)
        .key("key")
        .payload("value")
        .timestamp(1_764_000_000_123)
        .headers(headers);
    producer.send(full).unwrap();
    let empty = BaseRecord::<[u8], [u8]>::to(TOPIC)
        .partition(0)
        .key(b"")
        .timestamp(7);
    producer.send(empty).unwrap();
    assert!(flush(&producer, LONG));

    let mut inbox = inbox(&brokers);
    let mut seen = 0;
    while seen < 2 {
        for message in inbox.take(LONG, 10).iter() {
            let message = message.unwrap();
            let record = message.record();
            assert_eq!((record.topic, record.partition.0), (TOPIC, 0));
            assert_eq!(record.offset, Offset(seen));
            if seen == 0 {
                assert_eq!(record.key, Some(&b"key"[..]));
                assert_eq!(record.value, Some(&b"value"[..]));
                assert_eq!(record.timestamp, Some(Timestamp(1_764_000_000_123)));
                let expected = [("trace", Some(&b"abc"[..])), ("nothing", None)];
                assert_eq!(record.headers, expected);
            } else {
                assert_eq!((record.key, record.value), (Some(&b""[..]), None));
                assert_eq!(record.timestamp, Some(Timestamp(7)));
                assert_eq!(record.headers, []);
            }
            seen += 1;
        }
    }
}

#[test]
fn records_come_in_order_and_never_more_than_asked_for() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let producer = producer(&brokers);
    let sent: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    for key in &sent {
        send(&producer, key);
    }
    assert!(flush(&producer, LONG));
    let mut inbox = inbox(&brokers);
    assert_eq!(keys(&mut inbox, 50, 7), sent);
    let nothing = inbox.take(Duration::ZERO, 7);
    assert_eq!(nothing.iter().count(), 0);
}

#[test]
fn a_flush_sends_what_waits_and_says_when_it_could_not() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let reached = producer(&brokers);
    send(&reached, "a");
    assert!(flush(&reached, LONG));
    assert_eq!(keys(&mut inbox(&brokers), 1, 1), ["a"]);
    // Nobody listens there.
    let unreached = producer("127.0.0.1:1");
    send(&unreached, "b");
    assert!(!flush(&unreached, Duration::from_millis(1)));
}
