//! Streams against a model that keeps every window on its own, for any order of arrival, any
//! commits, any restarts.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "shared/steps.rs"]
mod steps;

use footfall_streams::{
    Definition, DriverRecord, Emit, TestDriver, TimeWindows, Topology, Windows, millis, stream,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use steps::Step;

#[derive(Clone, Debug)]
struct Case {
    size: i64,
    advance: i64,
    grace: i64,
    steps: Vec<Step>,
}

/// Key and start of a window.
type Place = (String, i64);

/// Every window on its own, as the definition has it.
#[derive(Debug, Default)]
struct Model {
    stream_time: i64,
    counts: BTreeMap<Place, i64>,
    memberships: i64,
    refused: i64,
    late: u64,
}

impl Model {
    fn add(&mut self, case: &Case, key: u8, time: i64) {
        self.stream_time = self.stream_time.max(time);
        let mut is_late = false;
        let starts = (0..=time).filter(|start| start % case.advance == 0);
        for start in starts.filter(|start| time < start + case.size) {
            self.memberships += 1;
            if start + case.size + case.grace > self.stream_time {
                *self.counts.entry((key.to_string(), start)).or_default() += 1;
            } else {
                self.refused += 1;
                is_late = true;
            }
        }
        self.late += u64::from(is_late);
    }

    fn run(case: &Case) -> Self {
        let mut model = Self::default();
        for step in &case.steps {
            if let Step::Record { key, time } = step {
                model.add(case, *key, *time);
            }
        }
        model
    }

    fn is_closed(&self, case: &Case, start: i64) -> bool {
        start + case.size + case.grace <= self.stream_time
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let steps = steps::any(3, 200);
    (1..20_i64, 0..40_i64, 0..30_i64, steps).prop_map(|(advance, more, grace, steps)| Case {
        size: advance + more,
        advance,
        grace,
        steps,
    })
}

fn windows(case: &Case) -> Windows {
    let hopping = TimeWindows::of(millis(case.size)).advance_by(millis(case.advance));
    hopping.grace(millis(case.grace)).unwrap()
}

fn counting(case: &Case, emit: Emit) -> Definition {
    let counts = stream("in")
        .group_by_key()
        .windowed_by(windows(case))
        .count();
    counts.emit(emit).to("out")
}

/// What a stream has said: key and start of a window, count, and in which order.
fn results(driver: &mut TestDriver) -> Vec<(Place, i64)> {
    let output = driver.read("out");
    let results = output.iter().map(|record| {
        let (place, count, _) = said(record);
        (place, count)
    });
    results.collect()
}

/// A result: its window, its count, and whether it is final.
fn said(record: &DriverRecord) -> (Place, i64, bool) {
    let value: serde_json::Value = serde_json::from_str(&record.value).unwrap();
    let key = value["key"].as_str().unwrap().to_owned();
    (
        (key, value["start"].as_i64().unwrap()),
        value["count"].as_i64().unwrap(),
        value["final"].as_bool().unwrap(),
    )
}

/// The windows that late records name as refusing them.
fn refused(driver: &mut TestDriver) -> i64 {
    let late = driver.read("out.late");
    let windows = late.iter().map(|record| {
        let header = record
            .headers
            .iter()
            .find(|(name, _)| name == "footfall-late-windows");
        let windows: Vec<[i64; 2]> = serde_json::from_str(&header.unwrap().1).unwrap();
        i64::try_from(windows.len()).unwrap()
    });
    windows.sum()
}

proptest! {
    #[test]
    fn updates_end_at_what_every_window_holds(case in cases()) {
        let model = Model::run(&case);
        let mut driver = TestDriver::new(counting(&case, Emit::Updates));
        steps::run(&case.steps, &mut driver);
        let last: BTreeMap<_, _> = results(&mut driver).into_iter().collect();
        prop_assert_eq!(&last, &model.counts);
    }

    #[test]
    fn counts_and_refusals_are_all_memberships(case in cases()) {
        let model = Model::run(&case);
        let mut driver = TestDriver::new(counting(&case, Emit::Updates));
        steps::run(&case.steps, &mut driver);
        let last: BTreeMap<_, _> = results(&mut driver).into_iter().collect();
        let refused = refused(&mut driver);
        prop_assert_eq!(refused, model.refused);
        prop_assert_eq!(last.values().sum::<i64>() + refused, model.memberships);
        prop_assert_eq!(driver.late(), model.late);
    }

    #[test]
    fn each_closed_window_is_final_once_with_all_it_took_and_in_order(case in cases()) {
        let model = Model::run(&case);
        let mut driver = TestDriver::new(counting(&case, Emit::Final));
        steps::run(&case.steps, &mut driver);
        let said = results(&mut driver);
        let mut expected: Vec<_> = model.counts.iter().collect();
        expected.retain(|((_, start), _)| model.is_closed(&case, *start));
        expected.sort_by_key(|((key, start), _)| (*start, key.clone()));
        let expected: Vec<_> = expected.into_iter().map(|(place, count)| (place.clone(), *count)).collect();
        prop_assert_eq!(said, expected);
    }

    #[test]
    fn with_both_every_window_has_its_last_update_and_each_closed_one_its_final(case in cases()) {
        let model = Model::run(&case);
        let mut driver = TestDriver::new(counting(&case, Emit::Both));
        steps::run(&case.steps, &mut driver);
        let said: Vec<_> = driver.read("out").iter().map(said).collect();
        let last: BTreeMap<_, _> = said.iter().map(|(place, count, _)| (place.clone(), *count)).collect();
        prop_assert_eq!(&last, &model.counts);
        let finals: Vec<_> = said.into_iter().filter(|(_, _, is_final)| *is_final).map(|(place, _, _)| place).collect();
        let mut closed: Vec<_> = model.counts.into_keys().filter(|(_, start)| start + case.size + case.grace <= model.stream_time).collect();
        closed.sort_by_key(|(key, start)| (*start, key.clone()));
        prop_assert_eq!(finals, closed);
    }

    #[test]
    fn records_times_size_by_advance_are_counts_and_refusals_away_from_time_0(
        case in cases(), per_window in 1..5_i64, partitions in 1..4_u32,
    ) {
        let case = Case { size: case.advance * per_window, ..case };
        let far = |step: Step| match step {
            Step::Record { key, time } => Step::Record { key, time: time + 1_000 },
            other @ (Step::Commit | Step::Restart | Step::Crash) => other,
        };
        let case = Case { steps: case.steps.into_iter().map(far).collect(), ..case };
        let records = case.steps.iter().filter(|step| matches!(step, Step::Record { .. })).count();
        let topology = Topology::new("test", [counting(&case, Emit::Updates)]);
        let mut driver = TestDriver::with_partitions(topology, partitions);
        steps::run(&case.steps, &mut driver);
        let last: BTreeMap<_, _> = results(&mut driver).into_iter().collect();
        let counted = last.values().sum::<i64>() + refused(&mut driver);
        prop_assert_eq!(counted, i64::try_from(records).unwrap() * per_window);
    }

    #[test]
    fn partitions_count_apart_and_lose_nothing(case in cases(), partitions in 1..4_u32) {
        let topology = Topology::new("test", [counting(&case, Emit::Updates)]);
        let mut driver = TestDriver::with_partitions(topology, partitions);
        steps::run(&case.steps, &mut driver);
        let last: BTreeMap<_, _> = results(&mut driver).into_iter().collect();
        let memberships = Model::run(&case).memberships;
        prop_assert_eq!(last.values().sum::<i64>() + refused(&mut driver), memberships);
    }
}
