//! What a site can set, and what holds when it sets nothing.
//!
//! `script/settings.ts` has read the values already: text, and numbers with their units.

/// The settings of one load.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names the site.
    pub write_key: String,
    /// Whether anything may be kept between pages.
    pub stores: bool,
    /// Whether visitor and session are left out.
    pub cookieless: bool,
    /// The share of sessions that is recorded.
    pub sample: f64,
    /// The most events of a batch.
    pub batch_count: usize,
    /// The most bytes of a batch's events, when there is more than one.
    pub batch_bytes: usize,
    /// How long an event may wait, in milliseconds.
    pub batch_age: usize,
    /// The most bytes of events that wait.
    pub queue_bytes: usize,
    /// How long an event may wait before it is given up, in milliseconds.
    pub max_age: usize,
}

/// The values that a site has set, by their names in `init({…})`.
pub trait Settings {
    /// A text, or nothing.
    fn text(&self, name: &str) -> String;
    /// A number: milliseconds, bytes or a count.
    fn number(&self, name: &str, default: u32) -> usize;
    /// A number from 0 to 1, or 1.
    fn share(&self, name: &str) -> f64;
}

impl Options {
    /// Takes what is set, and the default of everything else.
    #[must_use]
    pub fn new(settings: &impl Settings) -> Self {
        Self {
            write_key: settings.text("writeKey"),
            stores: settings.text("storage") != "memory",
            cookieless: settings.text("cookieless") == "true",
            sample: settings.share("sample"),
            batch_count: settings.number("batchCount", 20).clamp(1, 500),
            batch_bytes: settings.number("batchBytes", 16 << 10),
            batch_age: settings.number("batchAge", 3_000),
            queue_bytes: settings.number("queueBytes", 256 << 10),
            max_age: settings.number("maxAge", 7 * 24 * 60 * 60_000),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Settings for tests, by name.
    pub(crate) struct Set(pub(crate) &'static [(&'static str, &'static str)]);

    impl Settings for Set {
        fn text(&self, name: &str) -> String {
            let set = self.0.iter().find(|(set, _)| *set == name);
            set.map_or("", |(_, value)| value).to_owned()
        }

        fn number(&self, name: &str, default: u32) -> usize {
            self.text(name).parse().unwrap_or(default as usize)
        }

        fn share(&self, name: &str) -> f64 {
            self.text(name).parse().unwrap_or(1.0)
        }
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let options = Options::new(&Set(&[("writeKey", "demo")]));
        assert_eq!(options.write_key, "demo");
        assert_eq!(options.batch_count, 20);
        assert_eq!(options.batch_bytes, 16_384);
        assert_eq!(options.batch_age, 3_000);
        assert_eq!(options.queue_bytes, 262_144);
        assert_eq!(options.max_age, 604_800_000);
    }

    #[test]
    fn a_batch_holds_one_to_500_events() {
        assert_eq!(Options::new(&Set(&[("batchCount", "0")])).batch_count, 1);
        assert_eq!(
            Options::new(&Set(&[("batchCount", "501")])).batch_count,
            500
        );
    }
}
