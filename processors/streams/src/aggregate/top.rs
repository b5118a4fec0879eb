use super::{Aggregate, Sample, save_bytes, take, take_text};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap, fmt::Write as _, num::NonZeroU32};

/// So many different values a pane and a window keep, or as many as are asked for, as long as their
/// texts have no more than so many bytes.
const KEPT: usize = 1_024;
const KEPT_BYTES: usize = 256 << 10;
/// A longer text is counted by its beginning and its hash.
const LONGEST: usize = 8 << 10;
/// So many characters are its beginning.
const BEGINNING: usize = 256;

/// The most frequent values of a field, by the sketch of Misra and Gries in its mergeable form
/// (Agarwal and others, "Mergeable Summaries", 2012): exact up to 1,024 different values whose texts
/// have up to 256 KiB together; with more of them, a count may be too low by at most the number of
/// records, divided by one more than the number of values that are kept.
#[derive(Clone, Debug)]
pub struct Top {
    wanted: usize,
    counts: BTreeMap<Box<str>, u64>,
    /// Of the texts.
    bytes: usize,
}

impl Top {
    pub(super) fn new(wanted: NonZeroU32) -> Self {
        Self {
            wanted: usize::try_from(wanted.get()).unwrap_or(usize::MAX),
            counts: BTreeMap::new(),
            bytes: 0,
        }
    }

    fn kept(&self) -> usize {
        KEPT.max(self.wanted)
    }

    /// Forgets the rare ones, if there is twice as much as is kept; not at each one too many, for
    /// going through all of them takes its time. Takes what the first that is too many has from each.
    fn prune(&mut self) {
        if self.counts.len() <= 2 * self.kept() && self.bytes <= 2 * KEPT_BYTES {
            return;
        }
        let mut counts: Vec<_> = self
            .counts
            .iter()
            .map(|(value, count)| (*count, value.len()))
            .collect();
        counts.sort_unstable_by_key(|(count, length)| (Reverse(*count), *length));
        let mut bytes = 0;
        let mut fits = |length: usize| {
            bytes += length;
            bytes <= KEPT_BYTES
        };
        let kept = counts
            .iter()
            .take(self.kept())
            .take_while(|(_, length)| fits(*length))
            .count();
        let Some(&(rare, _)) = counts.get(kept) else {
            return;
        };
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(rare);
            *count > 0
        });
        self.bytes = self.counts.keys().map(|value| value.len()).sum();
    }

    fn add_to(&mut self, value: &str, more: u64) {
        match self.counts.get_mut(value) {
            Some(count) => *count += more,
            None => {
                self.bytes += value.len();
                self.counts.insert(value.into(), more);
            }
        }
    }
}

/// The text itself, or a text that stands for it.
fn short(value: &str) -> Cow<'_, str> {
    if value.len() <= LONGEST {
        return Cow::Borrowed(value);
    }
    let mut text: String = value.chars().take(BEGINNING).collect();
    text.push_str("… sha256:");
    for byte in Sha256::digest(value) {
        let _infallible = write!(text, "{byte:02x}");
    }
    // Text always has a JSON form.
    serde_json::to_string(&text).unwrap_or_default().into()
}

impl Aggregate for Top {
    fn add(&mut self, sample: Sample<'_>) {
        let Some(value) = sample.input.value() else {
            return;
        };
        self.add_to(&short(value), 1);
        self.prune();
    }

    fn merge(&mut self, other: &Self) {
        for (value, count) in &other.counts {
            self.add_to(value, *count);
        }
        self.prune();
    }

    fn result(&self) -> String {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(value, count)| (Reverse(*count), *value));
        let best = counts.into_iter().take(self.wanted);
        let best: Vec<_> = best
            .map(|(value, count)| format!(r#"{{"value":{value},"count":{count}}}"#))
            .collect();
        format!("[{}]", best.join(","))
    }

    fn save(&self, bytes: &mut Vec<u8>) {
        let length = u32::try_from(self.counts.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_be_bytes());
        for (value, count) in &self.counts {
            bytes.extend(count.to_be_bytes());
            save_bytes(value.as_bytes(), bytes);
        }
    }

    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        for _ in 0..u32::from_be_bytes(take(bytes)?) {
            let count = u64::from_be_bytes(take(bytes)?);
            self.add_to(&take_text(bytes)?, count);
        }
        Some(())
    }
}
