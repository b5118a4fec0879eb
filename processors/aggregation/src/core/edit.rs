//! Changes to a JSON object that leave the rest of it byte for byte as it was.

use super::{Condition, Pointer};
use footfall_task::Record;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::value::{RawValue, to_raw_value};
use std::fmt;

/// What is changed, in this order.
#[derive(Debug, Default)]
pub struct Edits {
    /// If there are any, only these stay.
    pub keep: Vec<Pointer>,
    /// These go.
    pub drop: Vec<Pointer>,
    /// What is at the first goes to the second.
    pub rename: Vec<(Pointer, Pointer)>,
    /// What the expression says of the record as it was comes there; what it cannot say is left out.
    pub set: Vec<(Pointer, Condition)>,
}

impl Edits {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keep.is_empty()
            && self.drop.is_empty()
            && self.rename.is_empty()
            && self.set.is_empty()
    }

    /// The changed value.
    ///
    /// # Errors
    /// When the bytes are not JSON.
    pub fn apply(&self, json: &[u8], record: &Record<'_>) -> serde_json::Result<Vec<u8>> {
        let mut whole = Tree::Raw(serde_json::from_slice(json)?);
        if !self.keep.is_empty() {
            let mut kept = Tree::Object(Vec::new());
            for pointer in &self.keep {
                if let Some(found) = whole.remove(pointer.tokens())? {
                    kept.put(pointer.tokens(), found)?;
                }
            }
            whole = kept;
        }
        for pointer in &self.drop {
            whole.remove(pointer.tokens())?;
        }
        for (from, to) in &self.rename {
            if let Some(found) = whole.remove(from.tokens())? {
                whole.put(to.tokens(), found)?;
            }
        }
        for (pointer, expression) in &self.set {
            if let Some(value) = expression.json(record)? {
                whole.put(pointer.tokens(), Tree::Raw(to_raw_value(&value)?))?;
            }
        }
        serde_json::to_vec(&whole)
    }
}

/// The value with another one put there, over what is there.
///
/// # Errors
/// When the bytes are not JSON.
pub(super) fn put(json: &[u8], pointer: &Pointer, value: &RawValue) -> serde_json::Result<Vec<u8>> {
    let mut whole = Tree::Raw(serde_json::from_slice(json)?);
    whole.put(pointer.tokens(), Tree::Raw(value.to_owned()))?;
    serde_json::to_vec(&whole)
}

/// The value without what is there.
///
/// # Errors
/// When the bytes are not JSON.
pub(super) fn remove(json: &[u8], pointer: &Pointer) -> serde_json::Result<Vec<u8>> {
    let mut whole = Tree::Raw(serde_json::from_slice(json)?);
    whole.remove(pointer.tokens())?;
    serde_json::to_vec(&whole)
}

/// JSON that is taken apart only where something changes.
enum Tree {
    Raw(Box<RawValue>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Its members, if it is an object.
    fn members(&mut self) -> serde_json::Result<Option<&mut Vec<(String, Self)>>> {
        if let Self::Raw(raw) = self
            && raw.get().starts_with('{')
        {
            *self = serde_json::from_str(raw.get())?;
        }
        Ok(match self {
            Self::Object(members) => Some(members),
            Self::Raw(_) => None,
        })
    }

    fn remove(&mut self, tokens: &[String]) -> serde_json::Result<Option<Self>> {
        let Some((name, deeper)) = tokens.split_first() else {
            return Ok(None);
        };
        let Some(members) = self.members()? else {
            return Ok(None);
        };
        // Where members have one name, the last one counts.
        let Some(index) = members.iter().rposition(|(other, _)| other == name) else {
            return Ok(None);
        };
        if deeper.is_empty() {
            let removed = members.remove(index).1;
            members.retain(|(other, _)| other != name);
            return Ok(Some(removed));
        }
        members[index].1.remove(deeper)
    }

    /// Puts a value there, making the objects on the way; over what is no object, too.
    fn put(&mut self, tokens: &[String], value: Self) -> serde_json::Result<()> {
        let Some((name, deeper)) = tokens.split_first() else {
            *self = value;
            return Ok(());
        };
        if self.members()?.is_none() {
            *self = Self::Object(Vec::new());
        }
        let Some(members) = self.members()? else {
            return Ok(());
        };
        let known = members.iter().rposition(|(other, _)| other == name);
        let index = known.unwrap_or_else(|| {
            members.push((name.clone(), Self::Object(Vec::new())));
            members.len() - 1
        });
        members[index].1.put(deeper, value)
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Of an object, one level.
impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut members = Vec::new();
                while let Some((name, raw)) = map.next_entry()? {
                    members.push((name, Tree::Raw(raw)));
                }
                Ok(Tree::Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample::record, *};

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    fn edited(edits: &Edits, json: &str) -> String {
        let edited = edits.apply(json.as_bytes(), &record(Some(json)));
        String::from_utf8(edited.unwrap()).unwrap()
    }

    #[test]
    fn what_is_not_changed_stays_byte_for_byte() {
        let edits = Edits {
            drop: vec![pointer("/client/ip"), pointer("/none/at/all")],
            ..Edits::default()
        };
        let json = r#"{"n":1.50,"big":123456789012345678901,"client":{"bot":false,"ip":"::1"},"list":[1, 2]}"#;
        let expected =
            r#"{"n":1.50,"big":123456789012345678901,"client":{"bot":false},"list":[1, 2]}"#;
        assert_eq!(edited(&edits, json), expected);
    }

    #[test]
    fn members_are_kept_renamed_and_set_in_this_order() {
        let edits = Edits {
            keep: vec![pointer("/page/url"), pointer("/n")],
            rename: vec![(pointer("/page/url"), pointer("/url"))],
            set: vec![
                (pointer("/page/twice"), Condition::parse("n * 2").unwrap()),
                (pointer("/key"), Condition::parse("record.key").unwrap()),
                (pointer("/none"), Condition::parse("missing + 1").unwrap()),
            ],
            ..Edits::default()
        };
        let json = r#"{"n":21,"page":{"url":"/cart","title":"Cart"},"user":"u"}"#;
        let expected = r#"{"page":{"twice":42},"n":21,"url":"/cart","key":"own"}"#;
        assert_eq!(edited(&edits, json), expected);
    }

    #[test]
    fn what_is_no_object_has_nothing_to_change_and_what_is_no_json_is_an_error() {
        let edits = Edits {
            drop: vec![pointer("/0")],
            ..Edits::default()
        };
        assert_eq!(edited(&edits, "[1,2]"), "[1,2]");
        assert!(edits.apply(b"{", &record(None)).is_err());
    }
}
