//! Writes JSON, and nothing else: it never reads any.

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

    /// Adds `true`, unless the value is false.
    pub fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.json(key, if value { "true" } else { "" })
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
        let mut object = String::with_capacity(self.text.len() + 2);
        object.push('{');
        object.push_str(&self.text);
        object.push('}');
        object
    }

    fn key(&mut self, key: &str) {
        self.comma();
        push_string(&mut self.text, key);
        self.text.push(':');
    }

    fn comma(&mut self) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
    }
}

/// Appends a JSON string.
pub fn push_string(json: &mut String, value: &str) {
    json.push('"');
    for char in value.chars() {
        match char {
            '"' | '\\' => {
                json.push('\\');
                json.push(char);
            }
            '\0'..='\x1f' => {
                json.push_str("\\u00");
                json.push(if char < '\x10' { '0' } else { '1' });
                json.push(hex(char as u32));
            }
            _ => json.push(char),
        }
    }
    json.push('"');
}

/// Appends a number in decimal.
pub fn push_number(text: &mut String, value: u64) {
    if value >= 10 {
        push_number(text, value / 10);
    }
    text.push(digit(value % 10));
}

/// The lower-case hexadecimal digit of the lowest four bits.
#[must_use]
pub fn hex(value: u32) -> char {
    char::from_digit(value & 15, 16).unwrap_or('0')
}

fn digit(value: u64) -> char {
    hex(u32::try_from(value).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_empty_is_left_out() {
        let mut object = Object::default();
        object.text("a", "").json("b", "{}").json("c", "");
        object.flag("d", false).number("e", 0).flag("f", true);
        assert_eq!(object.finish(), r#"{"e":0,"f":true}"#);
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
