use super::super::{Condition, sample::record};
use footfall_task::{Record, Timestamp};
use proptest::prelude::*;

/// What it says of a value, as JSON.
#[track_caller]
fn says(expression: &str, json: &str) -> Option<String> {
    let condition = Condition::parse_any(expression);
    let condition = condition.unwrap_or_else(|error| panic!("{expression}: {error}"));
    let record = Record {
        timestamp: Some(Timestamp(1_764_000_000_123)),
        headers: vec![("a", Some(b"1")), ("a", Some(b"2")), ("b", None)],
        ..record(Some(json))
    };
    let said = condition.json(&record).unwrap();
    said.map(|json| json.get().to_owned())
}

#[track_caller]
fn all(json: &str, expected: &[(&str, &str)]) {
    for (expression, expected) in expected {
        let expected = Some((*expected).to_owned()).filter(|text| text != "nothing");
        assert_eq!(says(expression, json), expected, "{expression}");
    }
}

#[track_caller]
fn refusal(expression: &str) -> String {
    match Condition::parse(expression) {
        Ok(condition) => panic!("{condition:?}"),
        Err(refusal) => refusal,
    }
}

#[test]
fn numbers_in_json_are_numbers_whole_or_not() {
    all(
        r#"{"a":90,"b":90.5,"c":90.0,"big":9007199254740993,"more":18446744073709551616,"cost":12.50,"n":-7,"zero":0}"#,
        &[
            ("a / 60", "1.5"),
            ("b / 60", "1.5083333333333333"),
            ("c / 60", "1.5"),
            ("120 / (a / 90)", "120"),
            ("a + 1", "91"),
            ("b + 1", "91.5"),
            ("1 - b", "-89.5"),
            ("a * 2.0", "180"),
            ("a / 60 == 1.5", "true"),
            ("a == c && a == 90.0 && c == 90", "true"),
            ("a < b && b > 90 && 90 < b && b <= 90.5", "true"),
            ("a % 60", "30"),
            ("b % 60", "30.5"),
            ("c % 60", "30"),
            ("n % 3", "-1"),
            ("-a", "-90"),
            ("--a", "90"),
            ("big == 9007199254740992", "false"),
            ("big > 9007199254740992.0", "true"),
            ("big + 1", "9007199254740994"),
            ("more == 18446744073709551616 && more > big", "true"),
            ("cost", "12.50"),
            ("cost * 2", "25"),
            ("[10, 20, 30][a / 45]", "30"),
            ("[10, 20, 30][b]", "nothing"),
            ("{90: \"x\"}[c]", "\"x\""),
            ("a / zero", "nothing"),
            ("a / 0.0", "nothing"),
            ("a % zero", "nothing"),
            ("int(b) / 60", "1"),
            ("int(b)", "90"),
            ("double(7) / 2", "3.5"),
            ("7 / 2", "3"),
            ("-7 / 2", "-3"),
            ("7 / 2.0", "3.5"),
            ("record.timestamp / 1000", "1764000000"),
            ("record.timestamp / 60000 * 60000", "1764000000000"),
            ("record.timestamp / 1000.0", "1764000000.123"),
            ("string(a / 45)", "\"2\""),
            ("string(cost)", "\"12.5\""),
            ("a in [1, 90]", "true"),
            ("a + \"1\"", "nothing"),
        ],
    );
}

#[test]
fn operators_go_as_in_cel() {
    all(
        r#"{"t":true,"f":false,"x":{"y":[1,{"z":"deep"}]},"text":"né","null":null}"#,
        &[
            ("1 + 2 * 3 - 4", "3"),
            ("(1 + 2) * 3", "9"),
            ("t ? 1 : f ? 2 : 3", "1"),
            ("f ? 1 : f ? 2 : 3", "3"),
            ("(f ? t : f) ? 1 : 2", "2"),
            ("t || missing", "true"),
            ("missing || t", "true"),
            ("missing && f", "false"),
            ("missing && t", "nothing"),
            ("missing || f", "nothing"),
            ("!missing", "nothing"),
            ("!!t && !f", "true"),
            ("x.y[1].z", "\"deep\""),
            ("x[\"y\"][1][\"z\"]", "\"deep\""),
            ("x.y[2]", "nothing"),
            ("x.y[-1]", "nothing"),
            ("x == {\"y\": [1.0, {\"z\": \"deep\"}]}", "true"),
            ("x.y == [1]", "false"),
            ("\"y\" in x && !(\"z\" in x) && 1 in x.y", "true"),
            ("text + \"!\"", "\"né!\""),
            ("text.size() + size(x.y) + size(x)", "5"),
            ("[1] + x.y", "[1,1,{\"z\":\"deep\"}]"),
            ("\"a\" < \"b\" && b\"a\" < b\"b\"", "true"),
            ("`null` == null && null == null && text != null", "true"),
            ("text == 1", "false"),
            ("text != 1", "true"),
            ("text < 1 || t", "true"),
            (
                "{\"a\": t, 1: x.y}",
                "{\"a\":true,\"1\":[1,{\"z\":\"deep\"}]}",
            ),
            ("{\"a\": 1, \"a\": 2}", "nothing"),
            ("b\"abc\"", "\"YWJj\""),
            ("5u + 0x10", "21"),
            (
                "type(text) == string && type(x) == map && type(t) != int",
                "true",
            ),
        ],
    );
}

