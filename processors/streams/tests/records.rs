//! What streams write besides results: late records, records that cannot be used, re-keyed ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use footfall_streams::{
    Definition, Extract, Extracted, TestDriver, TimeWindows, Topology, Unusable, millis, own_time,
    stream,
};
use footfall_task::{
    Effects, Kind, Offset, Outgoing, Partition, Processor as _, Record, Task as _, Timestamp,
};

/// After all records.
const NOW: Timestamp = Timestamp(1_000_000);

fn counting() -> Definition {
    let windows = TimeWindows::of(millis(12))
        .advance_by(millis(5))
        .grace(millis(3))
        .unwrap();
    stream("in")
        .group_by_key()
        .windowed_by(windows)
        .count()
        .named("counts")
        .to("out")
}

fn record(key: Option<&str>, time: Option<i64>) -> Outgoing {
    Outgoing {
        topic: "in".into(),
        partition: Some(Partition(3)),
        timestamp: time.map(Timestamp),
        key: key.map(|key| key.to_owned().into()),
        value: Some(b"\xff not text"[..].into()),
        headers: vec![("trace".into(), Some(b"7".to_vec()))],
    }
}

#[test]
fn a_record_that_some_windows_refuse_is_late_once_and_counts_in_the_others() {
    let mut driver = TestDriver::new(counting());
    driver.pipe_record(&record(Some("k"), Some(26)));
    driver.pipe_record(&record(Some("k"), Some(21)));
    driver.commit();
    let late = driver.read("out.late");
    assert_eq!(late.len(), 1);
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let expected = [
        ("trace", "7"),
        ("footfall-late-stream", "counts"),
        ("footfall-late-windows", "[[10,22]]"),
        ("footfall-late-by-ms", "5"),
        ("footfall-source-topic", "in"),
        ("footfall-source-partition", "3"),
        ("footfall-source-offset", "1"),
    ];
    assert_eq!(late[0].headers, expected.map(text));
    assert_eq!((late[0].partition, late[0].timestamp), (Some(3), Some(21)));
    assert_eq!(late[0].key, "k");
    let counts: Vec<_> = driver
        .read("out")
        .into_iter()
        .map(|record| record.value)
        .collect();
    assert_eq!(
        counts,
        [
            r#"{"key":"k","start":15,"end":27,"count":2,"final":false}"#,
            r#"{"key":"k","start":20,"end":32,"count":2,"final":false}"#,
            r#"{"key":"k","start":25,"end":37,"count":1,"final":false}"#,
        ]
    );
}

#[test]
fn a_result_has_the_time_of_the_newest_record_in_it() {
    let mut driver = TestDriver::new(counting());
    for time in [21, 24, 20] {
        driver.pipe("in", "k", "", time);
    }
    driver.commit();
    let times: Vec<_> = driver
        .read("out")
        .iter()
        .map(|record| record.timestamp)
        .collect();
    assert_eq!(times, [Some(21), Some(24), Some(24)]);
}

#[test]
fn a_record_without_key_or_time_goes_to_the_dead_letters_unchanged() {
    let mut driver = TestDriver::new(counting());
    driver.pipe_record(&record(None, Some(21)));
    driver.pipe_record(&record(Some("k"), None));
    driver.commit();
    let dead = driver.read("in.dlq");
    let codes: Vec<_> = dead
        .iter()
        .map(|record| record.headers[1].clone())
        .collect();
    let code = |code: &str| ("footfall-error-code".to_owned(), code.to_owned());
    assert_eq!(codes, [code("null_key"), code("no_timestamp")]);
    assert_eq!(dead[1].headers[0], ("trace".to_owned(), "7".to_owned()));
    assert!(driver.read("out").is_empty());
}

