//! What streams write besides results: late records, records that cannot be used, re-keyed ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use footfall_streams::{
    Definition, Extract, Extracted, TestDriver, TimeWindows, Topology, Unusable, millis, own_time,
    stream,
};
use footfall_task::{
    DeadLetterCode, Effects, Kind, Offset, Outgoing, Partition, Processor as _, Record, Task as _,
    Timestamp,
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
    let changes: Vec<_> = changes.map(|send| &send.record).collect();
    let mut refusal = |changes: &[&Outgoing]| {
        let restored = changes.iter().try_for_each(|change| {
            let key = change.key.as_deref().unwrap();
            other.restore("test-out-changelog", key, change.value.as_deref())
        });
        restored
            .and_then(|()| other.restored())
            .unwrap_err()
            .to_string()
    };
    let told = refusal(&changes);
    let part = "`window` was `windows of 10 ms every 10 ms with a grace of 3 ms` and is `windows of 20 ms every 20 ms with a grace of 3 ms`";
    assert!(told.contains(part), "{told}");
    // As in changelogs that were written before shapes.
    let told = refusal(&changes[1..]);
    let part = "windows and aggregates were `windows of 10 ms every 10 ms with a grace of 3 ms, count = count()` and are `windows of 20 ms";
    assert!(told.contains(part), "{told}");
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
    // And two that say what is counted, and how far stream time is.
    assert_eq!(effects.sends.len(), 14);
    assert_eq!(task.waiting(), 0);
}

#[derive(Debug)]
struct Named(&'static str);

impl Extract for Named {
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable> {
        ByValue.extract(record)
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![("key", self.0.to_owned())]
    }
}

fn by(key: &'static str) -> Topology {
    let windows = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
    let grouped = stream("in").read_with(Named(key)).group_by_read_key();
    let counts = grouped.windowed_by(windows).count().to("out");
    Topology::new("test", [counts])
}

#[test]
fn what_was_re_keyed_by_another_definition_is_not_counted_and_not_lost() {
    let source = Record {
        topic: "in",
        partition: Partition(3),
        offset: Offset(41),
        timestamp: Some(Timestamp(5)),
        key: None,
        value: Some(b"a"),
        headers: Vec::new(),
    };
    for (key, expected) in [
        ("/a", Kind::Change),
        ("/b", Kind::DeadLetter(DeadLetterCode::Undecodable)),
    ] {
        let mut effects = Effects::default();
        by("/a")
            .task("in", Partition(3))
            .process(&source, NOW, &mut effects);
        let between = effects.sends.remove(0).record;
        let headers = between.headers.iter();
        let between = Record {
            topic: "test-out-repartition",
            headers: headers
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .collect(),
            key: between.key.as_deref(),
            value: between.value.as_deref(),
            ..source.clone()
        };
        let mut counting = by(key).task("test-out-repartition", Partition(0));
        counting.process(&between, NOW, &mut effects);
        counting.commit(&mut effects);
        let kinds: Vec<_> = effects.sends.iter().map(|send| send.kind).collect();
        assert!(kinds.contains(&expected), "{key}: {kinds:?}");
        let counted = kinds.contains(&Kind::Output);
        assert_eq!(counted, key == "/a", "{kinds:?}");
        let dead = effects
            .sends
            .iter()
            .find(|send| send.kind == Kind::DeadLetter(DeadLetterCode::Undecodable));
        assert_eq!(
            dead.map(|dead| &*dead.record.topic),
            (!counted).then_some("in.dlq")
        );
    }
}

#[test]
fn state_from_before_shapes_goes_on_and_gets_one() {
    let key = b"\x01\0\0\0\0\0\0\0\0k";
    let pane = b"\x01\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x07";
    let clock = br#"{"version":1,"stream_time":5,"shape":"windows of 12 ms every 5 ms with a grace of 3 ms, count = count()"}"#;
    let mut task = Topology::new("test", [counting()]).task("in", Partition(3));
    let log = "test-counts-changelog";
    task.restore(log, key, Some(pane)).unwrap();
    task.restore(log, b"\0", Some(clock)).unwrap();
    task.restored().unwrap();
    let state = task.state("counts").unwrap();
    assert_eq!(state.open_windows(0..1, None)[0].values[0].result(), "7");
    let mut effects = Effects::default();
    task.commit(&mut effects);
    let definition = &effects.sends[0].record;
    assert_eq!(definition.key.as_deref(), Some(&b"\0definition"[..]));
    let expected = r#"{"version":1,"definition":[["from","in"],["window","windows of 12 ms every 5 ms with a grace of 3 ms"],["aggregate","count = count()"]]}"#;
    assert_eq!(definition.value.as_deref(), Some(expected.as_bytes()));
    // Once is enough.
    let mut effects = Effects::default();
    task.commit(&mut effects);
    assert_eq!(effects.sends, []);
}
