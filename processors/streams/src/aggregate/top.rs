use super::{Aggregate, Sample, save_bytes, take, take_text};
use std::{cmp::Reverse, collections::BTreeMap, num::NonZeroU32};

/// So many different values a pane and a window keep; all that is asked for fits.
const KEPT: usize = 1_024;

/// The most frequent values of a field, by the sketch of Misra and Gries in its mergeable form
/// (Agarwal and others, "Mergeable Summaries", 2012): exact up to 1,024 different values; with more
/// of them, a count may be too low by at most a 1,025th of the records.
#[derive(Clone, Debug)]
pub struct Top {
    wanted: usize,
    counts: BTreeMap<Box<str>, u64>,
}

impl Top {
    pub(super) fn new(wanted: NonZeroU32) -> Self {
        Self {
            wanted: usize::try_from(wanted.get()).unwrap_or(usize::MAX),
            counts: BTreeMap::new(),
        }
    }

    fn kept(&self) -> usize {
        KEPT.max(self.wanted)
    }

    /// Forgets the rare ones: takes what the first that is too many has from each.
    fn prune(&mut self) {
        let mut counts: Vec<_> = self.counts.values().copied().collect();
        counts.sort_unstable_by_key(|count| Reverse(*count));
        let Some(&rare) = counts.get(self.kept()) else {
            return;
        };
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(rare);
            *count > 0
        });
    }
}

impl Aggregate for Top {
    fn add(&mut self, sample: Sample<'_>) {
        let Some(value) = sample.input.value() else {
            return;
        };
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
            return;
        }
        self.counts.insert(value.into(), 1);
        // Not at each one too many: going through all of them takes its time.
        if self.counts.len() > 2 * self.kept() {
            self.prune();
        }
    }

    fn merge(&mut self, other: &Self) {
        for (value, count) in &other.counts {
            *self.counts.entry(value.clone()).or_default() += count;
        }
        if self.counts.len() > 2 * self.kept() {
            self.prune();
        }
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
            self.counts.insert(take_text(bytes)?, count);
        }
        Some(())
    }
}
