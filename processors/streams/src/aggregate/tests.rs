use super::*;
use proptest::prelude::*;

/// A record: the number that it has, if it has one, and when it happened.
type Event = (Option<i32>, i64, i64);

fn functions() -> Vec<Function> {
    let written: [(&str, &[&str]); 12] = [
        ("count", &[]),
        ("sum", &[]),
        ("min", &[]),
        ("max", &[]),
        ("mean", &[]),
        ("distinct", &[]),
        ("quantile", &["0.5"]),
        ("quantiles", &["0", "0.99", "1"]),
        ("first", &[]),
        ("last", &[]),
        ("top", &["1"]),
        ("top", &["3"]),
    ];
    let read = |(name, parameters): (&str, &[&str])| Function::read(name, parameters).unwrap();
    written.map(read).to_vec()
}

fn function(name: &str, parameters: &[&str]) -> Function {
    Function::read(name, parameters).unwrap()
}

fn gathered(function: &Function, events: &[Event]) -> Accumulator {
    let mut accumulator = function.start();
    for (number, time, offset) in events {
        let text = number.map(|number| number.to_string());
        let input = match (text, function.reads()) {
            (Some(text), Reads::Number) => Input::Number(Decimal::parse(&text).unwrap()),
            (Some(text), Reads::Value) => Input::Value(text.into()),
            (Some(text), Reads::Real) => Input::Real(Real::parse(&text).unwrap()),
            (_, Reads::Nothing) | (None, _) => Input::Missing,
        };
        let place = Place {
            time: *time,
            offset: *offset,
            partition: 3,
        };
        let input = &input;
        accumulator.add(Sample { input, place });
    }
    accumulator
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let number = proptest::option::of(prop_oneof![any::<i32>(), -3..4_i32]);
    proptest::collection::vec((number, 0..5_i64, 0..9_i64), 0..12)
}

#[test]
fn without_a_value_there_is_a_result_for_each() {
    let results = functions()
        .into_iter()
        .map(|function| gathered(&function, &[(None, 1, 2)]).result());
    let quantiles = r#"{"0":null,"0.99":null,"1":null}"#;
    let expected = [
        "1", "0", "null", "null", "null", "0", "null", quantiles, "null", "null", "[]", "[]",
    ];
    assert_eq!(results.collect::<Vec<_>>(), expected);
}

#[test]
fn results_are_exact_where_they_can_be() {
    // In the order of arrival, which is not that of events.
    let events = [
        (Some(7), 20, 5),
        (None, 10, 1),
        (Some(-3), 20, 4),
        (Some(7), 20, 6),
        (Some(5), 30, 3),
        (Some(12), 30, 2),
    ];
    let results = functions()
        .into_iter()
        .map(|function| gathered(&function, &events).result());
    let expected = [
        "6",
        "28",
        "-3",
        "12",
        "5.6",
        "4",
        "7.01752",
        r#"{"0":-3,"0.99":12,"1":12}"#,
        "-3",
        "5",
        r#"[{"value":7,"count":2}]"#,
        r#"[{"value":7,"count":2},{"value":-3,"count":1},{"value":12,"count":1}]"#,
    ];
    let results: Vec<_> = results.collect();
    assert_eq!(results[..6], expected[..6]);
    assert_eq!(results[8..], expected[8..]);
    let median: f64 = results[6].parse().unwrap();
    assert!((median - 7.0).abs() <= 0.07, "{median}");
    let shares: std::collections::BTreeMap<String, f64> =
        serde_json::from_str(&results[7]).unwrap();
    assert_eq!((shares["0"], shares["1"]), (-3.0, 12.0));
}

#[test]
fn a_mean_is_rounded_in_its_eighteenth_digit() {
    let thirds = [(Some(1), 0, 0), (Some(0), 0, 1), (Some(1), 0, 2)];
    let mean = gathered(&function("mean", &[]), &thirds).result();
    assert_eq!(mean, "0.666666666666666667");
}

#[test]
fn ten_thousand_different_values_are_counted_within_five_in_a_hundred() {
    let events: Vec<Event> = (0..30_000).map(|n| (Some(n % 10_000), 0, 0)).collect();
    let distinct = gathered(&function("distinct", &[]), &events).result();
    let distinct: f64 = distinct.parse().unwrap();
    assert!((distinct - 10_000.0).abs() < 500.0, "{distinct}");
}

#[test]
fn quantiles_are_within_one_in_a_hundred() {
    let events: Vec<Event> = (1..=10_000).map(|n| (Some(n), 0, 0)).collect();
    for (share, rank) in [("0.01", 100.0), ("0.5", 5_000.0), ("0.999", 9_990.0)] {
        let found = gathered(&function("quantile", &[share]), &events).result();
        let found: f64 = found.parse().unwrap();
        assert!((found / rank - 1.0).abs() < 0.011, "{share}: {found}");
    }
}

