use super::*;

const KEPT: &[Kept] = &[Kept {
    name: "acks",
    values: &["all", "-1"],
    why: "less is lost",
}];

/// What is said of these properties, as `table name=value` each.
fn told(given: &[&str]) -> Vec<String> {
    let mut settings = Settings {
        brokers: "nobody:1".into(),
        ..Settings::default()
    };
    for line in given {
        let (table, property) = line.split_once(' ').unwrap();
        let (name, value) = property.split_once('=').unwrap();
        let table = match table {
            "properties" => &mut settings.properties,
            "consumer" => &mut settings.consumer,
            _ => &mut settings.producer,
        };
        table.insert(name.into(), value.into());
    }
    let clients = [
        Client {
            kind: Kind::Consumer,
            config: settings.consumer(&[("group.id", "g")]),
        },
        Client {
            kind: Kind::Producer,
            config: settings.producer(&[("acks", "all"), ("enable.idempotence", "true")]),
        },
    ];
    let problems = check(&Document::default(), &settings, KEPT, &clients);
    problems
        .iter()
        .map(|problem| problem.to_string().replace("configuration: ", ""))
        .collect()
}

fn is_told(given: &[&str], parts: &[&str]) {
    let told = told(given);
    assert_eq!(told.len(), 1, "{given:?}: {told:?}");
    for part in parts {
        assert!(told[0].contains(part), "`{part}` is missing in {told:?}");
    }
}

#[test]
fn properties_that_make_working_clients_pass() {
    let right = [
        "properties client.id=me",
        "properties security.protocol=ssl",
        // Of producers only, and of consumers only, in the table for all.
        "properties linger.ms=5",
        "properties fetch.min.bytes=2",
        "consumer session.timeout.ms=20000",
        "producer compression.type=zstd",
        "producer acks=all",
        "producer partitioner=murmur2_random",
    ];
    assert_eq!(told(&right), [""; 0]);
}

#[test]
fn names_that_do_not_exist_and_values_that_are_none_are_told_in_every_table_and_at_once() {
    let told = told(&[
        "properties no.such=1",
        "consumer fetch.min.byte=1",
        "producer compression.type=zzz",
        "producer linger.ms=soon",
    ]);
    for (told, part) in told.iter().zip([
        "kafka.properties.no.such: expected a property that librdkafka takes, found `1` (No such",
        "kafka.consumer.fetch.min.byte: expected a property that librdkafka takes, found `1` (No such",
        "kafka.producer.compression.type: expected a property that librdkafka takes, found `zzz` (",
        "kafka.producer.linger.ms: expected a property that librdkafka takes, found `soon` (",
    ]) {
        assert!(told.starts_with(part), "{told}");
    }
    assert_eq!(told.len(), 4);
}

#[test]
fn what_undoes_a_promise_is_refused_by_whichever_of_its_names() {
    for name in ["bootstrap.servers", "metadata.broker.list"] {
        is_told(
            &[&format!("properties {name}=other:9092")],
            &[
                name,
                "expected nothing: it is `kafka.brokers` here, found `other:9092`",
            ],
        );
    }
    for name in ["acks", "request.required.acks"] {
        is_told(
            &[&format!("producer {name}=1")],
            &[
                name,
                "expected `all`, `-1`, or nothing: less is lost, found `1`",
            ],
        );
    }
    is_told(&["producer partitioner=random"], &["murmur2_random"]);
}

#[test]
fn a_property_in_the_table_of_the_other_kind_is_told_where_it_belongs() {
    is_told(
        &["consumer linger.ms=5"],
        &["kafka.consumer.linger.ms", "belongs in `kafka.producer`"],
    );
    is_told(
        &["producer fetch.min.bytes=5"],
        &[
            "kafka.producer.fetch.min.bytes",
            "belongs in `kafka.consumer`",
        ],
    );
}

#[test]
fn what_shows_only_when_a_client_is_made_is_told_too() {
    is_told(
        &[
            "properties security.protocol=ssl",
            "properties ssl.ca.location=/no/such/file.pem",
        ],
        &["kafka.properties.ssl.ca.location", "/no/such/file.pem"],
    );
    is_told(
        &["producer max.in.flight=9"],
        &["kafka.producer.max.in.flight", "found `9` ("],
    );
    is_told(
        &[
            "properties security.protocol=sasl_plaintext",
            "properties sasl.mechanism=NOPE",
        ],
        &["kafka.properties.sasl.mechanism", "found `NOPE` ("],
    );
}

#[test]
fn a_default_and_its_override_never_stand_under_two_names() {
    let mut settings = Settings::default();
    let add = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    settings
        .properties
        .extend([add("queue.buffering.max.ms", "7")]);
    settings
        .producer
        .extend([add("request.required.acks", "1")]);
    let config = settings.producer(&[("linger.ms", "20"), ("acks", "all")]);
    assert_eq!(
        (config.get("linger.ms"), config.get("acks")),
        (Some("7"), Some("1"))
    );
    assert_eq!(config.get("queue.buffering.max.ms"), None);
    let consumer = settings.consumer(&[]);
    assert_eq!(consumer.get("linger.ms"), None);
}
