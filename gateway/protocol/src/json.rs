//! Looking into JSON without building a tree of it.

use crate::Text;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
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

/// The elements of an array, or that a value is no array.
pub(crate) struct Elements<'a>(pub(crate) Option<Vec<&'a RawValue>>);

/// Reads a JSON object and checks its syntax.
///
/// # Errors
/// When the text is no JSON object.
pub(crate) fn members<'a, const N: usize>(
    json: &'a str,
    names: &[&str; N],
) -> serde_json::Result<Members<'a, N>> {
    read(json, names, None).map(|(members, _)| members)
}

/// The same with one more name, whose value is an array and is taken apart in the same pass. `None` where it is absent.
///
/// # Errors
/// See [`members`].
pub(crate) fn members_and_elements<'a, const N: usize>(
    json: &'a str,
    names: &[&str; N],
    array: &str,
) -> serde_json::Result<(Members<'a, N>, Option<Elements<'a>>)> {
    read(json, names, Some(array)).or_else(|error| {
        // Where any kind of value may stand, a number beyond a double and half a character are errors; what is only skipped
        // may hold them. So they stand where the array should.
        let (members, _) = read(json, names, None).map_err(|_| error)?;
        Ok((members, Some(Elements(None))))
    })
}

fn read<'a, const N: usize>(
    json: &'a str,
    names: &[&str; N],
    array: Option<&str>,
) -> serde_json::Result<(Members<'a, N>, Option<Elements<'a>>)> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let read = deserializer.deserialize_map(MembersVisitor { names, array })?;
    deserializer.end()?;
    Ok(read)
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
    array: Option<&'n str>,
}

impl<'de, const N: usize> Visitor<'de> for MembersVisitor<'_, N> {
    type Value = (Members<'de, N>, Option<Elements<'de>>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; N];
        let mut seen = [false; N];
        let mut others = BTreeSet::new();
        let mut duplicate = false;
        let mut elements = None;
        // Names are read raw, so that they may hold whatever JSON allows.
        while let Some(name) = map.next_key::<&RawValue>()? {
            let name = Text::from_json(name).unwrap_or_default();
            if elements.is_none() && self.array == Some(&*name) {
                elements = Some(map.next_value()?);
                continue;
            }
            match self.names.iter().position(|known| **known == *name) {
                Some(place) if !seen[place] => {
                    seen[place] = true;
                    let value: &RawValue = map.next_value()?;
                    values[place] = (value.get() != "null").then_some(value);
                }
                known => {
                    let is_array = self.array == Some(&*name);
                    duplicate |= known.is_some() || is_array || !others.insert(name);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok((Members { values, duplicate }, elements))
    }
}

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementsVisitor)
    }
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element()? {
            elements.push(element);
        }
        Ok(Elements(Some(elements)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<&RawValue, IgnoredAny>()?.is_some() {}
        Ok(Elements(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Elements(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Elements(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Elements(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Elements(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Elements(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Elements(None))
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
    fn an_array_is_taken_apart_in_the_same_pass_and_another_value_is_told() {
        let read = |json: &'static str| {
            let (members, elements) = members_and_elements(json, &["a"], "e").unwrap();
            let elements = elements.map(|Elements(elements)| {
                elements.map(|all| all.into_iter().map(RawValue::get).collect::<Vec<_>>())
            });
            (members.duplicate, elements)
        };
        let of_two = vec![r#"{"b": 1}"#, "2.50"];
        assert_eq!(
            read(r#"{"a":1,"e":[{"b": 1} , 2.50]}"#),
            (false, Some(Some(of_two)))
        );
        assert_eq!(read(r#"{"a":1}"#), (false, None));
        assert_eq!(read(r#"{"e":[],"\u0065":[]}"#), (true, Some(Some(vec![]))));
        for json in [
            r#"{"e":null}"#,
            r#"{"e":true}"#,
            r#"{"e":-1}"#,
            r#"{"e":1}"#,
            r#"{"e":1.5}"#,
            r#"{"e":1e999}"#,
            r#"{"e":"x"}"#,
            r#"{"e":"\ud800"}"#,
            r#"{"e":{"\ud800":[1]}}"#,
        ] {
            assert_eq!(read(json), (false, Some(None)), "{json}");
        }
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
