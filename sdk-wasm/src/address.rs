//! URLs, as text: the browser has parsed them, so only parts are taken out here.

/// Query parameters that are never sent, in any case.
pub const DENIED: &str = "token code password pass secret key auth session sid email mail phone \
                          tel name address q query search s";

/// What is taken out of every URL.
#[derive(Clone, Debug, Default)]
pub struct Scrub {
    /// Names of query parameters, lower case.
    pub denied: Vec<String>,
    /// Whether the fragment stays, for pages that route by it.
    pub keeps_hash: bool,
}

impl Scrub {
    /// The URL without the parameters that are denied, without user and password, and, unless the
    /// page routes by it, without its fragment. The rest stays byte for byte. Of a URL that leads
    /// to no page (`mailto:`, `tel:`, `data:`) only the scheme stays.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
        if !scheme.is_empty() && !rest.starts_with("//") {
            return [scheme, ":"].concat();
        }
        let (rest, hash) = split(rest, '#');
        let (place, query) = split(rest, '?');
        let mut clean = without_user(scheme, place);
        if query.split('&').any(|parameter| self.denies(parameter)) {
            let mut mark = '?';
            for parameter in query.split('&').filter(|parameter| !self.denies(parameter)) {
                clean.push(mark);
                clean.push_str(parameter);
                mark = '&';
            }
        } else {
            clean.push_str(rest.get(place.len()..).unwrap_or(""));
        }
        if self.keeps_hash && !hash.is_empty() {
            clean.push('#');
            clean.push_str(hash);
        }
        clean
    }

    fn denies(&self, parameter: &str) -> bool {
        let name = decode(split(parameter, '=').0);
        self.denied
            .iter()
            .any(|denied| denied.as_bytes().eq_ignore_ascii_case(&name))
    }
}

/// The URL without its fragment.
#[must_use]
pub fn without_hash(url: &str) -> &str {
    split(url, '#').0
}

/// The URL without query and fragment.
#[must_use]
pub fn without_query(url: &str) -> &str {
    split(without_hash(url), '?').0
}

/// `https://host:port` of a URL that leads to a page elsewhere or here; else nothing.
#[must_use]
pub fn origin(url: &str) -> Option<&str> {
    let authority = url.find("://")? + 3;
    let end = url
        .get(authority..)?
        .find(['/', '?', '#'])
        .map_or(url.len(), |length| authority + length);
    url.get(..end)
}

fn split(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

fn without_user(scheme: &str, place: &str) -> String {
    let Some(rest) = place.strip_prefix("//") else {
        return place.to_owned();
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => (rest.get(..at).unwrap_or(rest), rest.get(at..).unwrap_or("")),
        None => (rest, ""),
    };
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    [
        scheme,
        if scheme.is_empty() { "//" } else { "://" },
        host,
        path,
    ]
    .concat()
}

/// A parameter's name as the server will read it.
fn decode(name: &str) -> Vec<u8> {
    let mut bytes = name.bytes();
    let mut decoded = Vec::with_capacity(name.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(byte));
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scrub(url: &str) -> String {
        let denied = DENIED.split(' ').map(str::to_owned).collect();
        Scrub {
            denied,
            keeps_hash: false,
        }
        .url(url)
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
    }

    #[test]
    fn an_origin_ends_where_the_path_starts() {
        assert_eq!(origin("https://a.example:8/x"), Some("https://a.example:8"));
        assert_eq!(origin("https://a.example?x=/"), Some("https://a.example"));
        assert_eq!(origin("mailto:x"), None);
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
