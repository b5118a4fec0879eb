use super::*;
use bytes::Bytes;
use rdkafka::{
    ClientConfig, ClientContext, Offset as Position, error::RDKafkaErrorCode, mocking::MockCluster,
    producer::DeliveryResult,
};

const TOPIC: &str = "records";
/// For what a broker in this process does at once.
const LONG: Duration = Duration::from_secs(20);

#[derive(Debug)]
struct Quiet;
impl ClientContext for Quiet {}
impl ConsumerContext for Quiet {}
impl ProducerContext for Quiet {
    type DeliveryOpaque = usize;

    fn delivery(&self, _: &DeliveryResult<'_>, _: usize) {}
}

fn outbox(brokers: &str) -> Outbox<Quiet> {
    let mut config = ClientConfig::new();
    // Nothing goes before it is flushed.
    let config = config
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "60000");
    Outbox::of(config.create_with_context(Quiet).unwrap())
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

fn outgoing(key: &'static str) -> Outgoing {
    Outgoing {
        topic: TOPIC.into(),
        partition: Some(Partition(0)),
        timestamp: None,
        key: Some(Bytes::from_static(key.as_bytes())),
        value: Some(Bytes::new()),
        headers: Vec::new(),
    }
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
fn the_end_of_a_partition_is_known_once_it_was_read() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let outbox = outbox(&brokers);
    for number in 0..3 {
        outbox.send(&outgoing("key"), number).unwrap();
    }
    assert!(outbox.flush(LONG));

    let mut inbox = inbox(&brokers);
    assert_eq!(inbox.end_of("no such topic", 0), None);
    keys(&mut inbox, 1, 1);
    assert_eq!(inbox.end_of(TOPIC, 0), Some(Offset(3)));
}

#[test]
fn a_record_is_as_it_was_written() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let outbox = outbox(&brokers);
    let full = Outgoing {
        timestamp: Some(Timestamp(1_764_000_000_123)),
        value: Some(Bytes::from_static(b"value")),
        headers: vec![
            ("trace".into(), Some(b"abc".to_vec())),
            ("nothing".into(), None),
        ],
        ..outgoing("key")
    };
    outbox.send(&full, 0).unwrap();
    let empty = Outgoing {
        timestamp: Some(Timestamp(7)),
        value: None,
        ..outgoing("")
    };
    outbox.send(&empty, 1).unwrap();
    assert!(outbox.flush(LONG));

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
fn an_event_time_of_0_is_written_as_of_the_next_millisecond() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let outbox = outbox(&brokers);
    let record = Outgoing {
        timestamp: Some(Timestamp(0)),
        ..outgoing("key")
    };
    outbox.send(&record, 0).unwrap();
    assert!(outbox.flush(LONG));
    let mut inbox = inbox(&brokers);
    let batch = inbox.take(LONG, 1);
    let times = batch
        .iter()
        .map(|message| message.unwrap().record().timestamp);
    assert_eq!(times.collect::<Vec<_>>(), [Some(Timestamp(1))]);
}

#[test]
fn records_come_in_order_and_never_more_than_asked_for() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let outbox = outbox(&brokers);
    let sent: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    for (number, key) in sent.iter().enumerate() {
        let record = Outgoing {
            key: Some(key.clone().into()),
            ..outgoing("")
        };
        outbox.send(&record, number).unwrap();
    }
    assert!(outbox.flush(LONG));
    let mut inbox = inbox(&brokers);
    assert_eq!(keys(&mut inbox, 50, 7), sent);
    let nothing = inbox.take(Duration::ZERO, 7);
    assert_eq!(nothing.iter().count(), 0);
}

#[test]
fn a_flush_sends_what_waits_and_says_when_it_could_not() {
    let cluster = cluster();
    let brokers = cluster.bootstrap_servers();
    let reached = outbox(&brokers);
    reached.send(&outgoing("a"), 0).unwrap();
    assert!(reached.flush(LONG));
    assert_eq!(keys(&mut inbox(&brokers), 1, 1), ["a"]);
    // Nobody listens there.
    let unreached = outbox("127.0.0.1:1");
    unreached.send(&outgoing("b"), 0).unwrap();
    assert!(!unreached.flush(Duration::from_millis(1)));
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let cluster = cluster();
    let outbox = outbox(&cluster.bootstrap_servers());
    outbox.send(&outgoing("a"), 0).unwrap();
    assert!(outbox.flush(LONG));
    let elsewhere = Outgoing {
        partition: Some(Partition(9)),
        headers: vec![("trace".into(), None)],
        ..outgoing("b")
    };
    let refusal = outbox.send(&elsewhere, 1).unwrap_err();
    let code = RDKafkaErrorCode::UnknownPartition;
    assert_eq!(refusal, KafkaError::MessageProduction(code));
    let nameless = Outgoing {
        topic: "no\0topic".into(),
        ..outgoing("c")
    };
    assert!(matches!(outbox.send(&nameless, 2), Err(KafkaError::Nul(_))));
}
