use super::*;
use proptest::prelude::*;

fn windows(size: i64, advance: i64, grace: i64) -> Windows {
    let hopping = TimeWindows::of(millis(size)).advance_by(millis(advance));
    hopping.grace(millis(grace)).unwrap()
}

fn spans(windows: impl Iterator<Item = Window>) -> Vec<(i64, i64)> {
    windows.map(|window| (window.start, window.end)).collect()
}

#[test]
fn time_21_is_in_three_windows_of_size_12_and_advance_5() {
    let found = spans(windows(12, 5, 0).containing(21));
    assert_eq!(found, [(10, 22), (15, 27), (20, 32)]);
}

#[test]
fn no_window_begins_before_the_epoch() {
    assert_eq!(spans(windows(12, 5, 0).containing(3)), [(0, 12)]);
}

#[test]
fn windows_with_an_offset_begin_so_long_after_the_multiples_of_their_advance() {
    let offset = |offset| {
        let hopping = TimeWindows::of(millis(12)).advance_by(millis(5));
        hopping.offset_by(millis(offset)).grace(millis(0)).unwrap()
    };
    let found = spans(offset(2).containing(21));
    assert_eq!(found, [(12, 24), (17, 29)]);
    assert_eq!(spans(offset(-3).containing(21)), found);
    assert_eq!(spans(offset(7).containing(21)), found);
    assert_eq!(spans(offset(2).containing(1)), [(-3, 9)]);
    assert_eq!(offset(2).pane(1), -1);
}

/// Months of this year, so to speak: 31, 28 and 31 long, over and over.
#[derive(Debug)]
struct Months;

impl Calendar for Months {
    fn name(&self) -> String {
        "months".into()
    }

    fn period(&self, time: i64) -> Window {
        let begin = time.div_euclid(90) * 90;
        let ends = [31, 59, 90].map(|end| begin + end);
        let starts = [begin, ends[0], ends[1]];
        let index = ends.iter().position(|end| time < *end).unwrap();
        Window {
            start: starts[index],
            end: ends[index],
        }
    }

    fn longest(&self) -> Span {
        millis(31)
    }
}

#[test]
fn windows_of_a_calendar_are_its_periods() {
    let months = CalendarWindows::of(Months).grace(millis(4)).unwrap();
    assert_eq!(spans(months.containing(58)), [(31, 59)]);
    assert_eq!(spans(months.containing(59)), [(59, 90)]);
    assert_eq!((months.pane(58), months.at(31).end), (31, 59));
    assert!(!months.is_closed(months.at(31), 62));
    assert!(months.is_closed(months.at(31), 63));
    assert_ne!(months.closed_by(62), months.closed_by(63));
    assert_eq!(months.to_string(), "months with a grace of 4 ms");
    let refused = CalendarWindows::of(Months).grace(millis(-1)).unwrap_err();
    assert_eq!(refused, Error::Grace { grace: -1 });
}

#[test]
fn a_tumbling_window_holds_its_first_millisecond_and_not_its_end() {
    let tumbling = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
    assert_eq!(spans(tumbling.containing(9)), [(0, 10)]);
    assert_eq!(spans(tumbling.containing(10)), [(10, 20)]);
}

#[test]
fn a_window_closes_when_stream_time_reaches_its_end_and_grace() {
    let windows = windows(10, 10, 3);
    let window = windows.at(0);
    assert!(!windows.is_closed(window, 12));
    assert!(windows.is_closed(window, 13));
}

#[test]
fn windows_that_make_no_sense_are_refused_with_the_reason() {
    let refusal = |size, advance, grace| {
        let hopping = TimeWindows::of(millis(size)).advance_by(millis(advance));
        hopping.grace(millis(grace)).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(0, 1, 0),
        "expected a window size above 0 ms, found 0 ms"
    );
    assert_eq!(
        refusal(-7, 1, 0),
        "expected a window size above 0 ms, found -7 ms"
    );
    assert_eq!(
        refusal(5, 0, 0),
        "expected an advance above 0 ms, found 0 ms"
    );
    assert_eq!(
        refusal(5, -2, 0),
        "expected an advance above 0 ms, found -2 ms"
    );
    assert_eq!(
        refusal(5, 6, 0),
        "expected an advance up to the window size of 5 ms, found 6 ms"
    );
    assert_eq!(
        refusal(5, 5, -1),
        "expected a grace of 0 ms or more, found -1 ms"
    );
}

#[test]
fn the_greatest_time_there_is_overflows_nothing() {
    let windows = windows(12, 5, 7);
    let found = spans(windows.containing(i64::MAX));
    assert!(!found.is_empty());
    assert!(windows.pane(i64::MAX) > 0);
}

proptest! {
    #[test]
    fn windows_are_those_that_the_definition_names(
        advance in 1..40_i64, more in 0..100_i64, time in 0..2_000_i64,
    ) {
        let windows = windows(advance + more, advance, 0);
        let all = (0..=time).step_by(usize::try_from(advance).unwrap()).map(|start| windows.at(start));
        let expected = spans(all.filter(|window| window.start <= time && time < window.end));
        prop_assert!(windows.overlapping() >= expected.len());
        prop_assert_eq!(spans(windows.containing(time)), expected);
    }

    #[test]
    fn no_more_windows_overlap_than_there_are_at_some_time(
        advance in 1..40_i64, more in 0..100_i64,
    ) {
        let windows = windows(advance + more, advance, 0);
        let far = 40 * 140;
        let most = (far..far + advance).map(|time| windows.containing(time).count()).max();
        prop_assert_eq!(Some(windows.overlapping()), most);
    }

    #[test]
    fn a_pane_is_wholly_inside_or_outside_of_every_window(
        advance in 1..40_i64, more in 0..100_i64, offset in 0..50_i64, time in 0..2_000_i64,
    ) {
        let hopping = TimeWindows::of(millis(advance + more)).advance_by(millis(advance));
        let windows = hopping.offset_by(millis(offset)).grace(millis(0)).unwrap();
        let pane = windows.pane(time);
        prop_assert!(pane <= time);
        prop_assert_eq!(windows.pane(pane), pane);
        prop_assert_eq!(spans(windows.containing(pane)), spans(windows.containing(time)));
        prop_assert_eq!(Some(windows.last_of_pane(pane)), windows.containing(time).next_back());
    }
}
