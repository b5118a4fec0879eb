//! Texts from outside.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, ops::Deref};

/// A text of a known field, borrowed from the input where it holds no escapes.
///
/// JSON may escape half of a surrogate pair, as a browser does with a title that was cut in two; no Unicode text can
/// hold that, so each such half is read as U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// Reads a JSON string; `None` for any other JSON value.
    #[must_use]
    pub fn from_json(raw: &'a RawValue) -> Option<Self> {
        let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str(raw.get()).ok()
        } else {
            Some(inner.into())
        }
    }

    /// Cuts the text so that it has at most `max` bytes and ends with a whole character.
    pub fn truncate(&mut self, max: usize) {
        let end = (0..=max.min(self.0.len()))
            .rev()
            .find(|end| self.0.is_char_boundary(*end))
            .unwrap_or_default();
        match &mut self.0 {
            Cow::Borrowed(text) => *text = &text[..end],
            Cow::Owned(text) => text.truncate(end),
        }
    }

    /// The text without its wrapper.
    #[must_use]
    pub fn into_inner(self) -> Cow<'a, str> {
        self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because serde_json lets lone surrogates through only there.
        deserializer.deserialize_bytes(TextVisitor).map(Self)
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
        let raw: &RawValue = serde_json::from_str(r#""장바구니""#).unwrap();
        let text = Text::from_json(raw).unwrap();
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
        fn every_text_survives_json(text: String) {
            let json = serde_json::to_string(&Text::from(text.as_str())).unwrap();
            prop_assert_eq!(read(&json), text);
        }
    }
}
