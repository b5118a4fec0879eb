//! Texts from outside.

use crate::{Json, json::Value};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};

/// A text of a known field, borrowed from the input where it holds no escapes.
///
/// JSON may escape half of a surrogate pair, as a browser does with a title that was cut in two; no Unicode text can
/// hold that, so each such half is read as U+FFFD.
#[derive(Clone, Default)]
pub struct Text<'a>(Form<'a>);

#[derive(Clone)]
enum Form<'a> {
    /// A JSON string without escapes, its quotes included. It is written as it was read, without another look at each
    /// of its bytes.
    Json(Json<'a>),
    Plain(Cow<'a, str>),
}

impl Default for Form<'_> {
    fn default() -> Self {
        Self::Plain(Cow::default())
    }
}

impl<'a> Text<'a> {
    /// Reads a JSON string; `None` for any other JSON value.
    #[must_use]
    pub(crate) fn from_json(value: Value<'a>) -> Option<Self> {
        let Value { json, escaped, .. } = value;
        if !json.as_str().starts_with('"') {
            return None;
        }
        if escaped {
            serde_json::from_str(json.as_str()).ok()
        } else {
            Some(Self(Form::Json(json)))
        }
    }

    /// Cuts the text so that it has at most `max` bytes and ends with a whole character.
    pub fn truncate(&mut self, max: usize) {
        if self.len() <= max {
            return;
        }
        let end = self.floor_char_boundary(max);
        match &mut self.0 {
            Form::Json(raw) => self.0 = Form::Plain(Cow::Borrowed(&unquoted(*raw)[..end])),
            Form::Plain(Cow::Borrowed(text)) => *text = &text[..end],
            Form::Plain(Cow::Owned(text)) => text.truncate(end),
        }
    }

    /// Appends it as a JSON string.
    pub(crate) fn append_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        match &self.0 {
            Form::Json(raw) => out.extend_from_slice(raw.as_str().as_bytes()),
            Form::Plain(text) => serde_json::to_writer(out, text)?,
        }
        Ok(())
    }

    /// The text without its wrapper.
    #[must_use]
    pub fn into_inner(self) -> Cow<'a, str> {
        match self.0 {
            Form::Json(raw) => Cow::Borrowed(unquoted(raw)),
            Form::Plain(text) => text,
        }
    }
}

fn unquoted(raw: Json<'_>) -> &str {
    let json = raw.as_str();
    &json[1..json.len() - 1]
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Form::Json(raw) => unquoted(*raw),
            Form::Plain(text) => text,
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text<'_> {}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Form::Plain(Cow::Borrowed(text)))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Form::Plain(Cow::Owned(text)))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(Form::Plain(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because serde_json lets lone surrogates through only there.
        deserializer.deserialize_bytes(TextVisitor).map(Self::from)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        let text = String::from_utf8(without_surrogates(bytes.to_vec()));
        text.map(Cow::Owned).map_err(E::custom)
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        std::str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(E::custom)
    }
}

/// Replaces each surrogate of WTF-8 by U+FFFD. Both have three bytes, and 0xED is a first byte wherever it stands.
fn without_surrogates(mut bytes: Vec<u8>) -> Vec<u8> {
    const REPLACEMENT: [u8; 3] = [0xEF, 0xBF, 0xBD];
    for start in 0..bytes.len() {
        if bytes[start] == 0xED && bytes.get(start + 1).is_some_and(|second| *second >= 0xA0) {
            bytes[start..start + REPLACEMENT.len()].copy_from_slice(&REPLACEMENT);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Scanner;
    use proptest::prelude::*;

    fn read(json: &str) -> String {
        serde_json::from_str::<Text<'_>>(json).unwrap().to_string()
    }

    #[test]
    fn each_lone_surrogate_is_read_as_one_replacement_character() {
        assert_eq!(read(r#""\ud83d""#), "\u{FFFD}");
        assert_eq!(read(r#""a\udc00b""#), "a\u{FFFD}b");
        assert_eq!(read(r#""\ud83d\ud83d\ude00""#), "\u{FFFD}😀");
        assert_eq!(read(r#""\ud83d\n\ud83dA""#), "\u{FFFD}\n\u{FFFD}A");
    }

    #[test]
    fn a_surrogate_pair_is_its_character_and_a_neighbour_of_surrogates_stays() {
        assert_eq!(
            read(r#""\ud83d\ude00 \uD7FF \uE000""#),
            "😀 \u{D7FF} \u{E000}"
        );
    }

    #[test]
    fn a_text_without_escapes_is_borrowed() {
        let value = Scanner::new(r#""장바구니""#).value().unwrap();
        let text = Text::from_json(value).unwrap();
        assert!(matches!(text.into_inner(), Cow::Borrowed("장바구니")));
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        let mut text = Text::from("aé");
        text.truncate(2);
        assert_eq!(&*text, "a");
        let mut owned = Text::from("aé".to_owned());
        owned.truncate(3);
        assert_eq!(&*owned, "aé");
    }

    proptest! {
        #[test]
        fn every_text_survives_json(text: String, max in 0_usize..20) {
            let json = serde_json::to_string(&Text::from(text.as_str())).unwrap();
            prop_assert_eq!(&read(&json), &text);
            let mut from_json = Text::from_json(Scanner::new(&json).value().unwrap()).unwrap();
            prop_assert_eq!(&*from_json, &text);
            prop_assert_eq!(&serde_json::to_string(&from_json).unwrap(), &json);
            let mut written = Vec::new();
            from_json.append_json(&mut written).unwrap();
            prop_assert_eq!(&String::from_utf8(written).unwrap(), &json);
            from_json.truncate(max);
            prop_assert!(from_json.len() <= max && text.starts_with(&*from_json));
        }
    }
}
