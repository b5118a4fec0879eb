//! What is seen twice, in sessions, which may reach further back than ids are kept.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use footfall_streams::{
    Aggregation, Definition, Extract, Extracted, Function, Input, SessionWindows, TestDriver,
    Unusable, millis, own_key, own_time, stream,
};
use footfall_task::Record;
use proptest::prelude::*;
use std::collections::BTreeMap;

const WITHIN: i64 = 50;
const GAP: i64 = 10;
const GRACE: i64 = 15;

/// A record's value is its id.
#[derive(Debug)]
struct ById;

impl Extract for ById {
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable> {
        let id = record.value.map(<[u8]>::to_vec);
        let text = String::from_utf8(id.clone().unwrap_or_default()).unwrap();
        Ok(Some(Extracted {
            key: own_key(record)?.to_vec(),
            time: own_time(record)?,
            inputs: vec![Input::Missing, Input::Value(format!("\"{text}\"").into())],
            id,
        }))
    }
}

fn sessions() -> Definition {
    let aggregation = |name: &str, function| Aggregation {
        name: name.into(),
        function,
        field: "".into(),
    };
    let windows = SessionWindows::with_gap(millis(GAP)).grace(millis(GRACE));
    stream("in")
        .read_with(ById)
        .dedupe_read_ids_within(millis(WITHIN))
        .group_by_key()
        .windowed_by(windows.unwrap())
        .aggregate([
            aggregation("count", Function::Count),
            aggregation("ids", Function::Distinct),
        ])
        .to("out")
}

/// By start and end: the count, and how many different ids.
type Standing = BTreeMap<(i64, i64), (u64, u64)>;

/// The sessions that were said and not taken back.
fn standing(driver: &mut TestDriver) -> Standing {
    let mut standing = Standing::new();
    for record in driver.read("out") {
        let key: serde_json::Value = serde_json::from_str(&record.key).unwrap();
        let place = ["start", "end"].map(|name| key[name].as_i64().unwrap());
        let place = (place[0], place[1]);
        if record.value.is_empty() {
            standing.remove(&place);
            continue;
        }
        let value: serde_json::Value = serde_json::from_str(&record.value).unwrap();
        let count = |name: &str| value[name].as_u64().unwrap();
        standing.insert(place, (count("count"), count("ids")));
    }
    standing
}

#[test]
fn a_duplicate_does_not_lengthen_its_session() {
    let mut driver = TestDriver::new(sessions());
    driver.pipe("in", "k", "e1", 100);
    driver.pipe("in", "k", "e1", 108);
    driver.pipe("in", "k", "e2", 112);
    driver.commit();
    let expected = [((100, 110), (1, 1)), ((112, 122), (1, 1))];
    assert_eq!(standing(&mut driver), expected.into());
    assert_eq!((driver.duplicates(), driver.late()), (1, 0));
}

#[test]
fn a_record_that_comes_again_for_a_session_that_has_gone_on_for_long_is_late_and_counts_once() {
    let mut driver = TestDriver::new(sessions());
    let mut arrivals = 0;
    for time in (100..300).step_by(8) {
        driver.pipe("in", "k", &time.to_string(), time);
        driver.commit();
        arrivals += 1;
    }
    driver.restart();
    driver.pipe("in", "k", "100", 100);
    driver.commit();
    let expected = [((100, 302), (arrivals, arrivals))];
    assert_eq!(standing(&mut driver), expected.into());
    let late = driver.read("in.dlq").len() + driver.read("out.late").len();
    assert_eq!(late, 1);
}

#[test]
fn without_an_id_a_record_within_an_open_session_is_not_late() {
    let undeduped = Definition {
        dedupe: None,
        ..sessions()
    };
    let mut driver = TestDriver::new(undeduped);
    for time in [100, 110, 120, 130, 101] {
        driver.pipe("in", "k", &time.to_string(), time);
    }
    driver.commit();
    assert_eq!(standing(&mut driver), [((100, 140), (5, 5))].into());
}

proptest! {
    #[test]
    fn whatever_comes_again_and_when_no_session_counts_an_id_twice(
        arrivals in prop::collection::vec((0..40_i64, 0..5_u8), 0..80),
    ) {
        let mut driver = TestDriver::new(sessions());
        for (id, then) in &arrivals {
            driver.pipe("in", "k", &id.to_string(), id * 7);
            match then {
                0 => driver.commit(),
                1 => driver.crash(),
                _ => {}
            }
        }
        driver.commit();
        let mut counted = 0;
        for (session, (count, ids)) in standing(&mut driver) {
            prop_assert_eq!(count, ids, "{:?}", session);
            counted += count;
        }
        let all = u64::try_from(arrivals.len()).unwrap();
        prop_assert_eq!(counted + driver.late() + driver.duplicates(), all);
    }
}
