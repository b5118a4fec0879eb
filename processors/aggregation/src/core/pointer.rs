use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// A JSON pointer (RFC 6901), e.g. `/page/url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    tokens: Vec<String>,
}

impl Pointer {
    /// Reads a pointer; `None` when it does not begin with `/`, or has a `~` that escapes nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let tokens = text.strip_prefix('/')?.split('/').map(unescape);
        Some(Self {
            tokens: tokens.collect::<Option<_>>()?,
            text: text.to_owned(),
        })
    }

    /// The pointer to a member of the whole.
    #[must_use]
    pub fn member(name: &str) -> Self {
        Self {
            text: format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            tokens: vec![name.to_owned()],
        }
    }

    /// The member of the whole that it begins with.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.tokens.first().map(String::as_str)
    }

    /// The names on the way.
    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// What it points at, byte for byte, without a tree of the whole; `None` when there is nothing.
    /// Where members have one name, the last one counts.
    ///
    /// # Errors
    /// When the bytes are not JSON.
    pub fn find<'a>(&self, json: &'a [u8]) -> serde_json::Result<Option<&'a RawValue>> {
        let mut found: &RawValue = serde_json::from_slice(json)?;
        for token in &self.tokens {
            let mut deserializer = serde_json::Deserializer::from_str(found.get());
            match deserializer.deserialize_any(Step(token))? {
                Some(inner) => found = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn unescape(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (escaped, rest) = part.split_at_checked(1)?;
        plain.push(match escaped {
            "0" => '~',
            "1" => '/',
            _ => return None,
        });
        plain.push_str(rest);
    }
    Some(plain)
}

/// Looks one level down.
struct Step<'t>(&'t str);

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<Name<'_>>()? {
            if name.0 == self.0 {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        // As the RFC has it, an index has no leading zeros.
        let is_index = self.0 == "0" || !self.0.starts_with(['0', '+']);
        let wanted = self.0.parse::<usize>().ok().filter(|_| is_index);
        let mut found = None;
        let mut index = 0;
        while let Some(item) = items.next_element()? {
            if wanted == Some(index) {
                found = Some(item);
            }
            index += 1;
        }
        Ok(found)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A member's name, copied only when it has escapes.
struct Name<'a>(std::borrow::Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(name.into()))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(name.to_owned().into()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn found(pointer: &str, json: &str) -> Option<String> {
        let found = Pointer::parse(pointer)
            .unwrap()
            .find(json.as_bytes())
            .unwrap();
        found.map(|found| found.get().to_owned())
    }

    #[test]
    fn what_is_found_keeps_its_bytes() {
        let json = r#"{ "page": {"url": "a\u0062", "n": 1.50e1}, "list": [7, {"x": true}] }"#;
        assert_eq!(found("/page/url", json).unwrap(), r#""a\u0062""#);
        assert_eq!(found("/page/n", json).unwrap(), "1.50e1");
        assert_eq!(found("/list/1/x", json).unwrap(), "true");
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let json = r#"{"page": {"url": "x"}, "list": [7]}"#;
        for pointer in [
            "/other",
            "/page/url/deeper",
            "/list/1",
            "/list/00",
            "/list/-",
        ] {
            assert_eq!(found(pointer, json), None, "{pointer}");
        }
        for scalar in ["1", "-1", "1.5", "true", "null", r#""text""#] {
            assert_eq!(found("/x", scalar), None, "{scalar}");
        }
    }

    #[test]
    fn the_last_of_two_members_counts() {
        assert_eq!(found("/a", r#"{"a":1,"a":2}"#).unwrap(), "2");
    }

    #[test]
    fn escapes_stand_for_tilde_and_slash() {
        assert_eq!(found("/a~1b/~0", r#"{"a/b":{"~":5}}"#).unwrap(), "5");
        assert_eq!(Pointer::member("a/~b").to_string(), "/a~1~0b");
        assert_eq!(found("/caf\u{e9}", r#"{"caf\u00e9":5}"#).unwrap(), "5");
    }

    #[test]
    fn bytes_that_are_not_json_are_an_error_even_behind_what_is_looked_for() {
        let pointer = Pointer::parse("/a").unwrap();
        for json in [
            &b""[..],
            b"{\"a\":1",
            b"{\"a\":1}x",
            b"{\"a\":1,\"b\":\"\xff\"}",
        ] {
            assert!(pointer.find(json).is_err(), "{}", json.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["", "page", "/a~2", "/a~"] {
            assert_eq!(Pointer::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_serde_jsons_own_pointers_find(
            name in "[a-c~/]{0,2}", inner in "[a-c0-2]{0,2}", value in any::<i32>(),
        ) {
            let tree = json!({&name: {&inner: value, "0": [value, null, "x"]}, "b": [1, {"a": 2}]});
            let json = tree.to_string();
            let outer = Pointer::member(&name);
            for pointer in [outer.to_string(), format!("{outer}/{inner}"), format!("{outer}/0/2"), "/b/1/a".into()] {
                let ours = found(&pointer, &json).map(|raw| serde_json::from_str::<Value>(&raw).unwrap());
                prop_assert_eq!(ours.as_ref(), tree.pointer(&pointer), "{}", pointer);
            }
        }
    }
}
