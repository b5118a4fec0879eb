//! The records that say a window's result, byte for byte.

use crate::{Aggregation, ClosedBy, Window, WindowResult};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{BufMut, Bytes, BytesMut};

/// Key and value of a result's record, cut off `json`, which is empty before and after. The key is
/// `{"key":"…","start":ms,"end":ms}`; the value goes on from there, with [`value`]'s aggregates.
pub(crate) fn record(
    json: &mut BytesMut,
    result: &WindowResult,
    aggregates: &[Aggregation],
) -> (Bytes, Bytes) {
    push_identity(json, &result.key, result.window);
    let identity = json.len();
    json.put_u8(b'}');
    let key = json.split().freeze();
    json.put_slice(&key[..identity]);
    push_results(json, result, aggregates);
    (key, json.split().freeze())
}

/// The key of a result's record alone.
pub(crate) fn key(key: &[u8], window: Window) -> Bytes {
    let mut json = BytesMut::with_capacity(64);
    push_identity(&mut json, key, window);
    json.put_u8(b'}');
    json.freeze()
}

/// The value of a result: its key and window, each aggregate by its name, and whether it is final.
#[must_use]
pub fn value(result: &WindowResult, aggregates: &[Aggregation]) -> String {
    let mut json = Vec::with_capacity(128);
    push_identity(&mut json, &result.key, result.window);
    push_results(&mut json, result, aggregates);
    text(json)
}

/// The value of a result with one whole number.
pub(crate) fn whole(
    key: &[u8],
    window: Window,
    name: &str,
    number: i64,
    closed_by: Option<ClosedBy>,
) -> String {
    let mut json = Vec::with_capacity(128);
    push_identity(&mut json, key, window);
    push_aggregate(&mut json, name, &number.to_string());
    push_end(&mut json, closed_by);
    text(json)
}

fn push_results(json: &mut impl BufMut, result: &WindowResult, aggregates: &[Aggregation]) {
    for (aggregation, accumulator) in aggregates.iter().zip(&result.values) {
        push_aggregate(json, &aggregation.name, &accumulator.result());
    }
    push_end(json, result.closed_by);
}

fn push_aggregate(json: &mut impl BufMut, name: &str, result: &str) {
    json.put_u8(b',');
    push_text(json, name);
    json.put_u8(b':');
    json.put_slice(result.as_bytes());
}

fn push_end(json: &mut impl BufMut, closed_by: Option<ClosedBy>) {
    let end: &[&str] = match closed_by {
        Some(closed_by) => &[r#","final":true,"closed_by":""#, closed_by.name(), r#""}"#],
        None => &[r#","final":false}"#],
    };
    for part in end {
        json.put_slice(part.as_bytes());
    }
}

/// All but the end of an object.
fn push_identity(json: &mut impl BufMut, key: &[u8], window: Window) {
    match std::str::from_utf8(key) {
        Ok(key) => {
            json.put_slice(br#"{"key":"#);
            push_text(json, key);
        }
        Err(_) => {
            json.put_slice(br#"{"key_base64":"#);
            push_text(json, &STANDARD.encode(key));
        }
    }
    let mut number = itoa::Buffer::new();
    json.put_slice(br#","start":"#);
    json.put_slice(number.format(window.start).as_bytes());
    json.put_slice(br#","end":"#);
    json.put_slice(number.format(window.end).as_bytes());
}

fn push_text(json: &mut impl BufMut, text: &str) {
    // serde_json escapes only what must be. A text always has a JSON form, and bytes always take it.
    if serde_json::to_writer((&mut *json).writer(), text).is_err() {
        json.put_slice(b"\"\"");
    }
}

/// JSON is UTF-8.
fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Decimal, Function, Input, Window,
        aggregate::{Place, Sample},
    };

    fn result(key: &[u8]) -> WindowResult {
        let mut sum = Function::Sum.start();
        sum.add(Sample {
            input: &Input::Number(Decimal::parse("19.75").unwrap()),
            place: Place::default(),
        });
        WindowResult {
            window: Window {
                start: 60_000,
                end: 360_000,
            },
            key: key.into(),
            newest: 61_000,
            values: vec![Function::Count.start(), sum],
            closed_by: None,
        }
    }

    fn aggregates() -> [Aggregation; 2] {
        [
            ("views", Function::Count, ""),
            ("revenue", Function::Sum, "/amount"),
        ]
        .map(|(name, function, field)| Aggregation {
            name: name.into(),
            function,
            field: field.into(),
        })
    }

    #[test]
    fn a_key_says_key_and_window_without_a_space() {
        let (bytes, _) = record(&mut BytesMut::new(), &result(b"/cart"), &[]);
        assert_eq!(bytes, r#"{"key":"/cart","start":60000,"end":360000}"#);
    }

    #[test]
    fn only_what_json_must_escape_is_escaped() {
        let (bytes, _) = record(
            &mut BytesMut::new(),
            &result("a\"\\/\n\u{1}é\u{7f}".as_bytes()),
            &[],
        );
        let expected = "{\"key\":\"a\\\"\\\\/\\n\\u0001é\u{7f}\",\"start\":60000,\"end\":360000}";
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_key_that_is_not_utf8_is_base64() {
        let (bytes, _) = record(&mut BytesMut::new(), &result(&[0xff, 0xfe]), &[]);
        assert_eq!(bytes, r#"{"key_base64":"//4=","start":60000,"end":360000}"#);
    }

    #[test]
    fn a_value_has_the_aggregates_in_the_order_of_the_definition() {
        let expected =
            r#"{"key":"k","start":60000,"end":360000,"views":0,"revenue":19.75,"final":false}"#;
        assert_eq!(value(&result(b"k"), &aggregates()), expected);
        let (_, bytes) = record(&mut BytesMut::new(), &result(b"k"), &aggregates());
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_final_value_says_what_closed_its_window() {
        for (closed_by, name) in [(ClosedBy::Time, "time"), (ClosedBy::Idle, "idle")] {
            let closed = WindowResult {
                closed_by: Some(closed_by),
                ..result(b"k")
            };
            let expected = format!(
                r#"{{"key":"k","start":60000,"end":360000,"views":0,"revenue":19.75,"final":true,"closed_by":"{name}"}}"#
            );
            assert_eq!(value(&closed, &aggregates()), expected);
        }
    }
}
