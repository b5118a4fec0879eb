//! URLs, as text: the browser has parsed them, so only parts are taken out here.

use crate::scan::{cut, has_word, join, last, split};

/// Query parameters that are never sent, in any case.
pub const DENIED: &str = "token code password pass secret key auth session sid email mail phone \
                          tel name address q query search s";

/// What is taken out of every URL.
#[derive(Clone, Debug, Default)]
pub struct Scrub {
    /// Names of query parameters to remove, besides [`DENIED`].
    pub denied: String,
    /// Names of query parameters to keep.
    pub kept: String,
    /// Whether the fragment stays, for pages that route by it.
    pub keeps_hash: bool,
}

impl Scrub {
    /// The URL without the parameters that are denied, without user and password, and, unless the
    /// page routes by it, without its fragment. The rest stays byte for byte. Of a URL that leads
    /// to no page (`mailto:`, `tel:`, `data:`) only the scheme stays, and of other text nothing.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let Some((scheme, rest)) = split(url, b':') else {
            return String::new();
        };
        let Some(rest) = rest.strip_prefix("//") else {
            return join(&[scheme, ":"]);
        };
        let (rest, hash) = cut(rest, b'#');
        let (place, query) = cut(rest, b'?');
        let (authority, path) = cut(place, b'/');
        let host = last(authority, b'@').unwrap_or(authority);
        let slash = if authority.len() < place.len() {
            "/"
        } else {
            ""
        };
        let mut clean = join(&[scheme, "://", host, slash, path]);
        if place.len() < rest.len() {
            self.push_query(&mut clean, query);
        }
        if self.keeps_hash && !hash.is_empty() {
            clean.push('#');
            clean.push_str(hash);
        }
        clean
    }

    fn push_query(&self, url: &mut String, mut query: &str) {
        let mut mark = "?";
        loop {
            let (parameter, rest) = cut(query, b'&');
            if !self.denies(parameter) {
                url.push_str(mark);
                url.push_str(parameter);
                mark = "&";
            }
            if parameter.len() == query.len() {
                return;
            }
            query = rest;
        }
    }

    fn denies(&self, parameter: &str) -> bool {
        let name = decode(cut(parameter, b'=').0);
        !has_word(&self.kept, &name) && (has_word(DENIED, &name) || has_word(&self.denied, &name))
    }
}

/// The URL without its fragment.
#[must_use]
pub fn without_hash(url: &str) -> &str {
    cut(url, b'#').0
}

/// The URL without query and fragment.
#[must_use]
pub fn without_query(url: &str) -> &str {
    cut(without_hash(url), b'?').0
}

/// Host and port, and the path without its first slash, of a URL that leads to a page.
#[must_use]
pub fn host_and_path(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = split(without_query(url), b':')?;
    Some(cut(rest.strip_prefix("//")?, b'/'))
}

/// A parameter's name as the server will read it.
fn decode(name: &str) -> Vec<u8> {
    let hex = |byte: &u8| char::from(*byte).to_digit(16);
    let mut bytes = name.as_bytes();
    let mut decoded = Vec::new();
    while let [byte, rest @ ..] = bytes {
        let mut byte = *byte;
        bytes = rest;
        if let (b'%', [high, low, rest @ ..]) = (byte, rest)
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            byte = u8::try_from(high * 16 + low).unwrap_or(byte);
            bytes = rest;
        }
        decoded.push(byte);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scrub(url: &str) -> String {
        Scrub::default().url(url)
    }

    #[test]
    fn denied_parameters_go_and_the_rest_stays_as_it_is() {
        let url = "https://shop.example/find?a=1&Q=red%20kite&&b=%7e&EMAIL=x@y.example&c";
        assert_eq!(scrub(url), "https://shop.example/find?a=1&&b=%7e&c");
        assert_eq!(scrub("https://shop.example/?"), "https://shop.example/?");
        assert_eq!(scrub("https://shop.example/?q=x"), "https://shop.example/");
    }

    #[test]
    fn a_name_that_is_written_in_escapes_is_denied_too() {
        assert_eq!(
            scrub("https://a.example/?%74oken=1&x=2"),
            "https://a.example/?x=2"
        );
    }

    #[test]
    fn fragment_and_user_go() {
        assert_eq!(
            scrub("https://me:pw@a.example/x@y#access_token=1"),
            "https://a.example/x@y"
        );
    }

    #[test]
    fn of_a_mail_address_only_the_scheme_stays() {
        assert_eq!(scrub("mailto:someone@example.org?subject=x"), "mailto:");
        assert_eq!(scrub("about"), "");
    }

    #[test]
    fn a_host_ends_where_the_path_starts() {
        assert_eq!(
            host_and_path("https://a.example:8/x/y?z"),
            Some(("a.example:8", "x/y"))
        );
        assert_eq!(
            host_and_path("https://a.example?x=/"),
            Some(("a.example", ""))
        );
        assert_eq!(host_and_path("mailto:x"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_scrubbed_without_a_panic(url in any::<String>()) {
            let _ = scrub(&url);
        }

        #[test]
        fn a_url_without_anything_to_hide_stays(path in "(/[a-z0-9.~%-]{0,8}){1,4}", x in "[a-z0-9]{1,4}") {
            let url = std::format!("https://shop.example{path}?x={x}&y={x}");
            prop_assert_eq!(scrub(&url), url);
        }
    }
}
