//! Looking into JSON without building a tree of it.

use crate::Text;
use serde::{
    Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{collections::BTreeSet, fmt};

/// The members of an object whose names were asked for, in the order of the names.
pub(crate) struct Members<'a, const N: usize> {
    /// `None` where the member is absent or null; the first one where it is there twice.
    pub(crate) values: [Option<&'a RawValue>; N],
    /// Whether any name, asked for or not, is there twice.
    pub(crate) duplicate: bool,
}

/// Reads a JSON object and checks its syntax.
///
/// # Errors
/// When the text is no JSON object.
pub(crate) fn members<'a, const N: usize>(
    json: &'a str,
    names: &[&str; N],
) -> serde_json::Result<Members<'a, N>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let members = deserializer.deserialize_map(MembersVisitor { names })?;
    deserializer.end()?;
    Ok(members)
}

/// Whether a JSON value is an object. The value's syntax has been checked.
pub(crate) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// Whether a JSON value is `{}`.
pub(crate) fn is_empty_object(raw: &RawValue) -> bool {
    raw.get()
        .strip_prefix('{')
        .is_some_and(|rest| rest.trim_start() == "}")
}

/// Whether arrays and objects stand in each other more than `limit` levels deep.
pub(crate) fn is_deeper_than(json: &str, limit: usize) -> bool {
    let opens = |byte: &&u8| matches!(byte, b'{' | b'[');
    // Nesting cannot exceed the number of opening brackets, and these are quickly counted.
    if json.as_bytes().iter().filter(opens).count() <= limit {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

struct MembersVisitor<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> Visitor<'de> for MembersVisitor<'_, N> {
    type Value = Members<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; N];
        let mut seen = [false; N];
        let mut others = BTreeSet::new();
        let mut duplicate = false;
        // Names are read raw, so that they may hold whatever JSON allows.
        while let Some(name) = map.next_key::<&RawValue>()? {
            let name = Text::from_json(name).unwrap_or_default();
            match self.names.iter().position(|known| **known == *name) {
                Some(place) if !seen[place] => {
                    seen[place] = true;
                    let value: &RawValue = map.next_value()?;
                    values[place] = (value.get() != "null").then_some(value);
                }
                known => {
                    duplicate |= known.is_some() || !others.insert(name);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Members { values, duplicate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> ([Option<&str>; 2], bool) {
        let members = members(json, &["a", "b"]).unwrap();
        let values = members.values.map(|value| value.map(RawValue::get));
        (values, members.duplicate)
    }

    #[test]
    fn members_are_found_by_their_unescaped_names() {
        let json = r#" {"b" : [1, 2] , "\u0061":"x","c":{}} "#;
        assert_eq!(read(json), ([Some("\"x\""), Some("[1, 2]")], false));
    }

    #[test]
    fn null_is_absent_and_a_member_twice_is_told_known_or_not() {
        assert_eq!(read(r#"{"a":null}"#), ([None, None], false));
        assert_eq!(read(r#"{"a":null,"\u0061":1}"#), ([None, None], true));
        assert_eq!(read(r#"{"c":1,"c":2}"#), ([None, None], true));
        assert_eq!(read(r#"{"c":{"d":1,"d":2}}"#), ([None, None], false));
    }

    #[test]
    fn names_with_lone_surrogates_are_names_like_others() {
        assert_eq!(read(r#"{"\ud800":1,"a":2}"#), ([Some("2"), None], false));
    }

    #[test]
    fn a_raw_control_character_in_a_name_is_refused() {
        assert!(members("{\"a\u{1}\":1}", &["a"]).is_err());
        assert!(members("{\"c\\n\u{1}\":1}", &["a"]).is_err());
    }

    #[test]
    fn brackets_in_strings_are_no_levels() {
        assert!(!is_deeper_than(r#"["[[[\"[["]"#, 1));
        assert!(is_deeper_than(r#"["\\",[]]"#, 1));
        assert!(!is_deeper_than("[[],[]]", 2));
    }

    proptest! {
        #[test]
        fn depth_is_counted_exactly(depth in 0_usize..300, limit in 0_usize..300) {
            let json = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            prop_assert_eq!(is_deeper_than(&json, limit), depth > limit);
        }
    }
}
