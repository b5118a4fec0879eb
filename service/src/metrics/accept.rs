use axum::http::{HeaderMap, header};

/// How a page of metrics is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// [OpenMetrics 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/).
    OpenMetrics,
    /// Prometheus' own [text format 0.0.4](https://prometheus.io/docs/instrumenting/exposition_formats/).
    Text,
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// How closely a media range names this format: 0 for "anything"; `None` when it does not.
    fn named_by(self, range: &Range<'_>) -> Option<u8> {
        let (r#type, versions): (_, &[&str]) = match self {
            Self::OpenMetrics => ("application/openmetrics-text", &["1.0.0", "0.0.1"]),
            Self::Text => ("text/plain", &["0.0.4"]),
        };
        let group = r#type.split_once('/').map_or("", |(group, _)| group);
        let named = range.r#type.to_ascii_lowercase();
        match range.version {
            Some(version) if named == r#type => versions.contains(&version).then_some(3),
            None if named == r#type => Some(2),
            _ if named.strip_suffix("/*") == Some(group) => Some(1),
            _ if named == "*/*" => Some(0),
            _ => None,
        }
    }
}

/// The one that the client would rather have (RFC 9110, 12.5.1); OpenMetrics when it has no preference.
pub(super) fn best(headers: &HeaderMap) -> Format {
    let values = headers.get_all(header::ACCEPT).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    let ranges = values.iter().flat_map(|value| value.split(','));
    let ranges: Vec<_> = ranges.map(Range::read).collect();
    // How much it is wanted, and then how closely it is named.
    let wish = |format: Format| {
        let named = ranges.iter();
        let named = named.filter_map(|range| Some((format.named_by(range)?, range.quality)));
        let (closeness, quality) = named.max()?;
        (quality > 0).then_some((quality, closeness))
    };
    if wish(Format::Text) > wish(Format::OpenMetrics) {
        Format::Text
    } else {
        Format::OpenMetrics
    }
}

/// One element of `Accept`.
struct Range<'a> {
    r#type: &'a str,
    version: Option<&'a str>,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let mut range = Self {
            r#type: parts.next().unwrap_or_default(),
            version: None,
            quality: 1000,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim() {
                name if name.eq_ignore_ascii_case("version") => range.version = Some(value),
                name if name.eq_ignore_ascii_case("q") => range.quality = quality(value),
                _ => {}
            }
        }
        range
    }
}

/// A weight that is none is the greatest.
fn quality(text: &str) -> u16 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let thousandths = format!("{rest:0<3}").parse();
    match (whole, thousandths) {
        ("0", Ok(thousandths)) if rest.len() <= 3 => thousandths,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::{Format::*, *};

    fn chosen(accepted: &[&str]) -> Format {
        let mut headers = HeaderMap::new();
        for value in accepted {
            headers.append(header::ACCEPT, value.parse().unwrap());
        }
        best(&headers)
    }

    #[test]
    fn scrapers_get_what_they_ask_for() {
        for (accepted, format) in [
            // Prometheus 3, and 2.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics,
            ),
            // With the text format as its `fallback_scrape_protocol` and only protocol.
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Text),
            // Telegraf, and an agent of VictoriaMetrics.
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
                Text,
            ),
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", Text),
            ("text/plain;version=0.0.4", Text),
            ("text/plain; version=\"0.0.4\"; charset=utf-8", Text),
            ("Text/Plain", Text),
            ("text/*", Text),
            ("text/plain, */*", Text),
            ("text/plain;q=0, */*", OpenMetrics),
            ("application/openmetrics-text;q=0, */*;q=0.1", Text),
            ("text/plain;q=0.9, application/openmetrics-text;q=0.8", Text),
            (
                "text/plain;q=0.8, application/openmetrics-text;q=0.85",
                OpenMetrics,
            ),
            ("text/plain, application/openmetrics-text", OpenMetrics),
            ("*/*", OpenMetrics),
            ("text/html, */*;q=0.8", OpenMetrics),
            ("image/png", OpenMetrics),
            ("", OpenMetrics),
        ] {
            assert_eq!(chosen(&[accepted]), format, "{accepted}");
        }
        assert_eq!(chosen(&[]), OpenMetrics);
        assert_eq!(chosen(&["image/png", "text/plain"]), Text);
    }
}