#[test]
fn functions_and_loops_go_as_in_cel() {
    all(
        r#"{"url":"/shop/cart","tags":["b","a"],"items":[{"price":5},{"price":7.5},{}],"o":{"k":1,"l":2}}"#,
        &[
            (
                "url.startsWith(\"/shop\") && url.endsWith(\"cart\") && url.contains(\"p/c\")",
                "true",
            ),
            (
                "url.matches(\"^/[a-z]+/\") && matches(url, \"cart$\") && !url.matches(tags[0])",
                "true",
            ),
            (
                "tags.exists(t, t == \"a\") && tags.all(t, size(t) == 1)",
                "true",
            ),
            (
                "tags.exists_one(t, t == \"a\") && !tags.existsOne(t, t != \"c\")",
                "true",
            ),
            ("tags.map(t, t + \"!\")", "[\"b!\",\"a!\"]"),
            ("tags.map(t, t != \"a\", t + \"!\")", "[\"b!\"]"),
            ("items.filter(i, i.price > 6)", "[{\"price\":7.5}]"),
            ("items.exists(i, i.price > 6)", "true"),
            ("items.exists(i, i.price > 8)", "nothing"),
            ("items.all(i, i.price > 6)", "false"),
            ("items.all(i, i.price > 4)", "nothing"),
            ("items.map(i, i.price)", "nothing"),
            ("items.map(i, has(i.price))", "[true,true,false]"),
            ("o.map(k, o[k])", "[1,2]"),
            (
                "[1, 2].map(x, [3, 4].map(y, x * 10 + y))",
                "[[13,14],[23,24]]",
            ),
            ("tags.map(tags, tags)", "[\"b\",\"a\"]"),
            (
                "has(o.k) && !has(o.m) && !has(none.m) && has(tags) && has(tags[1])",
                "true",
            ),
            ("string(1.5) + string(true) + string(7)", "\"1.5true7\""),
            (
                "[int(\"7\"), uint(7.9), double(\"1.5\"), int(-7.9)]",
                "[7,7,1.5,-7]",
            ),
            (
                "[bool(\"true\"), dyn(url) == url, bytes(\"a\") == b\"a\"]",
                "[true,true,true]",
            ),
            (
                "[record.topic, record.key, record.headers[\"a\"], record.headers.b]",
                "[\"events\",\"own\",\"2\",\"\"]",
            ),
            (
                "has(record.headers.a) && !has(record.headers[\"c\"]) && has(record.key)",
                "true",
            ),
        ],
    );
}

