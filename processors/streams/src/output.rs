//! The records that say a window's result, byte for byte.

use crate::{Aggregation, ClosedBy, Window, WindowResult};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The key of a result: `{"key":"…","start":ms,"end":ms}`.
pub(crate) fn key(result: &WindowResult) -> Vec<u8> {
    let mut json = String::from("{");
    push_identity(&mut json, &result.key, result.window);
    json.push('}');
    json.into_bytes()
}

/// The value of a result: its key and window, each aggregate by its name, and whether it is final.
#[must_use]
pub fn value(result: &WindowResult, aggregates: &[Aggregation]) -> String {
    let mut json = String::from("{");
    push_identity(&mut json, &result.key, result.window);
    for (aggregation, accumulator) in aggregates.iter().zip(&result.values) {
        push_aggregate(&mut json, &aggregation.name, &accumulator.result());
    }
    push_end(&mut json, result.closed_by);
    json
}

/// The value of a result with one whole number.
pub(crate) fn whole(
    key: &[u8],
    window: Window,
    name: &str,
    number: i64,
    closed_by: Option<ClosedBy>,
) -> String {
    let mut json = String::from("{");
    push_identity(&mut json, key, window);
    push_aggregate(&mut json, name, &number.to_string());
    push_end(&mut json, closed_by);
    json
}

fn push_aggregate(json: &mut String, name: &str, result: &str) {
    json.push(',');
    push_text(json, name);
    json.push(':');
    json.push_str(result);
}

fn push_end(json: &mut String, closed_by: Option<ClosedBy>) {
    match closed_by {
        Some(closed_by) => {
            let name = closed_by.name();
            json.push_str(&format!(r#","final":true,"closed_by":"{name}"}}"#));
        }
        None => json.push_str(r#","final":false}"#),
    }
}

fn push_identity(json: &mut String, key: &[u8], window: Window) {
    match std::str::from_utf8(key) {
        Ok(key) => {
            json.push_str(r#""key":"#);
            push_text(json, key);
        }
        Err(_) => {
            json.push_str(r#""key_base64":"#);
            push_text(json, &STANDARD.encode(key));
        }
    }
    json.push_str(&format!(
        r#","start":{},"end":{}"#,
        window.start, window.end
    ));
}

fn push_text(json: &mut String, text: &str) {
    // A text always has a JSON form; serde_json escapes only what must be.
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
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
        let bytes = key(&result(b"/cart"));
        assert_eq!(bytes, br#"{"key":"/cart","start":60000,"end":360000}"#);
    }

    #[test]
    fn only_what_json_must_escape_is_escaped() {
        let bytes = key(&result("a\"\\/\n\u{1}é\u{7f}".as_bytes()));
        let expected = "{\"key\":\"a\\\"\\\\/\\n\\u0001é\u{7f}\",\"start\":60000,\"end\":360000}";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn a_key_that_is_not_utf8_is_base64() {
        let bytes = key(&result(&[0xff, 0xfe]));
        assert_eq!(
            bytes,
            br#"{"key_base64":"//4=","start":60000,"end":360000}"#
        );
    }

    #[test]
    fn a_value_has_the_aggregates_in_the_order_of_the_definition() {
        let expected =
            r#"{"key":"k","start":60000,"end":360000,"views":0,"revenue":19.75,"final":false}"#;
        assert_eq!(value(&result(b"k"), &aggregates()), expected);
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