#[test]
fn without_topics_for_them_late_records_and_dead_letters_are_only_counted() {
    let silent = Definition {
        late: None,
        dlq: None,
        ..counting()
    };
    let mut driver = TestDriver::new(silent);
    for record in [
        record(Some("k"), Some(99)),
        record(Some("k"), Some(1)),
        record(None, None),
    ] {
        driver.pipe_record(&record);
    }
    driver.commit();
    assert_eq!(driver.late(), 1);
    assert!(driver.read("out.late").is_empty() && driver.read("in.dlq").is_empty());
}

/// Groups by the value.
#[derive(Debug)]
struct ByValue;

impl Extract for ByValue {
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable> {
        Ok(Some(Extracted {
            key: record.value.unwrap_or_default().to_vec(),
            time: own_time(record)?,
            inputs: Vec::new(),
            id: None,
        }))
    }
}

#[test]
fn a_re_keyed_record_is_late_as_the_record_it_was() {
    let windows = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
    let by_value = stream("in").read_with(ByValue).group_by_read_key();
    let mut driver = TestDriver::new(by_value.windowed_by(windows).count().to("out"));
    driver.pipe("in", "own key", "a", 25);
    driver.pipe("in", "other key", "a", 21);
    driver.pipe("in", "other key", "a", 5);
    driver.commit();
    let counts: Vec<_> = driver
        .read("out")
        .into_iter()
        .map(|record| record.value)
        .collect();
    assert_eq!(
        counts,
        [r#"{"key":"a","start":20,"end":30,"count":2,"final":false}"#]
    );
    let late = driver.read("out.late");
    assert_eq!(
        (late[0].key.as_str(), late[0].value.as_str()),
        ("other key", "a")
    );
    let offset = ("footfall-source-offset".to_owned(), "2".to_owned());
    assert_eq!(late[0].headers.last(), Some(&offset));
}

#[test]
fn state_of_other_windows_is_refused() {
    let topology = |size| {
        let windows = TimeWindows::of(millis(size)).grace(millis(3)).unwrap();
        let counts = stream("in").group_by_key().windowed_by(windows).count();
        Topology::new("test", [counts.to("out")])
    };
    let mut task = topology(10).task("in", Partition(3));
    let mut effects = Effects::default();
    let source = Record {
        topic: "in",
        partition: Partition(3),
        offset: Offset(41),
        timestamp: Some(Timestamp(5)),
        key: Some(b"k"),
        value: None,
        headers: Vec::new(),
    };
    task.process(&source, NOW, &mut effects);
    task.commit(&mut effects);
    let mut other = topology(20).task("in", Partition(3));
    let changes = effects
        .sends
        .iter()
        .filter(|send| send.kind == Kind::Change);
    let refusals: Vec<_> = changes
        .filter_map(|send| {
            let record = &send.record;
            let key = record.key.as_deref().unwrap();
            other
                .restore("test-out-changelog", key, record.value.as_deref())
                .err()
        })
        .collect();
    let expected = "expected state of windows of 20 ms every 20 ms with a grace of 3 ms, count = count() in version 1, found that of windows of 10 ms every 10 ms with a grace of 3 ms";
    assert_eq!(refusals.len(), 1);
    assert!(
        refusals[0].to_string().starts_with(expected),
        "{}",
        refusals[0]
    );
}

#[test]
fn a_commit_writes_about_as_much_as_is_said_to_wait() {
    let mut task = Topology::new("test", [counting()]).task("in", Partition(0));
    let mut effects = Effects::default();
    for (offset, key) in (0..).zip(["a", "b", "a", "c"]) {
        let record = Record {
            topic: "in",
            partition: Partition(0),
            offset: Offset(offset),
            timestamp: Some(Timestamp(21)),
            key: Some(key.as_bytes()),
            value: None,
            headers: Vec::new(),
        };
        task.process(&record, NOW, &mut effects);
    }
    // Three keys, each in three windows, and a change of state for each.
    assert_eq!(task.waiting(), 12);
    task.commit(&mut effects);
    // And one that says how far stream time is.
    assert_eq!(effects.sends.len(), 13);
    assert_eq!(task.waiting(), 0);
}