#[test]
fn times_and_durations_go_as_in_cel() {
    all(
        r#"{"at":"2025-11-24T16:00:00.123Z","then":"2025-11-24T15:00:00Z","for":"1h30m","ms":1764000000123}"#,
        &[
            ("timestamp(at) > timestamp(then)", "true"),
            ("timestamp(at) - timestamp(then)", "\"3600.123s\""),
            ("timestamp(at) - timestamp(then) < duration(\"2h\")", "true"),
            (
                "timestamp(then) + duration(\"90m\")",
                "\"2025-11-24T16:30:00Z\"",
            ),
            (
                "duration(\"1h\") + timestamp(then) - duration(\"1h\") == timestamp(then)",
                "true",
            ),
            ("duration(`for`).getMinutes()", "90"),
            ("duration(\"1h\") - duration(\"1.5s\")", "\"3598.5s\""),
            ("timestamp(1764000000)", "\"2025-11-24T16:00:00Z\""),
            ("timestamp(ms / 1000)", "\"2025-11-24T16:00:00.123Z\""),
            (
                "timestamp(record.timestamp / 1000) <= timestamp(at)",
                "true",
            ),
            ("int(timestamp(at))", "1764000000"),
            (
                "string(timestamp(then)) + string(duration(\"90s\"))",
                "\"2025-11-24T15:00:00Z90s\"",
            ),
            (
                "[timestamp(at)].map(t, [t.getFullYear(), t.getMonth(), t.getDate(), t.getDayOfMonth(), t.getDayOfWeek(), t.getDayOfYear(), t.getHours(), t.getMinutes(), t.getSeconds(), t.getMilliseconds()])",
                "[[2025,10,24,23,1,327,16,0,0,123]]",
            ),
            (
                "timestamp(at).getHours(\"Asia/Seoul\") + timestamp(at).getDate(\"+09:00\")",
                "26",
            ),
            ("timestamp(`for`) > timestamp(at)", "nothing"),
        ],
    );
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    for (expression, refused) in [
        (
            "page.url.startWith(\"/shop\")",
            "there is no function `startWith`; did you mean `startsWith`?",
        ),
        (
            "page.url.starts_with(\"/shop\")",
            "did you mean `startsWith`?",
        ),
        (
            "lower(page.url) == \"a\"",
            "there is no function `lower`, only size, contains, ",
        ),
        (
            "startsWith(page.url, \"/\")",
            "`startsWith` is called of a value: `VALUE.startsWith(…)`",
        ),
        ("n.int() == 5", "`int` is called as `int(…)`"),
        (
            "exists(tags, t, t == 1)",
            "`exists` is called of a list: `LIST.exists(item, …)`",
        ),
        (
            "page.url.startsWith(\"a\", \"b\")",
            "expected `x.startsWith(y)`, found another number of arguments: 3",
        ),
        ("page.url.startsWith()", "expected `x.startsWith(y)`"),
        ("size() == 1", "expected `size(x)`"),
        (
            "page.url.startsWith(5)",
            "expected a text for `x.startsWith(y)`, found a number",
        ),
        (
            "record.timestamp.startsWith(\"a\")",
            "expected a text for `x.startsWith(y)`, found a number",
        ),
        ("5.startsWith(\"a\")", "expected"),
        (
            "page.url.matches(\"(\")",
            "expected a regular expression, found `(` (unclosed group)",
        ),
        (
            "matches(page.url, \"[a\")",
            "expected a regular expression, found `[a`",
        ),
        (
            "timestamp(\"yesterday\") > timestamp(at)",
            "expected a time such as `2026-11-30T09:00:00Z`",
        ),
        (
            "duration(\"5 minutes\") > duration(d)",
            "expected a duration such as `1h30m`",
        ),
        (
            "timestamp(at).getHours(\"Mars\") == 1",
            "expected the IANA name of a time zone",
        ),
        (
            "timestamp(at) > record.timestamp",
            "`timestamp(SECONDS)` is the time of a number",
        ),
        (
            "event-type == \"a\"",
            "found `event-type`, which is a subtraction: a member of this name is written in backticks",
        ),
        ("properties.plan-name-x == \"a\"", "found `plan-name-x`"),
        ("has(page.content-type)", "found `content-type`"),
        ("$id == 1", "is written in backticks"),
        ("näme == 1", "is written in backticks"),
        ("type = \"a\"", "expected `==`, which compares, found `=`"),
        (
            "a and b",
            "expected an operator, or the end at byte 3, found `and`; CEL has `&&`",
        ),
        ("a & b", "expected `&&`"),
        (
            "\"a\"",
            "expected a condition, which is true or false, found a text",
        ),
        (
            "size(tags)",
            "expected a condition, which is true or false, found a number",
        ),
        ("!size(tags)", "expected a condition"),
        ("a == 1 && \"b\"", "expected a condition"),
        ("tags.exists(t, \"a\")", "expected a condition"),
        ("5 ? a : b", "expected a condition"),
        (
            "size(a) == \"3\"",
            "found a number and a text; `string(…)` and `double(…)`",
        ),
        ("\"a\" in \"abc\"", "`TEXT.contains(PART)`"),
        ("\"a\" - 1 == 0", "beside `-`, found a text and a number"),
        ("record.keys == \"a\"", "did you mean `record.key`?"),
        (
            "timestamp(record.timestamp) > timestamp(at)",
            "expected `timestamp(record.timestamp / 1000)`, of seconds, found milliseconds",
        ),
        (
            "record.value.price > 400",
            "found `record.value`; members of the value stand by their own names",
        ),
        ("record == \"a\"", "expected one of `record.topic`"),
        (
            "record.key.id == \"a\"",
            "expected what has members or items, found a text",
        ),
        ("tags.exists(t.x, true)", "expected `,`"),
        ("tags.exists(5, true)", "expected a name for the items"),
        (
            "tags.all(t, true, false)",
            "expected `LIST.all(item, CONDITION)`",
        ),
        ("has(5)", "expected a member in `has(…)`"),
        ("has(size(a))", "expected a member in `has(…)`"),
        ("Foo{a: 1}", "expected an operator, or the end"),
        ("a.?b", "expected"),
        ("type ==", "expected a value at byte 8, found the end"),
        ("", "expected a value at byte 1, found the end"),
        ("(a", "expected `)`"),
        ("[1, 2", "expected `]`"),
        ("a ? b", "expected `:`"),
        ("'a", "found a text without its closing quote"),
        ("in == 5", "expected a value"),
        ("a..b", "expected a name"),
    ] {
        let refusal = refusal(expression);
        assert!(refusal.contains(refused), "{expression}: {refusal}");
        assert!(!refusal.contains('\n'), "{refusal}");
    }
}

