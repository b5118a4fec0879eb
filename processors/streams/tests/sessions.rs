//! Sessions against a model that keeps the times of every session as a list.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "shared/steps.rs"]
mod steps;

use footfall_streams::{Definition, Emit, SessionWindows, TestDriver, millis, stream};
use proptest::prelude::*;
use std::collections::BTreeMap;
use steps::Step;

const GAP: i64 = 10;
const GRACE: i64 = 15;

/// Key, start and end.
type Place = (String, i64, i64);

#[derive(Debug, Default)]
struct Model {
    stream_time: i64,
    open: Vec<(u8, Vec<i64>)>,
    closed: Vec<(Place, usize)>,
    late: usize,
}

impl Model {
    fn run(steps: &[Step]) -> Self {
        let mut model = Self::default();
        for step in steps {
            if let Step::Record { key, time } = step {
                model.add(*key, *time);
            }
        }
        model
    }

    fn add(&mut self, key: u8, time: i64) {
        self.stream_time = self.stream_time.max(time);
        let open = std::mem::take(&mut self.open).into_iter();
        let is_over = |times: &[i64]| times.iter().max().unwrap() + GAP + GRACE <= self.stream_time;
        let (mut over, open): (Vec<_>, Vec<_>) = open.partition(|(_, times)| is_over(times));
        over.sort_by_key(|(key, times)| (*times.iter().max().unwrap(), key.to_string()));
        self.closed.extend(over.iter().map(said));
        let is_near = |(other, times): &(u8, Vec<i64>)| {
            *other == key && times.iter().any(|other| other.abs_diff(time) <= 10)
        };
        let (near, mut open): (Vec<_>, Vec<_>) = open.into_iter().partition(is_near);
        if near.is_empty() && time + GAP + GRACE <= self.stream_time {
            self.late += 1;
        } else {
            let times = near.into_iter().flat_map(|(_, times)| times);
            open.push((key, times.chain([time]).collect()));
        }
        self.open = open;
    }

    /// Every session there was.
    fn all(&self) -> BTreeMap<Place, usize> {
        let open = self.open.iter().map(said);
        self.closed.iter().cloned().chain(open).collect()
    }
}

fn said((key, times): &(u8, Vec<i64>)) -> (Place, usize) {
    let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    ((key.to_string(), *first, last + GAP), times.len())
}

fn counting(emit: Emit) -> Definition {
    let sessions = SessionWindows::with_gap(millis(GAP)).grace(millis(GRACE));
    let grouped = stream("in").group_by_key().windowed_by(sessions.unwrap());
    grouped.count().emit(emit).to("out")
}

fn run(steps: &[Step], emit: Emit) -> TestDriver {
    let mut driver = TestDriver::new(counting(emit));
    steps::run(steps, &mut driver);
    driver
}

/// Each record on the topic of the results: its window, and its count unless it takes it back.
fn written(driver: &mut TestDriver) -> Vec<(Place, Option<usize>, bool)> {
    let records = driver.read("out");
    let read = records.iter().map(|record| {
        let key: serde_json::Value = serde_json::from_str(&record.key).unwrap();
        let time = |name: &str| key[name].as_i64().unwrap();
        let place = (
            key["key"].as_str().unwrap().to_owned(),
            time("start"),
            time("end"),
        );
        if record.value.is_empty() {
            return (place, None, false);
        }
        let value: serde_json::Value = serde_json::from_str(&record.value).unwrap();
        let count = usize::try_from(value["count"].as_u64().unwrap()).unwrap();
        (place, Some(count), value["final"].as_bool().unwrap())
    });
    read.collect()
}

fn at(times: &[i64]) -> Vec<Step> {
    let records = times.iter();
    records
        .map(|time| Step::Record {
            key: 7,
            time: *time,
        })
        .collect()
}

