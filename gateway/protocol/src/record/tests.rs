use super::*;
use crate::rejected::Rejected;

/// Records as version 1 wrote them, for ever.
const RECORDS: &str = include_str!("../../golden/v1/records.txt");

/// The lines that are no comment: topic, key (`-` for none), timestamp, value.
fn records(topic: &str) -> impl Iterator<Item = [&str; 3]> {
    let lines = RECORDS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(move |line| {
        let mut parts = line.splitn(4, ' ');
        let is_wanted = parts.next()? == topic;
        is_wanted.then_some([parts.next()?, parts.next()?, parts.next()?])
    })
}

#[test]
fn every_record_of_version_1_is_read_and_written_the_same() {
    for [key, timestamp, value] in records("events") {
        let record = Record::from_json(value.as_bytes()).unwrap();
        assert_eq!(record.time.to_string(), timestamp);
        let mut written = Vec::new();
        let has_key = record.append_key(&mut written);
        let expected_key = if has_key { key } else { "" };
        assert_eq!(has_key, key != "-");
        assert_eq!(String::from_utf8(written).unwrap(), expected_key);
        let mut written = Vec::new();
        record.append_json(&mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), value);
    }
    assert!(records("events").count() >= 4);
}

#[test]
fn every_rejected_record_of_version_1_is_read_and_written_the_same() {
    for [_, timestamp, value] in records("rejected") {
        let rejected: Rejected<'_> = serde_json::from_str(value).unwrap();
        assert_eq!(rejected.received_at.to_string(), timestamp);
        assert_eq!(serde_json::to_string(&rejected).unwrap(), value);
    }
    assert!(records("rejected").count() >= 2);
}

#[test]
fn members_that_a_later_version_adds_are_no_error() {
    let [_, _, value] = records("events").next().unwrap();
    let grown = value.replacen('{', "{\"added\":{\"later\":1},", 1);
    assert!(Record::from_json(grown.as_bytes()).is_ok());
}

#[test]
fn the_key_is_the_visitor_else_the_session_else_none() {
    let [_, _, value] = records("events").next().unwrap();
    let mut record = Record::from_json(value.as_bytes()).unwrap();
    record.visitor = None;
    record.session = Some("s".into());
    let mut key = Vec::new();
    assert!(record.append_key(&mut key));
    assert_eq!(key, b"demo/s");
    record.session = None;
    assert!(!record.append_key(&mut Vec::new()));
}

#[test]
fn a_record_with_every_member_is_read_as_it_was_written() {
    let [_, _, value] = records("events").next().unwrap();
    let text = |text: &'static str| Some(text.into());
    let record = Record {
        name: text("\"quoted\"\n"),
        time_client: Some(Timestamp::from_millis(-7)),
        time_clamped: true,
        seq: Some(u64::MAX),
        user: text("u\u{1}"),
        consent: Some(Consent::Granted),
        page: Some(Page {
            url: text("https://shop.example/"),
            title: text("Tēa"),
            referrer: text("r"),
        }),
        element: Some(Element {
            tag: text("a"),
            id: text("b"),
            name: text("c"),
            role: text("d"),
            text: text("e"),
            href: text("f"),
            path: text("g"),
            kind: text("h"),
        }),
        properties: Some(serde_json::from_str(r#"{"a" : [1e400]}"#).unwrap()),
        client: Some(Client {
            ip: text("203.0.113.0"),
            user_agent: text("x\\y"),
            bot: Some(true),
        }),
        ..Record::from_json(value.as_bytes()).unwrap()
    };
    let mut written = Vec::new();
    record.append_json(&mut written).unwrap();
    assert_eq!(Record::from_json(&written).unwrap(), record);
}