#[test]
fn a_subtraction_has_spaces_or_a_number() {
    all(
        r#"{"a":5,"b":2,"a-b":7,"p":{"c-d":8}}"#,
        &[
            ("a - b", "3"),
            ("a -b", "3"),
            ("a-1", "4"),
            ("(a)-(b)", "3"),
            ("`a-b`", "7"),
            ("p.`c-d`", "8"),
            ("p[\"c-d\"]", "8"),
        ],
    );
}

#[test]
fn depth_is_refused_and_length_is_not() {
    let nested = |before: &str, inner: &str, after: &str, count: usize| {
        format!("{}{inner}{}", before.repeat(count), after.repeat(count))
    };
    for (before, inner, after) in [
        ("(", "a", ")"),
        ("[", "1", "]"),
        ("{1: ", "1", "}"),
        ("dyn(", "a", ")"),
        ("a[", "1", "]"),
        ("!(", "a", ")"),
        ("a ? (", "a", ") : a"),
        ("tags.all(t, ", "t", ")"),
    ] {
        let refusal = |count| Condition::parse_any(&nested(before, inner, after, count)).err();
        assert_eq!(refusal(60), None, "{before}");
        for count in [65, 300, 100_000] {
            let refusal = refusal(count).unwrap();
            assert!(
                refusal.contains("at most 64 brackets within each other"),
                "{refusal}"
            );
        }
    }
    for (before, inner, after) in [
        ("!", "t", ""),
        ("-", "n", ""),
        ("", "n", " + n"),
        ("", "n", " * 1"),
        ("", "t", " && t"),
        ("", "t", " || t"),
        ("", "t", " == t"),
        ("t ? n : ", "n", ""),
        ("", "o", ".o"),
        ("", "o", "[0]"),
        ("", "o", ".filter(x, t)"),
    ] {
        let condition = Condition::parse_any(&nested(before, inner, after, 3_000)).unwrap();
        let said = condition.json(&record(Some(r#"{"t":true,"n":1,"o":[]}"#)));
        assert!(said.is_ok(), "{before}{after}");
    }
    // An opening bracket that is never closed.
    for open in ["(", "[", "{", "a(", "a.b(", "a["] {
        assert!(Condition::parse_any(&open.repeat(100_000)).is_err());
    }
    // A value may be as deep as it likes.
    let deep = nested("[", "1", "]", 100_000);
    assert_eq!(
        says("a == b", &format!(r#"{{"a":{deep},"b":{deep}}}"#)),
        None
    );
    assert_eq!(says("a", &format!(r#"{{"a":{deep}}}"#)), Some(deep));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_fail(text in "[a-c0-9 .,:?!()\\[\\]{}<>=&|+*/%'\"`\\\\rbéu-]{0,40}") {
        if let Ok(condition) = Condition::parse_any(&text) {
            let json = r#"{"a":{"b":[1.5,"c"]},"b":7,"c":"x"}"#;
            let said = condition.json(&record(Some(json)));
            prop_assert!(said.is_ok());
        }
    }

    #[test]
    fn numbers_are_computed_as_doubles_are(one in -1e6_f64..1e6, other in -1000_i32..1000) {
        let json = format!(r#"{{"one":{one},"other":{other}}}"#);
        let double = f64::from(other);
        for (operator, expected) in [("+", one + double), ("-", one - double), ("*", one * double), ("/", one / double)] {
            for expression in [format!("one {operator} other"), format!("one {operator} ({other})")] {
                let said = says(&expression, &json).map(|json| json.parse::<f64>().unwrap());
                prop_assert_eq!(said, Some(expected).filter(|number| number.is_finite()), "{}", expression);
            }
        }
    }

    #[test]
    fn whole_numbers_are_exact(one in any::<i64>(), other in any::<i64>()) {
        let json = format!(r#"{{"one":{one},"other":{other}}}"#);
        let (wide, wide_other) = (i128::from(one), i128::from(other));
        for (expression, expected) in [
            ("one + other", (wide + wide_other).to_string()),
            ("one * other", (wide * wide_other).to_string()),
            ("one < other", (one < other).to_string()),
            ("one == other", (one == other).to_string()),
        ] {
            prop_assert_eq!(says(expression, &json), Some(expected));
        }
        let literal = format!("one == {one} && one >= {one}.0 - 2048 ");
        prop_assert_eq!(says(&literal, &json), Some("true".to_owned()));
    }
}
