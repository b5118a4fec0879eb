//! Ids.

use crate::Text;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, ops::Deref, str::FromStr};

/// The site that events belong to: 1 to 64 bytes of `A-Z a-z 0-9 - _`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct WriteKey<'a>(Cow<'a, str>);

/// The text is no write key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}, found {}", WriteKey::FORM, match .bad_byte {
    Some(at) => format!("another byte at offset {at}"),
    None => format!("{} bytes", .len),
})]
pub struct InvalidWriteKey {
    /// Length in bytes.
    pub len: usize,
    /// Where the first byte stands that is not allowed.
    pub bad_byte: Option<usize>,
}

impl<'a> WriteKey<'a> {
    /// The longest, in bytes.
    pub const MAX_LEN: usize = 64;
    /// In words, for messages.
    pub const FORM: &'static str = "1 to 64 of `A-Z a-z 0-9 - _`";

    /// Checks a text.
    ///
    /// # Errors
    /// When it is empty, too long or holds another character.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, InvalidWriteKey> {
        let text = text.into();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let bad_byte = text.bytes().position(|byte| !allowed(byte));
        if text.is_empty() || text.len() > Self::MAX_LEN || bad_byte.is_some() {
            let len = text.len();
            return Err(InvalidWriteKey { len, bad_byte });
        }
        Ok(Self(text))
    }

    /// The same key, independent of the input.
    #[must_use]
    pub fn into_owned(self) -> WriteKey<'static> {
        WriteKey(Cow::Owned(self.0.into_owned()))
    }
}

impl Deref for WriteKey<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for WriteKey<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WriteKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for WriteKey<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        Self::new(text.into_inner()).map_err(de::Error::custom)
    }
}

/// The id of an event: a UUID of any version, written in lower case with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(u128);

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUID such as `0199d0a4-7c1e-7000-8000-2b6f1d2c3e4f`")]
pub struct InvalidEventId;

/// Where a UUID has hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Where the two digits of each byte begin.
const DIGIT_PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const UUID_LEN: usize = 36;

impl EventId {
    /// The text, without an allocation.
    pub(crate) fn to_bytes(self) -> [u8; UUID_LEN] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; UUID_LEN];
        for (place, byte) in DIGIT_PAIRS.into_iter().zip(self.0.to_be_bytes()) {
            text[place] = DIGITS[usize::from(byte >> 4)];
            text[place + 1] = DIGITS[usize::from(byte & 0xF)];
        }
        text
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let bytes: &[u8; UUID_LEN] = text.as_bytes().try_into().map_err(|_| InvalidEventId)?;
        if HYPHENS.into_iter().any(|place| bytes[place] != b'-') {
            return Err(InvalidEventId);
        }
        let digit = |place: usize| char::from(bytes[place]).to_digit(16);
        let mut value = 0;
        for place in DIGIT_PAIRS {
            for place in [place, place + 1] {
                let digit = digit(place).ok_or(InvalidEventId)?;
                value = value << 4 | u128::from(digit);
            }
        }
        Ok(Self(value))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.to_bytes()).unwrap_or_default())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_bytes();
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_65_byte_write_key_is_refused_and_one_of_64_is_not() {
        assert!(WriteKey::new("k".repeat(64)).is_ok());
        let refused = WriteKey::new("k".repeat(65)).unwrap_err();
        assert_eq!((refused.len, refused.bad_byte), (65, None));
    }

    #[test]
    fn a_write_key_with_another_character_is_refused_with_its_place() {
        assert_eq!(WriteKey::new("shop/1").unwrap_err().bad_byte, Some(4));
        assert_eq!(WriteKey::new("").unwrap_err().len, 0);
        assert!(WriteKey::new("Shop-1_b").is_ok());
    }

    #[test]
    fn an_upper_case_uuid_is_the_same_as_its_lower_case_one() {
        let id: EventId = "0199D0A4-7C1E-7000-8000-2B6F1D2C3E4F".parse().unwrap();
        assert_eq!(id.to_string(), "0199d0a4-7c1e-7000-8000-2b6f1d2c3e4f");
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in [
            "",
            "0199d0a47c1e700080002b6f1d2c3e4f",
            "0199d0a4-7c1e-7000-8000-2b6f1d2c3e4g",
            "0199d0a4-7c1e-7000-80002-b6f1d2c3e4f",
            "0199d0a4-7c1e-7000-8000-2b6f1d2c3e4ff",
            "0199d0a4-7c1e-7000-8000-2b6f1d2c3eé",
            "é199d0a4-7c1e-7000-8000-2b6f1d2c3e4",
        ] {
            assert_eq!(text.parse::<EventId>(), Err(InvalidEventId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_event_id_survives_its_text(value: u128) {
            let id = EventId(value);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-9a-fé-]{30,40}") {
            let _either = text.parse::<EventId>();
        }
    }
}
