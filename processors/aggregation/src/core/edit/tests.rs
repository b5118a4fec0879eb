use super::{super::sample::record, *};
use proptest::prelude::*;
use serde_json::Value;

fn pointer(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

fn edited(edits: &Edits, json: &str) -> String {
    let edited = edits.apply(json.as_bytes(), &record(Some(json)));
    String::from_utf8(edited.unwrap()).unwrap()
}

fn keeping(pointers: &[&str]) -> Edits {
    Edits {
        keep: pointers.iter().map(|text| pointer(text)).collect(),
        ..Edits::default()
    }
}

fn dropping(pointers: &[&str]) -> Edits {
    Edits {
        drop: pointers.iter().map(|text| pointer(text)).collect(),
        ..Edits::default()
    }
}

fn renaming(from: &str, to: &str) -> Edits {
    Edits {
        rename: vec![(pointer(from), pointer(to))],
        ..Edits::default()
    }
}

fn setting(to: &str, expression: &str) -> Edits {
    Edits {
        set: vec![(pointer(to), Condition::parse_any(expression).unwrap())],
        ..Edits::default()
    }
}

#[test]
fn what_is_not_changed_stays_byte_for_byte() {
    let edits = dropping(&["/client/ip", "/none/at/all"]);
    let json = r#"{"n":1.50,"big":1e400,"caf\u00e9":"\ud800","client":{"bot":false,"ip":"::1"},"list":[1, 2]}"#;
    let expected =
        r#"{"n":1.50,"big":1e400,"caf\u00e9":"\ud800","client":{"bot":false},"list":[1, 2]}"#;
    assert_eq!(edited(&edits, json), expected);
}

#[test]
fn members_are_kept_renamed_and_set_in_this_order() {
    let edits = Edits {
        rename: vec![(pointer("/page/url"), pointer("/url"))],
        set: vec![
            (
                pointer("/page/twice"),
                Condition::parse_any("n * 2").unwrap(),
            ),
            (pointer("/key"), Condition::parse_any("record.key").unwrap()),
            (
                pointer("/none"),
                Condition::parse_any("missing + 1").unwrap(),
            ),
        ],
        ..keeping(&["/page/url", "/n"])
    };
    let json = r#"{"n":21,"page":{"url":"/cart","title":"Cart"},"user":"u"}"#;
    let expected = r#"{"n":21,"page":{"twice":42},"url":"/cart","key":"own"}"#;
    assert_eq!(edited(&edits, json), expected);
}

#[test]
fn a_member_goes_wherever_it_stands_and_however_it_is_written() {
    for (at, json, expected) in [
        ("/a", r#"{"a":1,"b":2,"a":3}"#, r#"{"b":2}"#),
        (
            "/email",
            r#"{"\u0065mail":1,"b":2,"e\u006dail":3}"#,
            r#"{"b":2}"#,
        ),
        (
            "/a/b",
            r#"{"a":{"b":1},"a":{"b":2,"c":3}}"#,
            r#"{"a":{},"a":{"c":3}}"#,
        ),
        ("/a/b", r#"{"a":{"b":1},"a":7}"#, r#"{"a":{},"a":7}"#),
        (
            "/items/0/email",
            r#"{"items":[{"email":1,"n":2},{"email":3}]}"#,
            r#"{"items":[{"n":2},{"email":3}]}"#,
        ),
        ("/0/email", r#"[{"email":1,"n":2}]"#, r#"[{"n":2}]"#),
        ("/items/1", r#"{"items":[1,2,3]}"#, r#"{"items":[1,3]}"#),
        ("/a~1b/~0", r#"{"a/b":{"~":1,"x":2}}"#, r#"{"a/b":{"x":2}}"#),
        ("/", r#"{"":1,"a":2}"#, r#"{"a":2}"#),
        ("/a/", r#"{"a":{"":1,"b":2}}"#, r#"{"a":{"b":2}}"#),
    ] {
        assert_eq!(edited(&dropping(&[at]), json), expected, "{at}");
    }
    for at in [
        "/items/-",
        "/items/00",
        "/items/+0",
        "/items/",
        "/items/3",
        "/items/a",
    ] {
        let json = r#"{"items":[1,2]}"#;
        assert_eq!(edited(&dropping(&[at]), json), json, "{at}");
    }
}

#[test]
fn items_are_counted_as_they_were_for_all_that_goes() {
    let edits = dropping(&["/items/0", "/items/1"]);
    assert_eq!(edited(&edits, r#"{"items":[1,2,3]}"#), r#"{"items":[3]}"#);
}

#[test]
fn what_is_kept_stays_where_it_is() {
    for (at, json, expected) in [
        (
            &["/items/1/id"][..],
            r#"{"x":1,"items":[{"id":1},{"id":2,"y":3}]}"#,
            r#"{"items":[{"id":2}]}"#,
        ),
        (&["/b", "/a"], r#"{"a":1,"c":2,"b":3}"#, r#"{"a":1,"b":3}"#),
        (
            &["/a", "/a/b"],
            r#"{"a":{"b":1,"c":2}}"#,
            r#"{"a":{"b":1,"c":2}}"#,
        ),
        (&["/a/b"], r#"{"a":7,"x":1}"#, "{}"),
        (&["/a/b"], r#"{"a":{"c":7}}"#, "{}"),
        (&["/a"], r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (&["/a"], "[1,2]", "[]"),
        (&["/1"], "[1,2]", "[2]"),
    ] {
        assert_eq!(edited(&keeping(at), json), expected, "{at:?}");
    }
}

#[test]
fn what_has_no_parts_is_not_made_into_an_object() {
    for json in ["5", "null", "\"text\"", "true"] {
        assert_eq!(edited(&keeping(&["/a"]), json), json);
        assert_eq!(edited(&dropping(&["/a"]), json), json);
        assert_eq!(edited(&renaming("/a", "/b"), json), json);
        assert_eq!(edited(&setting("/a", "1"), json), json);
    }
    for json in ["[1,2]", r#"{"a":"x"}"#, r#"{"a":null}"#, r#"{"a":[]}"#] {
        assert_eq!(edited(&setting("/a/b", "1"), json), json);
    }
    assert!(Edits::default().apply(b"{", &record(None)).is_err());
}

#[test]
fn a_place_in_a_list_is_an_item_or_behind_the_last_one() {
    for (at, expected) in [
        ("/list/0", r#"{"list":[9,{"a":1}]}"#),
        ("/list/1/b", r#"{"list":[7,{"a":1,"b":9}]}"#),
        ("/list/-", r#"{"list":[7,{"a":1},9]}"#),
        ("/list/-/b", r#"{"list":[7,{"a":1},{"b":9}]}"#),
        ("/list/2", r#"{"list":[7,{"a":1}]}"#),
        ("/list/01", r#"{"list":[7,{"a":1}]}"#),
        ("/list/a", r#"{"list":[7,{"a":1}]}"#),
        ("/list/0/a", r#"{"list":[7,{"a":1}]}"#),
        ("/none/-", r#"{"list":[7,{"a":1}]}"#),
        ("/new/0", r#"{"list":[7,{"a":1}],"new":{"0":9}}"#),
    ] {
        assert_eq!(
            edited(&setting(at, "9"), r#"{"list":[7,{"a":1}]}"#),
            expected,
            "{at}"
        );
    }
}

#[test]
fn what_is_set_or_renamed_stands_once() {
    assert_eq!(
        edited(&setting("/a", "9"), r#"{"a":1,"b":2,"a":3}"#),
        r#"{"b":2,"a":9}"#
    );
    assert_eq!(
        edited(&setting("/a/b", "9"), r#"{"a":{"b":1},"a":{}}"#),
        r#"{"a":{"b":9}}"#
    );
    assert_eq!(
        edited(&renaming("/a", "/b"), r#"{"a":1,"b":2,"a":3}"#),
        r#"{"b":3}"#
    );
}

#[test]
fn what_has_no_place_to_go_to_stays() {
    let json = r#"{"email":1,"page":"x","list":[1,{"a":2}]}"#;
    assert_eq!(
        edited(&renaming("/email", "/page/email"), json),
        r#"{"page":"x","list":[1,{"a":2}],"email":1}"#
    );
    assert_eq!(edited(&renaming("/list/1/a", "/list/7"), json), json);
    assert_eq!(edited(&renaming("/list/0", "/list/0/x"), json), json);
    assert_eq!(
        edited(&renaming("/list/0", "/first"), json),
        r#"{"email":1,"page":"x","list":[{"a":2}],"first":1}"#
    );
}

/// JSON whose members may stand twice, and whose leaves are all different.
#[derive(Clone, Debug)]
enum Json {
    Leaf,
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

fn json() -> impl Strategy<Value = Json> {
    Just(Json::Leaf).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::List),
            prop::collection::vec(("[ab0~/-]{0,1}", inner), 0..5).prop_map(Json::Object),
        ]
    })
}

fn pointers() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            "[ab01-]",
            Just("~0".to_owned()),
            Just("~1".to_owned()),
            Just(String::new())
        ],
        1..4,
    )
    .prop_map(|tokens| {
        tokens
            .iter()
            .fold(String::new(), |all, token| all + "/" + token)
    })
}

impl Json {
    /// With every leaf numbered, and every other name written with escapes.
    fn written(&self, leaves: &mut u32) -> String {
        match self {
            Self::Leaf => {
                *leaves += 1;
                format!("{}", 1_000 + *leaves)
            }
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(|item| item.written(leaves)).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .enumerate()
                    .map(|(index, (name, value))| {
                        let name: String = name
                            .chars()
                            .map(|char| match index % 2 {
                                0 => format!("\\u{:04x}", u32::from(char)),
                                _ => char.to_string(),
                            })
                            .collect();
                        format!("\"{name}\":{}", value.written(leaves))
                    })
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    /// The leaves, in the order in which they are numbered: whether a pointer leads to one, in any
    /// of the members of a name.
    fn leads_to(&self, tokens: Option<&[String]>, found: &mut Vec<bool>) {
        let deeper = |is_next: &dyn Fn(&str) -> bool| match tokens {
            Some([]) => Some(&[][..]),
            Some([token, deeper @ ..]) if is_next(token) => Some(deeper),
            Some(_) | None => None,
        };
        match self {
            Self::Leaf => found.push(tokens == Some(&[])),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.leads_to(deeper(&|token| token == index.to_string()), found);
                }
            }
            Self::Object(members) => {
                for (name, value) in members {
                    value.leads_to(deeper(&|token| token == name), found);
                }
            }
        }
    }
}

/// What the RFC's pointers and serde's values make of the same.
fn model(edits: &Edits, mut whole: Value) -> Value {
    for pointer in &edits.drop {
        let tokens = pointer.tokens();
        let (last, before) = tokens.split_last().unwrap();
        let parent = before
            .iter()
            .try_fold(&mut whole, |value, token| step(value, token));
        match parent {
            Some(Value::Object(members)) => _ = members.remove(last),
            Some(Value::Array(items)) => {
                let index = last
                    .parse()
                    .ok()
                    .filter(|index: &usize| index.to_string() == *last);
                if let Some(index) = index.filter(|index| *index < items.len()) {
                    items.remove(index);
                }
            }
            _ => {}
        }
    }
    for (pointer, _) in &edits.set {
        set(&mut whole, pointer.tokens());
    }
    whole
}

fn step<'v>(value: &'v mut Value, token: &str) -> Option<&'v mut Value> {
    if let Value::Object(members) = value {
        return members.get_mut(token);
    }
    let index: usize = token.parse().ok()?;
    let items = value.as_array_mut()?;
    items.get_mut(index).filter(|_| index.to_string() == token)
}

/// Puts `true` there.
fn set(value: &mut Value, tokens: &[String]) {
    let [token, deeper @ ..] = tokens else {
        *value = Value::Bool(true);
        return;
    };
    if let Some(next) = step(value, token) {
        return set(next, deeper);
    }
    let made = deeper.iter().rev().fold(
        Value::Bool(true),
        |made, token| serde_json::json!({ token: made }),
    );
    let has_place = !deeper.iter().any(|token| token == "-");
    if let Value::Object(members) = value
        && has_place
    {
        members.insert(token.clone(), made);
    } else if let Value::Array(items) = value
        && has_place
        && token == "-"
    {
        items.push(made);
    }
}

proptest! {
    #[test]
    fn nothing_that_is_dropped_is_left_in_the_bytes_and_nothing_else_is_missing(
        json in json(), at in pointers(),
    ) {
        let written = json.written(&mut 0);
        let left = edited(&dropping(&[&at]), &written);
        let mut gone = Vec::new();
        json.leads_to(Some(pointer(&at).tokens()), &mut gone);
        for (index, gone) in gone.into_iter().enumerate() {
            let leaf = format!("{}", 1_001 + index);
            prop_assert_eq!(left.contains(&leaf), !gone, "{} of {} in {}", leaf, written, left);
        }
    }

    #[test]
    fn what_is_dropped_set_and_read_is_what_serdes_values_make_of_it(
        json in json(), at in pointers(), other in pointers(),
    ) {
        let written = json.written(&mut 0);
        let value: Value = serde_json::from_str(&written).unwrap();
        let found = pointer(&at).find(written.as_bytes()).unwrap();
        let found = found.map(|raw| serde_json::from_str(raw.get()).unwrap());
        prop_assert_eq!(found.as_ref(), value.pointer(&at));
        for edits in [dropping(&[&at]), setting(&at, "true"), Edits { drop: vec![pointer(&other)], ..setting(&at, "true") }] {
            let ours: Value = serde_json::from_str(&edited(&edits, &written)).unwrap();
            prop_assert_eq!(ours, model(&edits, value.clone()), "{:?} of {}", edits, written);
        }
    }

    #[test]
    fn what_is_kept_is_all_there_is_and_as_it_was(json in json(), at in pointers()) {
        let written = json.written(&mut 0);
        let value: Value = serde_json::from_str(&written).unwrap();
        let kept: Value = serde_json::from_str(&edited(&keeping(&[&at]), &written)).unwrap();
        match value.pointer(&at) {
            _ if !value.is_object() && !value.is_array() => prop_assert_eq!(kept, value),
            None => {
                let is_empty = kept == serde_json::json!({}) || kept == serde_json::json!([]);
                prop_assert!(is_empty);
            }
            Some(found) => {
                // Only one way leads through what is kept.
                let mut rest = &kept;
                for token in pointer(&at).tokens() {
                    let members = rest.as_object().filter(|members| members.len() == 1);
                    let items = rest.as_array().filter(|items| items.len() == 1);
                    let next = members.and_then(|members| members.get(token));
                    let next = next.or_else(|| items.and_then(|items| items.first()));
                    prop_assert!(next.is_some(), "{}", kept);
                    rest = next.unwrap_or(rest);
                }
                prop_assert_eq!(rest, found);
            }
        }
    }
}
