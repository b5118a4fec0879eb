use super::*;
use proptest::prelude::*;
use serde::de::IgnoredAny;

fn scan(json: &str) -> Result<Value<'_>, Error> {
    let mut scanner = Scanner::new(json);
    let value = scanner.value()?;
    scanner.end().map(|()| value)
}

fn read(json: &str) -> ([Option<&str>; 2], bool) {
    let mut scanner = Scanner::new(json);
    let Nested::Object(members) = scanner.members(&["a", "b"]).unwrap() else {
        panic!("no object: {json}");
    };
    scanner.end().unwrap();
    let values = members
        .values
        .map(|value| value.map(|value| value.json.as_str()));
    (values, members.duplicate)
}

#[test]
fn members_are_found_by_their_unescaped_names() {
    let json = r#" {"b" : [1, 2] , "\u0061":"x","c":{}} "#;
    assert_eq!(read(json), ([Some("\"x\""), Some("[1, 2]")], false));
}

#[test]
fn null_is_absent_and_a_member_twice_is_told_known_or_not() {
    assert_eq!(read(r#"{"a":null}"#), ([None, None], false));
    assert_eq!(read(r#"{"a":null,"\u0061":1}"#), ([None, None], true));
    assert_eq!(read(r#"{"c":1,"c":2}"#), ([None, None], true));
    assert_eq!(read(r#"{"c":{"d":1,"d":2}}"#), ([None, None], false));
}

#[test]
fn names_with_lone_surrogates_are_names_like_others() {
    assert_eq!(read(r#"{"\ud800":1,"a":2}"#), ([Some("2"), None], false));
}

#[test]
fn what_is_no_object_is_told_and_null_is_absent() {
    for (json, is_absent) in [("null", true), ("[{}]", false), ("1", false)] {
        let nested = Scanner::new(json).members(&["a"]).unwrap();
        assert_eq!(matches!(nested, Nested::Absent), is_absent, "{json}");
        assert_eq!(matches!(nested, Nested::Other), !is_absent, "{json}");
    }
}

#[test]
fn an_array_is_taken_apart() {
    let mut scanner = Scanner::new(r#" [ {"b": [1]} , 2.50,"," ] "#);
    let mut found = Vec::new();
    let taken = scanner.elements(|scanner| {
        found.push(scanner.value()?.json.as_str());
        Ok(())
    });
    taken.and_then(|()| scanner.end()).unwrap();
    assert_eq!(found, [r#"{"b": [1]}"#, "2.50", "\",\""]);
}

#[test]
fn an_error_says_where_and_what_should_be_there() {
    let said = |json| scan(json).unwrap_err().to_string();
    assert_eq!(said(r#"{"a" 1}"#), "byte 5 where `:` should be");
    assert_eq!(said("[1 2]"), "byte 3 where `,` or `]` should be");
    assert_eq!(said("{} x"), "byte 3 where the end should be");
    assert_eq!(said(&"[".repeat(513)), "more than 512 levels");
}

#[test]
fn escapes_in_a_value_are_told() {
    for (json, escaped) in [
        (r#""plain text of some length""#, false),
        (r#""plain text of some\nlength""#, true),
        (r#"{"\u0061":1}"#, true),
        (r#"["x"]"#, false),
    ] {
        assert_eq!(scan(json).unwrap().escaped, escaped, "{json}");
    }
}

#[test]
fn levels_are_counted_and_brackets_in_strings_are_none() {
    for (json, levels) in [
        ("1", 0),
        ("{}", 1),
        (r#"["[[[\"[["]"#, 1),
        ("[[],[{}],[]]", 3),
    ] {
        assert_eq!(scan(json).unwrap().levels, levels, "{json}");
    }
}

/// Pieces that make JSON, and break it.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "{",
            "}",
            "[",
            "]",
            "{}",
            "[]",
            ",",
            ":",
            "\"",
            "\"a\"",
            "\"a\":",
            "\\",
            "\"\\u00e9\"",
            "\"\\ud800\"",
            "\"\\u12g4\"",
            "\"\\x\"",
            "\"é\"",
            "\u{1}",
            "0",
            "01",
            "-",
            "-1",
            "1.5",
            "1.",
            ".5",
            "1e5",
            "1E+05",
            "1e",
            "1e999",
            "true",
            "false",
            "null",
            "nul",
            " ",
            "\n",
            "\u{a0}",
        ][..],
    );
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A JSON value of every kind, with space.
fn values() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        prop::num::f64::NORMAL.prop_map(|value| serde_json::to_string(&value).unwrap()),
        any::<String>().prop_map(|value| serde_json::to_string(&value).unwrap()),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let member = (any::<String>(), inner.clone()).prop_map(|(name, value)| {
            format!("{} : {value}", serde_json::to_string(&name).unwrap())
        });
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(" ,\t"))),
            prop::collection::vec(member, 0..4).prop_map(|all| format!("{{\n{}}}", all.join(","))),
        ]
    })
}

/// Whether serde_json reads it.
fn is_json(json: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(json).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_takes_what_serde_json_takes_and_nothing_else(json in pieces()) {
        prop_assert_eq!(scan(&json).is_ok(), is_json(&json), "{}", json);
    }

    #[test]
    fn every_value_is_taken_whole(json in values()) {
        prop_assert_eq!(scan(&json).unwrap().json.as_str(), &json);
    }

    #[test]
    fn a_value_with_a_byte_changed_is_taken_only_where_serde_json_takes_it(
        json in values(),
        at: prop::sample::Index,
        by in "[ -~\n]",
    ) {
        let at = json.floor_char_boundary(at.index(json.len()));
        let mut changed = json;
        let end = changed.ceil_char_boundary(at + 1);
        changed.replace_range(at..end, &by);
        prop_assert_eq!(scan(&changed).is_ok(), is_json(&changed), "{}", changed);
    }

    #[test]
    fn depth_is_counted_exactly(depth in 1_usize..600) {
        let json = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        prop_assert_eq!(scan(&json).map(|value| value.levels).ok(), (depth <= 512).then_some(depth));
    }
}
