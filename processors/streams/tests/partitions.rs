//! Streams behind several source partitions: in whatever order those are read, no record is late
//! that is in order in its own, and windows hold what they would if all were read in order of time.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use footfall_streams::{
    Definition, Emit, SessionWindows, TestDriver, TimeWindows, Topology, Windows, millis, seconds,
    stream,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PARTITIONS: i32 = 3;
const SIZE: i64 = 10;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A record is written, so much later than the newest one by event time.
    Write {
        partition: i32,
        key: u8,
        later: i64,
    },
    /// The next record of a partition is read, if there is one.
    Read {
        partition: i32,
    },
    /// Time passes.
    Clock {
        millis: i64,
    },
    Commit,
    Restart,
    Crash,
}

/// A record that is there before any is read: partition, key, and how much later than the one
/// before it in its partition.
type Early = (i32, u8, i64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = (0..PARTITIONS, 0_u8..3, 0_i64..8);
    let write = write.prop_map(|(partition, key, later)| Step::Write {
        partition,
        key,
        later,
    });
    let read = (0..PARTITIONS).prop_map(|partition| Step::Read { partition });
    let clock = (0_i64..1_500).prop_map(|millis| Step::Clock { millis });
    let step = prop_oneof![
        6 => write,
        8 => read,
        3 => clock,
        2 => Just(Step::Commit),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..80)
}

fn early() -> impl Strategy<Value = Vec<Early>> {
    prop::collection::vec((0..PARTITIONS, 0_u8..3, 0_i64..8), 0..40)
}

fn counting(windows: Windows) -> Definition {
    let counts = stream("in").group_by_read_key().windowed_by(windows);
    counts.count().emit(Emit::Final).to("out")
}

/// Has all of it happen, then the rest be read and time pass; what was written, as key and time.
fn run(early: &[Early], steps: &[Step], driver: &mut TestDriver) -> Vec<(u8, i64)> {
    let mut written = Vec::new();
    let mut newest = BTreeMap::<i32, i64>::new();
    let mut write = |driver: &mut TestDriver, partition, key: u8, time| {
        driver.write_to("in", partition, &key.to_string(), "", time);
        written.push((key, time));
    };
    for (partition, key, later) in early {
        let time = newest.entry(*partition).or_default();
        *time += later;
        write(driver, *partition, *key, *time);
    }
    let mut now = newest.values().copied().max().unwrap_or_default();
    for step in steps {
        match *step {
            Step::Write {
                partition,
                key,
                later,
            } => {
                now += later;
                write(driver, partition, key, now);
            }
            Step::Read { partition } => {
                let _was_there = driver.read_next("in", partition);
            }
            Step::Clock { millis: passed } => driver.advance_clock(millis(passed)),
            Step::Commit => driver.commit(),
            Step::Crash => driver.crash(),
            Step::Restart => {
                driver.commit();
                driver.restart();
            }
        }
    }
    for partition in 0..PARTITIONS {
        while driver.read_next("in", partition) {}
    }
    // Once to see that all is read to its end, and once more for that to have settled.
    driver.advance_clock(seconds(1));
    driver.advance_clock(seconds(1));
    driver.commit();
    written
}

fn driver(windows: Windows) -> TestDriver {
    let topology = Topology::new("test", [counting(windows)]);
    TestDriver::with_partitions(topology, PARTITIONS.cast_unsigned())
}

/// Key, start and count of each result, in order.
fn finals(driver: &mut TestDriver) -> Vec<(u8, i64, i64)> {
    let output = driver.read("out").into_iter();
    let mut results: Vec<_> = output
        .map(|record| {
            let value: serde_json::Value = serde_json::from_str(&record.value).unwrap();
            let key = value["key"].as_str().unwrap().parse().unwrap();
            (
                key,
                value["start"].as_i64().unwrap(),
                value["count"].as_i64().unwrap(),
            )
        })
        .collect();
    results.sort_unstable();
    results
}

