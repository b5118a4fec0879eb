use axum::http::{HeaderMap, header};

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// The smallest that the client takes and that is there; where nothing else is taken, the plain one.
pub(super) fn best(headers: &HeaderMap, is_there: impl Fn(Coding) -> bool) -> Coding {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let accepted: Vec<_> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(weight)
        .collect();
    let takes = |name: &str| {
        let of = |wanted: &str| {
            let mut of = accepted
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            of.next().map(|(_, taken)| *taken)
        };
        of(name).or_else(|| of("*")).unwrap_or(false)
    };
    [Coding::Brotli, Coding::Gzip]
        .into_iter()
        .find(|coding| coding.name().is_some_and(takes) && is_there(*coding))
        .unwrap_or(Coding::Identity)
}

/// A coding's name, and whether it is taken at all.
fn weight(item: &str) -> (&str, bool) {
    let mut parts = item.split(';');
    let name = parts.next().unwrap_or_default().trim();
    let quality = parts.find_map(|part| part.trim().strip_prefix("q="));
    let refused = quality.is_some_and(|quality| quality.trim().parse() == Ok(0.0_f32));
    (name, !refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accepted: &str) -> Coding {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
        best(&headers, |_| true)
    }

    #[test]
    fn the_smallest_that_is_taken_is_sent() {
        assert_eq!(chosen("gzip, deflate, br, zstd"), Coding::Brotli);
        assert_eq!(chosen("GZIP;q=0.5"), Coding::Gzip);
        assert_eq!(chosen("br;q=0, gzip"), Coding::Gzip);
        assert_eq!(chosen("*"), Coding::Brotli);
        assert_eq!(chosen("br;q=0.0, *"), Coding::Gzip);
        assert_eq!(chosen("identity, *;q=0"), Coding::Identity);
        assert_eq!(best(&HeaderMap::new(), |_| true), Coding::Identity);
    }

    #[test]
    fn what_is_not_there_is_not_sent() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, "br, gzip".parse().unwrap());
        let only_gzip = best(&headers, |coding| coding == Coding::Gzip);
        assert_eq!(only_gzip, Coding::Gzip);
    }
}
