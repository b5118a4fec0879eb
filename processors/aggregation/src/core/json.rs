//! JSON that is taken apart one level at a time and otherwise kept byte for byte, whatever it holds:
//! a lone surrogate, a number of any size, members that stand twice.

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, marker::PhantomData};

/// What a JSON string says; `None` for what is no string. Halves of surrogate pairs, which no text
/// can hold, are U+FFFD.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    if let Some(text) = exact_text(json) {
        return Some(text);
    }
    let Bytes(bytes) = serde_json::from_str(json).ok()?;
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // The first of the three bytes that stand for one half.
        if chunk.invalid().first() == Some(&0xed) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Some(text.into())
}

/// The same, and `None` for a string that is no text.
pub(super) fn exact_text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.into());
    }
    serde_json::from_str::<String>(json).ok().map(Cow::from)
}

/// Whether a member's name, as it is written, is this one.
pub(super) fn is_name(written: &RawValue, name: &str) -> bool {
    text(written.get()).is_some_and(|text| text == name)
}

/// An object's members, in their order: names as they are written, and values.
pub(super) struct Members<R>(pub(super) Vec<(R, R)>);

impl<'de, R: Deserialize<'de>> Deserialize<'de> for Members<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<R>(PhantomData<R>);

        impl<'de, R: Deserialize<'de>> Visitor<'de> for Each<R> {
            type Value = Members<R>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<R>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Each(PhantomData))
    }
}

/// A string's bytes, where halves of surrogate pairs are written as if they were characters.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_its_escapes_stand_for() {
        for (json, expected) in [
            (r#""plain""#, "plain"),
            (r#""\u0065mail \ud83d\ude00""#, "email 😀"),
            (r#""a\ud800b\udfff""#, "a\u{fffd}b\u{fffd}"),
            (r#""\ud800\ud800""#, "\u{fffd}\u{fffd}"),
            (r#""é\ud800é""#, "é\u{fffd}é"),
        ] {
            assert_eq!(text(json).as_deref(), Some(expected), "{json}");
        }
        assert_eq!(exact_text(r#""\ud800""#), None);
        for json in ["7", "null", "[\"a\"]"] {
            assert_eq!(text(json), None, "{json}");
        }
    }

    #[test]
    fn members_are_as_they_are_written() {
        let json = r#"{"\ud800": 1e400, "a":1,"\u0061" :2}"#;
        let Members(members) = serde_json::from_str::<Members<&RawValue>>(json).unwrap();
        let written = members
            .iter()
            .map(|(name, value)| (name.get(), value.get()));
        let expected = [
            (r#""\ud800""#, "1e400"),
            (r#""a""#, "1"),
            (r#""\u0061""#, "2"),
        ];
        assert_eq!(written.collect::<Vec<_>>(), expected);
        let named = members.iter().filter(|(name, _)| is_name(name, "a"));
        assert_eq!(named.count(), 2);
    }
}