proptest! {
    #[test]
    fn no_record_is_late_because_another_partition_was_read_faster(
        early in early(), steps in steps(),
    ) {
        let windows = TimeWindows::of(millis(SIZE)).grace(millis(0)).unwrap();
        let mut driver = driver(windows);
        let written = run(&early, &steps, &mut driver);
        prop_assert_eq!(driver.late(), 0);
        // Each key has its own partition behind, whose time is that of the records there; of keys
        // that share one, a window may have closed by another's.
        let mut counts = BTreeMap::<(u8, i64), i64>::new();
        let mut newest = BTreeMap::<u8, i64>::new();
        for (key, time) in &written {
            *counts.entry((*key, time - time % SIZE)).or_default() += 1;
            let newest = newest.entry(*key).or_default();
            *newest = (*newest).max(*time);
        }
        let said = finals(&mut driver);
        let said: BTreeMap<_, _> = said.iter().map(|(key, start, count)| ((*key, *start), *count)).collect();
        for (place, count) in &said {
            prop_assert_eq!(counts.get(place), Some(count));
        }
        let due = counts.iter().filter(|((key, start), _)| start + SIZE <= newest[key]);
        for (place, count) in due {
            prop_assert_eq!(said.get(place), Some(count));
        }
    }

    #[test]
    fn no_session_is_late_or_cut_because_another_partition_was_read_faster(
        early in early(), steps in steps(),
    ) {
        let sessions = SessionWindows::with_gap(millis(SIZE)).grace(millis(0)).unwrap();
        let mut driver = driver(sessions);
        let written = run(&early, &steps, &mut driver);
        prop_assert_eq!(driver.late(), 0);
        let said: i64 = finals(&mut driver).iter().map(|(_, _, count)| count).sum();
        prop_assert!(said <= i64::try_from(written.len()).unwrap());
    }
}

#[test]
fn a_partition_without_records_stops_holding_time_back_a_second_after_it_is_read_to_its_end() {
    let windows = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
    let mut driver = driver(windows);
    for time in [5, 25] {
        driver.write_to("in", 0, "1", "", time);
        driver.read_next("in", 0);
    }
    driver.advance_clock(millis(999));
    driver.commit();
    assert_eq!(finals(&mut driver), []);
    driver.advance_clock(millis(1));
    driver.commit();
    assert_eq!(finals(&mut driver), [(1, 0, 1)]);
}

#[test]
fn a_restart_forgets_nothing_of_what_each_partition_has_reached() {
    let windows = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
    let mut driver = driver(windows);
    for (partition, time) in [(0, 15), (1, 5), (2, 31), (1, 22)] {
        driver.write_to("in", partition, "1", "", time);
    }
    for partition in [0, 1, 2] {
        driver.read_next("in", partition);
    }
    driver.commit();
    driver.restart();
    // What partition 1 has reached before is still the least.
    driver.commit();
    assert_eq!(finals(&mut driver), []);
    driver.read_next("in", 1);
    driver.commit();
    assert_eq!(finals(&mut driver), [(1, 0, 1)]);
    assert_eq!(driver.late(), 0);
}

#[test]
fn a_record_that_is_further_ahead_of_the_clock_than_an_hour_is_set_aside_before_it_moves_time() {
    let windows = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
    for is_rekeyed in [false, true] {
        let counts = Definition {
            rekeyed: is_rekeyed,
            ..counting(windows.clone())
        };
        let mut driver = TestDriver::new(counts);
        driver.set_wall_clock(1_000);
        driver.pipe("in", "1", "", 3_601_001);
        driver.pipe("in", "1", "", 5);
        driver.pipe("in", "1", "", 3_601_000);
        driver.commit();
        assert_eq!(finals(&mut driver), [(1, 0, 1)]);
        let late = driver.read("out.late");
        let names = [
            "footfall-error-code",
            "footfall-late-by-ms",
            "footfall-late-windows",
        ];
        let header = |name| late[0].headers.iter().find(|(own, _)| own == name).unwrap();
        let values = names.map(|name| header(name).1.as_str());
        assert_eq!(values, ["time_ahead", "-3600001", "[[3601000,3601010]]"]);
        assert_eq!((late.len(), driver.late()), (1, 1));
    }
}

#[test]
fn without_a_limit_a_record_may_be_ahead_of_the_clock_by_any_time() {
    let windows = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
    let mut driver = TestDriver::new(Definition {
        max_ahead: None,
        ..counting(windows)
    });
    driver.set_wall_clock(1_000);
    driver.pipe("in", "1", "", 4_102_444_800_000);
    assert_eq!(driver.late(), 0);
}
