//! Records with rows of tables in them, against a model that looks up in a map.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use footfall_streams::{
    Definition, Enrich, Join, Missing, TestDriver, TimeWindows, Topology, Unusable, minutes, route,
    stream, table,
};
use footfall_task::{Outgoing, Record, Timestamp};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

/// The row's key is the record's, and the row is added to the value.
#[derive(Debug)]
struct Append;

impl Enrich for Append {
    fn wants(&self, record: &Record<'_>) -> Result<bool, Unusable> {
        Ok(record.value != Some(b"unwanted"))
    }

    fn by(&self, record: &Record<'_>) -> Result<Option<Vec<u8>>, Unusable> {
        Ok(record.key.map(<[u8]>::to_vec))
    }

    fn join(&self, record: &Record<'_>, row: Option<&[u8]>) -> Result<Option<Vec<u8>>, Unusable> {
        Ok(row.map(|row| [record.value.unwrap_or_default(), row].concat()))
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

fn appending(missing: Missing) -> TestDriver {
    let plain = route("in").to("out");
    let join = Join {
        table: table("users"),
        with: Arc::new(Append),
        missing,
    };
    let joined = footfall_streams::Route {
        joins: vec![join],
        ..plain
    };
    TestDriver::with_partitions(Topology::new("app", []).with_routes([joined]), 2)
}

fn values(driver: &mut TestDriver, topic: &str) -> Vec<String> {
    let records = driver.read(topic).into_iter();
    records.map(|record| record.value).collect()
}

fn delete(driver: &mut TestDriver, topic: &str, key: &str) {
    driver.pipe_record(&Outgoing {
        topic: topic.into(),
        partition: None,
        timestamp: Some(Timestamp(7)),
        key: Some(key.to_owned().into()),
        value: None,
        headers: Vec::new(),
    });
}

#[test]
fn what_a_record_without_a_row_becomes_is_as_the_join_says() {
    for (missing, out, dead) in [
        (Missing::Keep, vec!["1KR", "2"], vec![]),
        (Missing::Skip, vec!["1KR"], vec![]),
        (Missing::DeadLetter, vec!["1KR"], vec!["2"]),
    ] {
        let mut driver = appending(missing);
        driver.pipe("users", "alice", "KR", 0);
        driver.pipe("in", "alice", "1", 1);
        driver.pipe("in", "bob", "2", 2);
        driver.pipe("in", "bob", "unwanted", 3);
        assert_eq!(values(&mut driver, "out"), out, "{missing:?}");
        let letters = driver.read("in.dlq");
        let found: Vec<_> = letters.iter().map(|record| &record.value).collect();
        assert_eq!(found, dead, "{missing:?}");
        for letter in letters {
            let code = ("footfall-error-code".to_owned(), "no_row".to_owned());
            assert_eq!(letter.headers[0], code);
        }
    }
}

#[test]
fn a_record_without_a_value_goes_on_so_that_deletions_do() {
    for missing in [Missing::Keep, Missing::Skip, Missing::DeadLetter] {
        let mut driver = appending(missing);
        delete(&mut driver, "in", "bob");
        let out = driver.read("out");
        assert_eq!((&*out[0].key, &*out[0].value), ("bob", ""));
    }
}

/// Counts by what rows say, so by way of a repartition topic.
fn by_country() -> Definition {
    let windows = TimeWindows::of(minutes(5)).grace(minutes(1)).unwrap();
    let users = table("users");
    stream("in")
        .filter(|record| record.value != Some(b"unwanted"))
        .left_join(
            &users,
            |record| Some(record.key?.to_vec()),
            |_, row| row.unwrap_or(b"nowhere").to_vec(),
        )
        .filter(|record| record.value != Some(b"US"))
        .read_with(ByValue)
        .group_by_read_key()
        .windowed_by(windows)
        .count()
        .to("out")
}

#[derive(Debug)]
struct ByValue;

impl footfall_streams::Extract for ByValue {
    fn extract(
        &self,
        record: &Record<'_>,
    ) -> Result<Option<footfall_streams::Extracted>, Unusable> {
        Ok(Some(footfall_streams::Extracted {
            key: record.value.unwrap_or_default().to_vec(),
            time: footfall_streams::own_time(record)?,
            inputs: Vec::new(),
            id: None,
        }))
    }
}

#[test]
fn a_stream_counts_by_what_rows_say_and_late_records_are_as_they_came() {
    let mut driver = TestDriver::with_partitions(Topology::new("app", [by_country()]), 3);
    for (user, country) in [("alice", "KR"), ("bob", "US"), ("carol", "KR")] {
        driver.pipe("users", user, country, 0);
    }
    for user in ["alice", "bob", "carol", "dave"] {
        driver.pipe("in", user, "v", 400_000);
    }
    driver.pipe("in", "dave", "unwanted", 400_000);
    driver.pipe("in", "alice", "early", 1);
    driver.commit();
    let mut counts = values(&mut driver, "out");
    counts.sort();
    let count = |key, count| {
        format!(r#"{{"key":"{key}","start":300000,"end":600000,"count":{count},"final":false}}"#)
    };
    assert_eq!(counts, [count("KR", 2), count("nowhere", 1)]);
    let late = driver.read("out.late");
    assert_eq!((&*late[0].key, &*late[0].value), ("alice", "early"));
    let names: Vec<_> = late[0].headers.iter().map(|(name, _)| &**name).collect();
    assert!(!names.contains(&"footfall-source-row"), "{names:?}");
}

#[derive(Clone, Debug)]
enum Step {
    Row { user: u8, row: Option<u8> },
    Record { user: u8 },
    Commit,
    Restart,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (0..3_u8, prop::option::of(0..9_u8)).prop_map(|(user, row)| Step::Row { user, row });
    let record = (0..3_u8).prop_map(|user| Step::Record { user });
    let step = prop_oneof![4 => row, 6 => record, 2 => Just(Step::Commit), 1 => Just(Step::Restart), 1 => Just(Step::Crash)];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn a_record_gets_the_row_there_is_when_it_is_processed(steps in steps()) {
        let mut driver = appending(Missing::Keep);
        let mut rows = BTreeMap::new();
        let (mut committed, mut pending) = (Vec::new(), Vec::new());
        let mut number = 0;
        for step in steps {
            match step {
                Step::Row { user, row: Some(row) } => {
                    driver.pipe("users", &user.to_string(), &row.to_string(), 0);
                    rows.insert(user, row.to_string());
                }
                Step::Row { user, row: None } => {
                    delete(&mut driver, "users", &user.to_string());
                    rows.remove(&user);
                }
                Step::Record { user } => {
                    number += 1;
                    driver.pipe("in", &user.to_string(), &format!("{number}:"), number);
                    let row = rows.get(&user).cloned().unwrap_or_default();
                    pending.push((user, number, row));
                }
                Step::Commit | Step::Restart => {
                    driver.commit();
                    if matches!(step, Step::Restart) {
                        driver.restart();
                    }
                    committed.append(&mut pending);
                }
                // What was not committed is processed again, by the rows of now.
                Step::Crash => {
                    driver.crash();
                    for (user, _, row) in &mut pending {
                        *row = rows.get(user).cloned().unwrap_or_default();
                    }
                }
            }
        }
        committed.append(&mut pending);
        let expected: Vec<_> = committed.iter().map(|(_, number, row)| format!("{number}:{row}")).collect();
        prop_assert_eq!(values(&mut driver, "out"), expected);
    }
}
