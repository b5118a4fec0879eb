//! What a site can set, and what holds when it sets nothing.

use crate::address::{DENIED, Scrub};

/// The settings of one load.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names the site.
    pub write_key: String,
    /// Where batches go.
    pub url: String,
    /// Whether anything may be kept between pages.
    pub stores: bool,
    /// Whether visitor and session are left out.
    pub cookieless: bool,
    /// What is recorded without being called for.
    pub capture: Capture,
    /// The most events of a batch.
    pub batch_count: usize,
    /// The most bytes of a batch's events, when there is more than one.
    pub batch_bytes: usize,
    /// How long an event may wait, in milliseconds.
    pub batch_age: u64,
    /// The most bytes of events that wait.
    pub queue_bytes: usize,
    /// What is taken out of every URL.
    pub scrub: Scrub,
    /// Options whose value was not understood, so that their default holds.
    pub problems: Vec<&'static str>,
}

/// What is recorded without being called for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// Page views, first and later ones.
    pub page_views: bool,
    /// Clicks on what is meant to be clicked.
    pub clicks: bool,
    /// Clicks on anything.
    pub all_clicks: bool,
    /// Fragments as parts of the address.
    pub hash: bool,
}

impl Options {
    /// Reads them by name, as in `init({…})`.
    #[must_use]
    pub fn read(option: &dyn Fn(&'static str) -> Option<String>) -> Self {
        let mut reader = Reader {
            option,
            problems: Vec::new(),
        };
        let capture = reader.capture();
        Self {
            write_key: reader.text("writeKey"),
            url: [reader.text("endpoint").trim_end_matches('/'), "/v1/events"].concat(),
            stores: reader.parsed("storage", true, storage),
            cookieless: reader.parsed("cookieless", false, flag),
            batch_count: reader.parsed("batchCount", 20, count),
            batch_bytes: reader.parsed("batchBytes", 16 << 10, size),
            batch_age: reader.parsed("batchAge", 3_000, duration),
            queue_bytes: reader.parsed("queueBytes", 256 << 10, size),
            scrub: reader.scrub(capture.hash),
            capture,
            problems: reader.problems,
        }
    }
}

struct Reader<'a> {
    option: &'a dyn Fn(&'static str) -> Option<String>,
    problems: Vec<&'static str>,
}

impl Reader<'_> {
    fn text(&self, name: &'static str) -> String {
        (self.option)(name).unwrap_or_default()
    }

    fn words(&self, name: &'static str) -> Vec<String> {
        words(&self.text(name)).map(str::to_owned).collect()
    }

    fn parsed<T>(&mut self, name: &'static str, default: T, parse: fn(&str) -> Option<T>) -> T {
        let Some(text) = (self.option)(name) else {
            return default;
        };
        let value = parse(text.trim());
        if value.is_none() {
            self.problems.push(name);
        }
        value.unwrap_or(default)
    }

    fn capture(&mut self) -> Capture {
        let Some(text) = (self.option)("capture") else {
            return Capture {
                page_views: true,
                clicks: true,
                ..Capture::default()
            };
        };
        let mut capture = Capture::default();
        for word in words(&text) {
            match word {
                "page-views" => capture.page_views = true,
                "clicks" => capture.clicks = true,
                "all-clicks" => {
                    capture.clicks = true;
                    capture.all_clicks = true;
                }
                "hash" => capture.hash = true,
                _ => self.problems.push("capture"),
            }
        }
        capture
    }

    fn scrub(&self, keeps_hash: bool) -> Scrub {
        let mut denied = self.words("denyQuery");
        denied.extend(words(DENIED).map(str::to_owned));
        let kept = self.words("keepQuery");
        denied.retain(|name| !kept.iter().any(|keep| keep.eq_ignore_ascii_case(name)));
        Scrub { denied, keeps_hash }
    }
}

/// Words between spaces or commas; a list that was made into text has commas.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\n', '\t'])
        .filter(|word| !word.is_empty())
}

fn storage(text: &str) -> Option<bool> {
    match text {
        "local" => Some(true),
        "memory" => Some(false),
        _ => None,
    }
}

/// An attribute without a value says yes.
fn flag(text: &str) -> Option<bool> {
    match text {
        "" | "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| (1..=500).contains(count))
}

/// Bytes, `16KB` or `1MB`.
fn size(text: &str) -> Option<usize> {
    let (number, unit) = number(text)?;
    let bytes: u64 = match unit {
        "" | "B" => 1,
        "KB" | "KiB" => 1 << 10,
        "MB" | "MiB" => 1 << 20,
        _ => return None,
    };
    usize::try_from(number.checked_mul(bytes)?).ok()
}

/// Milliseconds, `500ms`, `3s`, `2m`, `1h` or `7d`.
fn duration(text: &str) -> Option<u64> {
    let (number, unit) = number(text)?;
    let ms = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(ms)
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(set: &[(&str, &str)]) -> Options {
        Options::read(&|name| {
            let (_, value) = set.iter().find(|(set, _)| *set == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let options = options(&[("writeKey", "demo"), ("endpoint", "https://t.example/")]);
        assert_eq!(options.write_key, "demo");
        assert_eq!(options.url, "https://t.example/v1/events");
        assert!(options.stores && !options.cookieless);
        assert!(options.capture.page_views && options.capture.clicks);
        assert!(!options.capture.all_clicks && !options.capture.hash);
        assert_eq!(options.batch_count, 20);
        assert_eq!(options.batch_bytes, 16_384);
        assert_eq!(options.batch_age, 3_000);
        assert_eq!(options.queue_bytes, 262_144);
        assert!(options.problems.is_empty());
    }

    #[test]
    fn durations_and_sizes_have_units() {
        let options = options(&[
            ("batchAge", "5s"),
            ("batchBytes", "8KB"),
            ("queueBytes", "1 MiB"),
        ]);
        assert_eq!(options.batch_age, 5_000);
        assert_eq!(options.batch_bytes, 8_192);
        assert_eq!(options.queue_bytes, 1_048_576);
        assert_eq!(super::duration("500"), Some(500));
        assert_eq!(super::duration("500ms"), Some(500));
    }

    #[test]
    fn a_value_that_is_not_understood_is_named_and_its_default_holds() {
        let options = options(&[
            ("batchAge", "soon"),
            ("batchCount", "501"),
            ("storage", "disk"),
        ]);
        assert_eq!(options.batch_age, 3_000);
        assert_eq!(options.batch_count, 20);
        assert_eq!(options.problems, ["storage", "batchCount", "batchAge"]);
    }

    #[test]
    fn an_empty_list_captures_nothing() {
        assert_eq!(options(&[("capture", "")]).capture, Capture::default());
        let all = options(&[("capture", "all-clicks,hash")]).capture;
        assert!(all.clicks && all.all_clicks && all.hash && !all.page_views);
    }

    #[test]
    fn parameters_can_be_denied_and_kept() {
        let options = options(&[("denyQuery", "ref"), ("keepQuery", "Q search")]);
        let url = options
            .scrub
            .url("https://a.example/?q=1&search=2&ref=3&token=4");
        assert_eq!(url, "https://a.example/?q=1&search=2");
    }
}