/// The quantiles of numbers as they are written.
fn quantiles(share: &str, numbers: &[&str]) -> String {
    let mut accumulator = function("quantile", &[share]).start();
    for number in numbers {
        let input = &Input::Real(Real::parse(number).unwrap());
        let place = Place::default();
        accumulator.add(Sample { input, place });
    }
    let mut bytes = Vec::new();
    accumulator.save(&mut bytes);
    let loaded = function("quantile", &[share])
        .load(&mut &bytes[..])
        .unwrap();
    assert_eq!(loaded.result(), accumulator.result());
    accumulator.result()
}

#[test]
fn quantiles_of_numbers_of_any_size_are_such_numbers() {
    for number in [
        "1e27",
        "-1e27",
        "1e300",
        "1.7976931348623157e308",
        "-1.7976931348623157e308",
        "1e-300",
        "-1e-12",
        "1e-9",
    ] {
        let found = quantiles("0.5", &[number]);
        assert_eq!(found.parse::<f64>(), number.parse(), "{number}: {found}");
        let json = serde_json::from_str::<serde_json::Value>(&found).unwrap();
        assert!(json.is_number(), "{found}");
    }
    let numbers = ["-1e30", "1", "1e27", "3e27", "1e28"];
    assert_eq!(quantiles("0", &numbers), "-1e30");
    assert_eq!(quantiles("1", &numbers), "1e28");
    let middle: f64 = quantiles("0.5", &numbers).parse().unwrap();
    assert!((middle / 1e27 - 1.0).abs() < 0.011, "{middle}");
}

#[test]
fn a_frequent_value_survives_among_more_than_can_be_kept() {
    let mut events: Vec<Event> = vec![(Some(-7), 0, 0); 100];
    events.extend((0..6_000).map(|n| (Some(n), 0, 0)));
    let top = gathered(&function("top", &["1"]), &events).result();
    let top: serde_json::Value = serde_json::from_str(&top).unwrap();
    assert_eq!(top[0]["value"], -7);
    let count = top[0]["count"].as_u64().unwrap();
    assert!((94..=100).contains(&count), "{count}");
}

#[test]
fn what_is_no_function_is_told_what_was_expected() {
    let refusal = |name, parameters: &[&str]| Function::read(name, parameters).unwrap_err();
    assert!(refusal("median", &[]).starts_with("one of `count()`, `sum(/pointer)`"));
    assert_eq!(refusal("sum", &["1"]), "`sum(/pointer)`");
    assert_eq!(
        refusal("quantile", &["95"]),
        "`quantile(/pointer, 0.95)` with shares from 0 to 1"
    );
    assert_eq!(
        refusal("top", &["0"]),
        "`top(/pointer, 10)` with a whole number from 1"
    );
}

proptest! {
    #[test]
    fn panes_merge_in_any_order_to_what_one_pane_would_have(a in events(), b in events(), c in events()) {
        for function in functions() {
            let [pane_a, pane_b, pane_c] = [&a, &b, &c].map(|events| gathered(&function, events));
            let all = gathered(&function, &[&a[..], &b, &c].concat()).result();
            let mut left = pane_a.clone();
            left.merge(&pane_b);
            left.merge(&pane_c);
            let mut right = pane_b.clone();
            right.merge(&pane_c);
            let mut grouped = pane_a.clone();
            grouped.merge(&right);
            let mut backwards = pane_c;
            backwards.merge(&pane_b);
            backwards.merge(&pane_a);
            prop_assert_eq!(&left.result(), &all, "{:?}", function);
            prop_assert_eq!(&grouped.result(), &all, "{:?}", function);
            prop_assert_eq!(&backwards.result(), &all, "{:?}", function);
        }
    }

    #[test]
    fn quantiles_are_within_one_in_a_hundred_at_any_size(exponent in -8..305_i32, mut numbers in proptest::collection::vec(1..1_000_u32, 1..50)) {
        let texts: Vec<_> = numbers.iter().map(|number| format!("{number}e{exponent}")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        numbers.sort_unstable();
        for (share, index) in [("0", 0), ("0.5", (numbers.len() - 1) / 2), ("1", numbers.len() - 1)] {
            let expected: f64 = format!("{}e{exponent}", numbers[index]).parse().unwrap();
            let found: f64 = quantiles(share, &texts).parse().unwrap();
            prop_assert!((found / expected - 1.0).abs() < 0.0101, "{}: {}, not {}", share, found, expected);
        }
    }

    #[test]
    fn what_is_saved_is_loaded_and_goes_on(a in events(), b in events()) {
        for function in functions() {
            let accumulator = gathered(&function, &a);
            let mut bytes = Vec::new();
            accumulator.save(&mut bytes);
            let mut rest = &bytes[..];
            let mut loaded = function.load(&mut rest).unwrap();
            prop_assert!(rest.is_empty());
            prop_assert_eq!(loaded.result(), accumulator.result());
            loaded.merge(&gathered(&function, &b));
            let all = gathered(&function, &[&a[..], &b].concat());
            prop_assert_eq!(loaded.result(), all.result(), "{:?}", function);
        }
    }
}
