//! Writes JSON, and nothing else: it never reads any.

use crate::scan::join;

/// A JSON object in the making. What is empty is left out.
#[derive(Debug, Default)]
pub struct Object {
    text: String,
}

impl Object {
    /// Adds a text member, unless it is empty.
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.key(key);
            push_string(&mut self.text, value);
        }
        self
    }

    /// Adds a number.
    pub fn number(&mut self, key: &str, value: u64) -> &mut Self {
        self.key(key);
        push_number(&mut self.text, value);
        self
    }

    /// Adds a member that is JSON already, unless it is empty or an empty object.
    pub fn json(&mut self, key: &str, value: &str) -> &mut Self {
        if !value.is_empty() && value != "{}" {
            self.key(key);
            self.text.push_str(value);
        }
        self
    }

    /// Adds members that were written by [`Object::members`].
    pub fn all(&mut self, members: &str) -> &mut Self {
        if !members.is_empty() {
            self.comma();
            self.text.push_str(members);
        }
        self
    }

    /// The members without their braces, to be put into another object.
    #[must_use]
    pub fn members(&self) -> &str {
        &self.text
    }

    /// The object.
    #[must_use]
    pub fn finish(&self) -> String {
        join(&["{", &self.text, "}"])
    }

    fn key(&mut self, key: &str) {
        self.comma();
        push_string(&mut self.text, key);
        self.text.push_str(":");
    }

    fn comma(&mut self) {
        if !self.text.is_empty() {
            self.text.push_str(",");
        }
    }
}

/// Appends a JSON string.
pub fn push_string(json: &mut String, value: &str) {
    json.push_str("\"");
    let mut copied = 0;
    for (at, byte) in value.bytes().enumerate() {
        let is_control = byte < b' ';
        if is_control || byte == b'"' || byte == b'\\' {
            json.push_str(value.get(copied..at).unwrap_or_default());
            json.push_str("\\");
            copied = at;
            if is_control {
                json.push_str(if byte < 16 { "u000" } else { "u001" });
                json.push_str(hex(byte & 15));
                copied += 1;
            }
        }
    }
    json.push_str(value.get(copied..).unwrap_or_default());
    json.push_str("\"");
}

/// Appends a number in decimal.
pub fn push_number(text: &mut String, value: u64) {
    if value >= 10 {
        push_number(text, value / 10);
    }
    text.push_str(hex(u8::try_from(value % 10).unwrap_or(0)));
}

/// A lower-case hexadecimal digit.
fn hex(value: u8) -> &'static str {
    let at = usize::from(value);
    "0123456789abcdef".get(at..=at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_empty_is_left_out() {
        let mut object = Object::default();
        object.text("a", "").json("b", "{}").json("c", "");
        object.number("d", 0);
        assert_eq!(object.finish(), r#"{"d":0}"#);
    }

    #[test]
    fn control_characters_are_escaped() {
        let mut json = String::new();
        push_string(&mut json, "\u{1f}\n\"\\é");
        assert_eq!(json, "\"\\u001f\\u000a\\\"\\\\é\"");
    }

    proptest! {
        #[test]
        fn every_text_comes_back_from_a_json_parser(text in any::<String>(), number: u64) {
            let mut object = Object::default();
            object.text("text", &text).number("number", number);
            let value: serde_json::Value = serde_json::from_str(&object.finish()).unwrap();
            prop_assert_eq!(value["text"].as_str().unwrap_or(""), text);
            prop_assert_eq!(value["number"].as_u64(), Some(number));
        }
    }
}