#[test]
fn a_record_within_the_gap_joins_and_one_beyond_it_begins_a_session() {
    let mut driver = run(&at(&[100, 110, 121]), Emit::Updates);
    let place = |start, end| ("7".to_owned(), start, end);
    let expected = [
        (place(100, 120), Some(2), false),
        (place(121, 131), Some(1), false),
    ];
    assert_eq!(written(&mut driver), expected);
}

#[test]
fn sessions_that_meet_become_one_and_what_was_said_of_them_is_taken_back() {
    let mut steps = at(&[100, 120]);
    steps.push(Step::Restart);
    steps.extend(at(&[110]));
    let mut driver = run(&steps, Emit::Both);
    driver.pipe("in", "7", "", 145);
    driver.commit();
    let place = |start, end| ("7".to_owned(), start, end);
    let mut all = written(&mut driver);
    all[2..4].sort();
    let expected = [
        (place(100, 110), Some(1), false),
        (place(120, 130), Some(1), false),
        (place(100, 110), None, false),
        (place(120, 130), None, false),
        (place(100, 130), Some(3), false),
        (place(100, 130), Some(3), true),
        (place(145, 155), Some(1), false),
    ];
    assert_eq!(all, expected);
}

#[test]
fn a_late_record_names_the_session_it_would_have_been() {
    let mut driver = run(&at(&[100, 75]), Emit::Final);
    let late = driver.read("out.late");
    let header = |name: &str| {
        let mut headers = late[0].headers.iter();
        &headers.find(|(other, _)| other == name).unwrap().1
    };
    assert_eq!(header("footfall-late-windows"), "[[75,85]]");
    assert_eq!(header("footfall-late-by-ms"), "25");
}

#[test]
fn a_record_within_an_open_session_is_never_late() {
    let mut driver = run(&at(&[75, 85, 95, 100, 76]), Emit::Updates);
    let expected = [(("7".to_owned(), 75, 110), Some(5), false)];
    assert_eq!(written(&mut driver), expected);
}

#[test]
fn the_wall_clock_closes_a_session_once_and_what_comes_for_it_later_is_late() {
    let definition = Definition {
        idle_timeout: Some(millis(50)),
        ..counting(Emit::Final)
    };
    let mut driver = TestDriver::new(definition);
    driver.pipe("in", "7", "", 100);
    driver.advance_clock(millis(60));
    driver.commit();
    driver.restart();
    driver.pipe("in", "7", "", 105);
    driver.pipe("in", "7", "", 111);
    driver.pipe("in", "8", "", 190);
    driver.commit();
    let output = driver.read("out");
    let values: Vec<_> = output.iter().map(|record| record.value.as_str()).collect();
    let expected = [
        r#"{"key":"7","start":100,"end":110,"count":1,"final":true,"closed_by":"idle"}"#,
        r#"{"key":"7","start":111,"end":121,"count":1,"final":true,"closed_by":"time"}"#,
    ];
    assert_eq!(values, expected);
    assert_eq!(driver.late(), 1);
}

proptest! {
    #[test]
    fn what_is_not_taken_back_is_what_every_session_holds(steps in steps::any(2, 150)) {
        let model = Model::run(&steps);
        let mut driver = run(&steps, Emit::Updates);
        let mut held = BTreeMap::new();
        for (place, count, _) in written(&mut driver) {
            match count {
                Some(count) => { held.insert(place, count); }
                None => { prop_assert!(held.remove(&place).is_some(), "{:?} was never said", place); }
            }
        }
        prop_assert_eq!(&held, &model.all());
        let records = steps.iter().filter(|step| matches!(step, Step::Record { .. })).count();
        prop_assert_eq!(held.values().sum::<usize>() + model.late, records);
        prop_assert_eq!(usize::try_from(driver.late()).unwrap(), model.late);
    }

    #[test]
    fn each_closed_session_is_final_once_and_in_order(steps in steps::any(2, 150)) {
        let model = Model::run(&steps);
        let mut driver = run(&steps, Emit::Final);
        let finals: Vec<_> = written(&mut driver).into_iter().map(|(place, count, _)| (place, count.unwrap())).collect();
        prop_assert_eq!(finals, model.closed);
    }
}
