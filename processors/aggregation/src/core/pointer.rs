use super::Pointers;
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
        let found = Pointers::new([self]).find(json)?;
        Ok(found.into_iter().next().flatten())
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What it is in a list, if it can be that; an index has no leading zeros.
pub(super) fn index(token: &str) -> Option<usize> {
    let is_index = token == "0" || !token.starts_with('0');
    let is_digits = token.bytes().all(|byte| byte.is_ascii_digit());
    token.parse().ok().filter(|_| is_index && is_digits)
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
