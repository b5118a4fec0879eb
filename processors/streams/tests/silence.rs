//! What the wall clock closes, and what is seen twice.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use footfall_streams::{
    Definition, Emit, TestDriver, TimeWindows, hours, millis, minutes, seconds, stream,
};
use proptest::prelude::*;

fn counting(emit: Emit) -> Definition {
    let windows = TimeWindows::of(millis(12))
        .advance_by(millis(5))
        .grace(millis(100))
        .unwrap();
    let counts = stream("in").group_by_key().windowed_by(windows).count();
    counts.emit(emit).idle_timeout(seconds(30)).to("out")
}

fn values(driver: &mut TestDriver) -> Vec<String> {
    let records = driver.read("out").into_iter();
    records.map(|record| record.value).collect()
}

fn idle(start: i64) -> String {
    let end = start + 12;
    format!(
        r#"{{"key":"k","start":{start},"end":{end},"count":1,"final":true,"closed_by":"idle"}}"#
    )
}

#[test]
fn after_the_idle_timeout_the_windows_that_hold_records_close_and_say_so() {
    let mut driver = TestDriver::new(counting(Emit::Final));
    driver.pipe("in", "k", "", 21);
    driver.advance_clock(millis(29_999));
    driver.commit();
    assert_eq!(values(&mut driver), [""; 0]);
    driver.advance_clock(millis(1));
    driver.commit();
    assert_eq!(values(&mut driver), [10, 15, 20].map(idle));
    driver.advance_clock(hours(1));
    driver.commit();
    assert_eq!(values(&mut driver), [""; 0]);
}

#[test]
fn a_record_in_between_begins_the_silence_anew() {
    let mut driver = TestDriver::new(counting(Emit::Final));
    driver.pipe("in", "k", "", 21);
    driver.advance_clock(seconds(20));
    driver.pipe("in", "k", "", 22);
    driver.advance_clock(seconds(20));
    driver.commit();
    assert_eq!(values(&mut driver), [""; 0]);
}

#[test]
fn what_comes_for_an_idle_closed_window_is_late_and_other_windows_take_it() {
    let mut driver = TestDriver::new(counting(Emit::Final));
    driver.pipe("in", "k", "", 21);
    driver.advance_clock(seconds(30));
    driver.commit();
    driver.read("out");
    driver.restart();
    driver.pipe("in", "k", "", 21);
    driver.pipe("in", "k", "", 26);
    driver.pipe("in", "k", "", 3);
    driver.advance_clock(seconds(30));
    driver.commit();
    let late: Vec<_> = driver
        .read("out.late")
        .into_iter()
        .map(|record| (record.headers[1].1.clone(), record.headers[2].1.clone()))
        .collect();
    let text = |windows: &str, by: &str| (windows.to_owned(), by.to_owned());
    assert_eq!(
        late,
        [
            text("[[10,22],[15,27],[20,32]]", "0"),
            text("[[15,27],[20,32]]", "0")
        ]
    );
    assert_eq!(values(&mut driver), [0, 25].map(idle));
}

#[test]
fn updates_say_what_a_window_held_before_the_clock_closed_it() {
    let mut driver = TestDriver::new(counting(Emit::Updates));
    driver.pipe("in", "k", "", 3);
    driver.advance_clock(seconds(30));
    driver.commit();
    let expected = r#"{"key":"k","start":0,"end":12,"count":1,"final":false}"#;
    assert_eq!(values(&mut driver), [expected]);
}

fn deduplicating() -> Definition {
    let windows = TimeWindows::of(minutes(5)).grace(minutes(5)).unwrap();
    stream("in")
        .dedupe_within(minutes(10), |record| record.value.map(<[u8]>::to_vec))
        .group_by_key()
        .windowed_by(windows)
        .count()
        .to("out")
}

#[test]
fn a_record_with_an_id_that_was_seen_counts_once_and_is_counted_apart() {
    let mut driver = TestDriver::new(deduplicating());
    driver.pipe("in", "k", "e1", 1_000);
    driver.pipe("in", "k", "e1", 1_000);
    driver.pipe("in", "k", "e2", 2_000);
    driver.commit();
    driver.restart();
    driver.pipe("in", "k", "e2", 2_000);
    driver.commit();
    let expected = r#"{"key":"k","start":0,"end":300000,"count":2,"final":false}"#;
    assert_eq!(values(&mut driver), [expected]);
    assert_eq!((driver.duplicates(), driver.late()), (2, 0));
}

#[test]
fn an_id_counts_again_when_it_was_seen_long_ago() {
    let mut driver = TestDriver::new(deduplicating());
    driver.pipe("in", "k", "e1", 0);
    driver.pipe("in", "k", "e1", 600_001);
    driver.commit();
    assert_eq!((values(&mut driver).len(), driver.duplicates()), (2, 0));
}

proptest! {
    #[test]
    fn however_often_records_come_again_each_counts_once(
        arrivals in prop::collection::vec((0..12_u32, 0..4_u8), 0..60),
    ) {
        let mut driver = TestDriver::new(deduplicating());
        let mut ids = std::collections::BTreeSet::new();
        for (id, then) in &arrivals {
            ids.insert(id);
            driver.pipe("in", "k", &id.to_string(), i64::from(*id) * 1_000);
            match then {
                0 => driver.commit(),
                1 => driver.crash(),
                _ => {}
            }
        }
        driver.commit();
        let values = values(&mut driver);
        let count = values.last().map_or(0, |value| {
            let value: serde_json::Value = serde_json::from_str(value).unwrap();
            value["count"].as_u64().unwrap()
        });
        prop_assert_eq!(count, u64::try_from(ids.len()).unwrap());
        prop_assert_eq!(driver.duplicates(), u64::try_from(arrivals.len() - ids.len()).unwrap());
    }

    #[test]
    fn silences_and_crashes_repeat_and_lose_no_final(
        steps in prop::collection::vec((0..200_i64, 0..5_u8), 0..40),
    ) {
        let mut driver = TestDriver::new(counting(Emit::Final));
        let mut memberships = 0;
        for (time, then) in steps {
            driver.pipe("in", "k", "", time + 1_000);
            memberships += if time % 5 < 2 { 3 } else { 2 };
            match then {
                0 => driver.commit(),
                1 => driver.crash(),
                2 => driver.advance_clock(seconds(30)),
                _ => {}
            }
        }
        driver.advance_clock(seconds(30));
        driver.commit();
        let mut starts = Vec::new();
        let mut counted = 0;
        for value in values(&mut driver) {
            let value: serde_json::Value = serde_json::from_str(&value).unwrap();
            starts.push(value["start"].as_i64().unwrap());
            counted += value["count"].as_i64().unwrap();
        }
        for late in driver.read("out.late") {
            let windows: Vec<[i64; 2]> = serde_json::from_str(&late.headers[1].1).unwrap();
            counted += i64::try_from(windows.len()).unwrap();
        }
        let said = starts.len();
        starts.sort_unstable();
        starts.dedup();
        prop_assert_eq!(starts.len(), said);
        prop_assert_eq!(counted, memberships);
    }
}
