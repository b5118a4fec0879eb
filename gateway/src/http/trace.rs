use axum::http::HeaderMap;

/// The longest that is carried, in bytes; later versions may be longer than the first, which has 55.
const MAX_LEN: usize = 256;

/// The request's `traceparent`, if there is exactly one and it is valid (W3C Trace Context, 3.2).
pub(super) fn parent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("traceparent").iter();
    let text = values.next()?.to_str().ok()?;
    (values.next().is_none() && is_valid(text)).then_some(text)
}

fn is_valid(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let [Some(version), Some(trace), Some(span), Some(flags)] = [(); 4].map(|()| parts.next())
    else {
        return false;
    };
    let hex = |part: &str, len: usize| {
        part.len() == len
            && part
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    hex(version, 2)
        && version != "ff"
        && hex(trace, 32)
        && !is_zero(trace)
        && hex(span, 16)
        && !is_zero(span)
        && hex(flags, 2)
        && (version != "00" || parts.next().is_none())
        && text.len() <= MAX_LEN
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_right_one_of_this_or_a_later_version_is_carried() {
        assert!(is_valid(RIGHT));
        assert!(is_valid(&format!(
            "cc{}-what-the-future-brings",
            &RIGHT[2..]
        )));
    }

    #[test]
    fn a_wrong_one_is_not() {
        for wrong in [
            "",
            "00",
            &RIGHT[..54],
            &RIGHT.to_ascii_uppercase(),
            &format!("{RIGHT}-x"),
            &format!("ff{}", &RIGHT[2..]),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            &RIGHT.replace('f', "g"),
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
        let mut twice = HeaderMap::new();
        twice.append("traceparent", RIGHT.parse().unwrap());
        assert_eq!(parent(&twice), Some(RIGHT));
        twice.append("traceparent", RIGHT.parse().unwrap());
        assert_eq!(parent(&twice), None);
    }
}
