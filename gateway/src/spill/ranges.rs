use std::collections::BTreeMap;

/// A set of ordinals, kept as ranges, because neighbours come and go together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds `start..end`.
    pub(crate) fn insert(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        // Everything that touches the new range becomes a part of it.
        while let Some((&from, &to)) = self.0.range(..=end).next_back() {
            if to < start {
                break;
            }
            start = start.min(from);
            end = end.max(to);
            self.0.remove(&from);
        }
        self.0.insert(start, end);
    }

    /// Takes `start..end` out.
    pub(crate) fn remove(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        while let Some((&from, &to)) = self.0.range(..end).next_back() {
            if to <= start {
                break;
            }
            self.0.remove(&from);
            if from < start {
                self.0.insert(from, start);
            }
            if to > end {
                self.0.insert(end, to);
            }
        }
    }

    /// The least ordinal from `at` on that is not in the set.
    pub(crate) fn gap_from(&self, at: u64) -> u64 {
        match self.0.range(..=at).next_back() {
            Some((_, &to)) if to > at => to,
            _ => at,
        }
    }

    /// The least ordinal from `at` on that is in the set.
    pub(crate) fn next_from(&self, at: u64) -> Option<u64> {
        if self.gap_from(at) > at {
            return Some(at);
        }
        self.0.range(at..).next().map(|(&from, _)| from)
    }

    /// How many ordinals of `start..end` are in the set.
    pub(crate) fn count(&self, start: u64, end: u64) -> u64 {
        let before = self.0.range(..start).next_back();
        let parts = before.into_iter().chain(self.0.range(start..end));
        parts
            .map(|(&from, &to)| to.min(end).saturating_sub(from.max(start)))
            .sum()
    }

    /// The ranges, as start and end, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|(&start, &end)| (start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_behaves_as_a_set(steps in prop::collection::vec((any::<bool>(), 0_u64..40, 0_u64..12), 0..40)) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for (insert, start, len) in steps {
                let end = start + len;
                if insert {
                    ranges.insert(start, end);
                    set.extend(start..end);
                } else {
                    ranges.remove(start, end);
                    set.retain(|n| !(start..end).contains(n));
                }
            }
            let listed: Vec<_> = ranges.iter().flat_map(|(start, end)| start..end).collect();
            prop_assert!(listed.iter().eq(set.iter()));
            let all: Vec<_> = ranges.iter().collect();
            prop_assert!(all.windows(2).all(|pair| pair[0].1 < pair[1].0), "neighbours are one range");
            for at in 0..60 {
                prop_assert_eq!(ranges.gap_from(at), (at..).find(|n| !set.contains(n)).unwrap());
                prop_assert_eq!(ranges.next_from(at), set.range(at..).next().copied());
                let end = at.max(5);
                prop_assert_eq!(ranges.count(5, end), set.range(5..end).count() as u64);
            }
        }
    }
}
