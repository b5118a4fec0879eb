use super::*;
use proptest::prelude::*;

/// A right batch with these members besides; each replaces the right one of its name.
fn with(members: &[(&str, &str)]) -> String {
    let right = [
        ("write_key", r#""demo""#),
        ("sent_at", "1764000000123"),
        ("events", "[{}]"),
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

fn error(body: &str) -> (&'static str, Option<&'static str>) {
    let error = Batch::read(body.as_bytes()).unwrap_err();
    (error.code(), error.pointer())
}

#[test]
fn a_batch_is_read_with_its_optional_members() {
    let body = with(&[
        ("visitor", r#""v""#),
        ("consent", r#""granted""#),
        ("context", r#"{ "a": 1, "a": 2 }"#),
        ("unknown", "[1]"),
    ]);
    let batch = Batch::read(body.as_bytes()).unwrap();
    assert_eq!(&*batch.write_key, "demo");
    assert_eq!(batch.sent_at.as_millis(), 1_764_000_000_123);
    assert_eq!(batch.visitor.as_deref(), Some("v"));
    assert_eq!(batch.consent, Some(Consent::Granted));
    assert_eq!(batch.context.unwrap().as_str(), r#"{ "a": 1, "a": 2 }"#);
    assert_eq!(batch.events[0].json().as_str(), "{}");
}

#[test]
fn null_and_empty_are_absent() {
    for value in ["null", "\"\""] {
        let names = [
            "sdk", "visitor", "session", "load", "user", "consent", "context",
        ];
        let body = with(&names.map(|name| (name, value)));
        let batch = Batch::read(body.as_bytes()).unwrap();
        let texts = [
            batch.sdk,
            batch.visitor,
            batch.session,
            batch.load,
            batch.user,
        ];
        assert!(texts.iter().all(Option::is_none));
        assert!(batch.consent.is_none() && batch.context.is_none());
    }
    let body = with(&[("context", "{ }")]);
    assert!(Batch::read(body.as_bytes()).unwrap().context.is_none());
}

#[test]
fn what_is_no_json_object_is_malformed() {
    let trailing = with(&[]) + "x";
    for body in [
        "",
        "[]",
        "1",
        "null",
        "{",
        "{'a':1}",
        "\u{FEFF}{}",
        &trailing,
    ] {
        assert_eq!(error(body), ("malformed_body", None), "{body}");
    }
    let not_utf_8 = Batch::read(b"{\"a\":\"\xFF\"}").unwrap_err();
    assert_eq!(not_utf_8.code(), "malformed_body");
}

#[test]
fn syntax_is_checked_in_members_that_are_not_looked_into() {
    for value in ["[1,]", "{\"a\" 1}", "\"\u{1}\"", "01", "\"\\x\"", "nul"] {
        for name in ["unknown", "context"] {
            assert_eq!(
                error(&with(&[(name, value)])).0,
                "malformed_body",
                "{value}"
            );
        }
        let event = format!("[{{\"properties\":{value}}}]");
        assert_eq!(
            error(&with(&[("events", &event)])).0,
            "malformed_body",
            "{value}"
        );
    }
}

#[test]
fn a_member_twice_is_malformed_whether_known_or_not() {
    assert_eq!(
        error(&with(&[("user", "\"a\""), ("user", "\"a\"")])).0,
        "malformed_body"
    );
    assert_eq!(
        error(&with(&[("x", "1"), ("\\u0078", "2")])).0,
        "malformed_body"
    );
}

#[test]
fn levels_beyond_512_are_malformed() {
    // The body is the first level.
    let nested = |levels: usize| "[".repeat(levels - 1) + &"]".repeat(levels - 1);
    assert!(Batch::read(with(&[("unknown", &nested(512))]).as_bytes()).is_ok());
    assert_eq!(
        error(&with(&[("unknown", &nested(513))])).0,
        "malformed_body"
    );
}

#[test]
fn a_wrong_envelope_field_is_named() {
    let long = format!("\"{}\"", "v".repeat(129));
    for (name, values) in [
        ("write_key", &["", "null", "1", "\"\"", "\"a b\""][..]),
        (
            "sent_at",
            &[
                "",
                "null",
                "\"1\"",
                "1.5",
                "-1",
                "1e3",
                "99999999999999999999",
            ],
        ),
        ("events", &["", "null", "{}", "\"[]\"", "1e999"]),
        ("visitor", &["1", "{}", &long]),
        ("session", &["[]", &long]),
        ("load", &["true", &long]),
        ("user", &["7", &long]),
        ("sdk", &["7", &long]),
        ("consent", &["true", "\"maybe\""]),
        ("context", &["[]", "\"x\"", "1"]),
    ] {
        for value in values {
            let (code, pointer) = error(&with(&[(name, value)]));
            assert_eq!(code, "invalid_field", "{name} {value}");
            assert_eq!(pointer, Some(&*format!("#/{name}")), "{value}");
        }
    }
}

#[test]
fn texts_of_up_to_128_bytes_are_taken() {
    let text = format!("\"{}\"", "é".repeat(64));
    assert!(Batch::read(with(&[("user", &text)]).as_bytes()).is_ok());
    let text = format!("\"{}\"", "x".repeat(129));
    assert_eq!(error(&with(&[("sdk", &text)])).1, Some("#/sdk"));
}

#[test]
fn a_context_is_as_long_as_its_reader_takes() {
    let body = with(&[("context", r#"{ "a": 1 }"#)]);
    let batch = Batch::read(body.as_bytes()).unwrap();
    assert!(batch.clone().with_context_within(10).is_ok());
    let error = batch.with_context_within(9).unwrap_err();
    assert_eq!(
        (error.code(), error.pointer()),
        ("invalid_field", Some("#/context"))
    );
    assert_eq!(
        error.to_string(),
        "`context`: expected an object of up to 9 bytes, found one of 10"
    );
    let without = with(&[]);
    let without = Batch::read(without.as_bytes()).unwrap();
    assert!(without.with_context_within(0).is_ok());
}

#[test]
fn a_batch_holds_1_to_500_events() {
    let events = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    assert_eq!(error(&with(&[("events", &events(0))])).0, "batch_empty");
    let body = with(&[("events", &events(500))]);
    assert_eq!(Batch::read(body.as_bytes()).unwrap().events.len(), 500);
    assert_eq!(
        error(&with(&[("events", &events(501))])).0,
        "batch_too_large"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        let _either = Batch::read(&bytes);
    }

    #[test]
    fn no_broken_batch_makes_the_reader_panic(at in 0_usize..60, len in 0_usize..9, by: Vec<u8>) {
        let mut bytes = with(&[("user", "\"\\ud83d\\ude00\"")]).into_bytes();
        bytes.splice(at..at + len, by);
        let _either = Batch::read(&bytes);
    }
}
