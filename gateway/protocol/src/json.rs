//! Looking into JSON without building a tree of it: one pass checks the syntax and finds what is asked for.

mod scan;
#[cfg(test)]
mod tests;
mod write;

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;
use std::fmt;

pub(crate) use scan::{Error, MAX_DEPTH, Nested, Scanner, Value};
pub(crate) use write::Object;

/// A JSON value, byte for byte as it was sent, its syntax checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether it is `{}`.
    pub(crate) fn is_empty_object(self) -> bool {
        let inner = self.0.strip_prefix('{');
        inner.is_some_and(|rest| rest.trim_start() == "}")
    }
}

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// For JSON: other formats may show it as serde_json's raw value.
impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.0).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(raw.get()))
    }
}
