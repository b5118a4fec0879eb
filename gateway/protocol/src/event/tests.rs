use super::*;
use crate::json::Scanner;
use proptest::prelude::*;

const ID: &str = "0199d0a4-7c1e-7000-8000-2b6f1d2c3e4f";

/// A right event with these members; an empty value leaves the member out.
fn with(members: &[(&str, &str)]) -> String {
    let id = format!("\"{ID}\"");
    let right = [
        ("id", &*id),
        ("time", "1764000000001"),
        ("type", "\"click\""),
    ];
    let kept = right
        .iter()
        .filter(|(name, _)| members.iter().all(|(other, _)| other != name));
    let members: Vec<_> = kept
        .chain(members)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn sent(json: &str) -> Sent<'_> {
    Sent::scan(&mut Scanner::new(json)).unwrap()
}

fn read<T>(json: &str, look: impl FnOnce(Result<Event<'_>, Fault>) -> T) -> T {
    look(sent(json).read(64 * 1024))
}

fn code(json: &str) -> Option<Code> {
    read(json, |event| event.err().map(|fault| fault.code))
}

#[track_caller]
fn is_refused(name: &str, values: &[&str], expected: Code) {
    for value in values {
        assert_eq!(
            code(&with(&[(name, value)])),
            Some(expected),
            "{name}: {value}"
        );
    }
}

#[test]
fn an_event_is_read_with_all_it_may_carry() {
    let json = with(&[
        ("seq", "18"),
        ("name", "\"n\""),
        (
            "page",
            r#"{"url":"https://shop.example/","title":"T\ud83d","x":1}"#,
        ),
        ("element", r#"{"tag":"a","kind":"outbound","path":null}"#),
        ("properties", r#"{"a":1,"a":[ 2 ]}"#),
    ]);
    read(&json, |event| {
        let event = event.unwrap();
        assert_eq!(event.id.to_string(), ID);
        assert_eq!((event.r#type, event.seq), (EventType::Click, Some(18)));
        assert_eq!(event.page.unwrap().title.as_deref(), Some("T\u{FFFD}"));
        let element = event.element.unwrap();
        assert_eq!(
            (element.kind.as_deref(), element.path),
            (Some("outbound"), None)
        );
        assert_eq!(event.properties.unwrap().as_str(), r#"{"a":1,"a":[ 2 ]}"#);
    });
}

#[test]
fn null_and_empty_objects_are_absent() {
    for value in ["null", "{}", "{ \n}"] {
        let json = with(&[("page", value), ("element", value), ("properties", value)]);
        read(&json, |event| {
            let event = event.unwrap();
            assert!(event.page.is_none() && event.element.is_none() && event.properties.is_none());
        });
    }
}

#[test]
fn an_element_that_is_no_object_is_refused_without_an_id() {
    for json in ["null", "1", "[]", "\"x\""] {
        assert_eq!(code(json), Some(Code::NotAnObject));
    }
}

#[test]
fn every_type_is_known_and_no_other() {
    for known in EventType::ALL {
        let json = with(&[("type", &format!("\"{known}\"")), ("name", "\"n\"")]);
        assert_eq!(read(&json, |event| event.unwrap().r#type), *known);
    }
    is_refused("type", &["", "null"], Code::TypeMissing);
    is_refused("type", &["\"\"", "\"Click\"", "7"], Code::TypeUnknown);
}

#[test]
fn ids_and_times_are_missing_or_wrong() {
    is_refused("id", &["", "null"], Code::IdMissing);
    is_refused("id", &["\"x\"", "\"\"", "7", "{}"], Code::IdInvalid);
    is_refused("time", &["", "null"], Code::TimeMissing);
    let wrong = [
        "\"1764000000001\"",
        "1764000000001.5",
        "1e12",
        "946684799999",
        "-1",
        "9223372036854775808",
    ];
    is_refused("time", &wrong, Code::TimeInvalid);
    assert_eq!(code(&with(&[("time", "946684800000")])), None);
}

#[test]
fn a_custom_event_has_a_name_of_1_to_128_bytes() {
    let named = |name: &str| code(&with(&[("type", "\"custom\""), ("name", name)]));
    for missing in ["", "null", "\"\""] {
        assert_eq!(named(missing), Some(Code::NameMissing));
    }
    assert_eq!(named(&format!("\"{}\"", "n".repeat(128))), None);
    assert_eq!(
        named(&format!("\"{}\"", "n".repeat(129))),
        Some(Code::NameTooLong)
    );
    assert_eq!(named("7"), Some(Code::FieldInvalid));
}

#[test]
fn seq_is_a_non_negative_integer() {
    is_refused(
        "seq",
        &["-1", "1.0", "\"1\"", "[]", "18446744073709551616"],
        Code::SeqInvalid,
    );
    assert_eq!(code(&with(&[("seq", "0")])), None);
}

#[test]
fn a_url_has_up_to_4096_bytes() {
    let url = |len: usize| format!(r#"{{"url":"{}"}}"#, "u".repeat(len));
    assert_eq!(code(&with(&[("page", &url(4096))])), None);
    is_refused("page", &[&url(4097)], Code::UrlTooLong);
}

#[test]
fn properties_are_an_object_of_up_to_64_levels() {
    is_refused("properties", &["[]", "1", "\"x\""], Code::PropertiesInvalid);
    let nested = |levels: usize| "{\"a\":".repeat(levels - 1) + "{}" + &"}".repeat(levels - 1);
    assert_eq!(code(&with(&[("properties", &nested(64))])), None);
    is_refused("properties", &[&nested(65)], Code::DepthExceeded);
}

#[test]
fn an_event_has_up_to_the_limit_as_sent() {
    let json = with(&[]);
    let event = sent(&json);
    assert!(event.read(json.len()).is_ok());
    let fault = event.read(json.len() - 1).unwrap_err();
    assert_eq!(
        (fault.code, fault.id.unwrap().to_string()),
        (Code::EventTooLarge, ID.into())
    );
}

#[test]
fn other_wrong_types_and_members_twice_are_invalid_fields() {
    is_refused(
        "page",
        &["1", "[]", r#"{"url":1}"#, r#"{"title":{}}"#],
        Code::FieldInvalid,
    );
    is_refused(
        "page",
        &[r#"{"url":"a","url":"a"}"#, r#"{"x":1,"x":1}"#],
        Code::FieldInvalid,
    );
    is_refused(
        "element",
        &["\"x\"", r#"{"text":1}"#, r#"{"id":"a","id":"a"}"#],
        Code::FieldInvalid,
    );
    let twice = with(&[("x", "1"), ("x", "1")]);
    assert_eq!(code(&twice), Some(Code::FieldInvalid));
}

proptest! {
    #[test]
    fn properties_are_carried_byte_for_byte(text: String, number in -1e300..1e300_f64, gap in "[ \n\t]{0,3}") {
        let text = serde_json::to_string(&text).unwrap();
        let properties = format!("{{{gap}\"a\":{gap}{text},\"a\":[{number}{gap}]{gap}}}");
        read(&with(&[("properties", &properties)]), |event| {
            assert_eq!(event.unwrap().properties.unwrap().as_str(), properties);
        });
    }
}
