//! The search for the record whose result Kafka does not take.
//!
//! Results gather what many records bring, so that one that is refused does not say which of them is
//! at fault. The partition is taken back to its last commit and its records are processed anew, half
//! of those that are suspects between two commits: what is taken is innocent, and what is refused has
//! half as many suspects as before, until there is one.

/// The search in one partition.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inquiry {
    /// So many of the next records are suspects.
    suspects: usize,
    /// So many of them are processed until the next commit.
    step: usize,
    processed: usize,
}

impl Inquiry {
    /// Among so many records, two or more.
    pub(super) fn among(suspects: usize) -> Self {
        Self {
            suspects,
            step: (suspects / 2).max(1),
            processed: 0,
        }
    }

    /// One more record is processed.
    pub(super) fn process(&mut self) {
        self.processed += 1;
    }

    /// Whether a commit comes before the next record.
    pub(super) fn is_at_step(&self) -> bool {
        self.processed >= self.step
    }

    /// What came of so many records was taken. Returns whether there are any suspects left.
    pub(super) fn acquit(&mut self, count: usize) -> bool {
        self.suspects = self.suspects.saturating_sub(count);
        self.processed = self.processed.saturating_sub(count);
        self.step = (self.suspects / 2).max(1);
        self.suspects > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many commits it takes to find the one that is guilty, and that it is found.
    fn find(records: usize, guilty: usize) -> (usize, usize) {
        let (mut begin, mut commits) = (0, 1);
        let mut inquiry = Inquiry::among(records);
        loop {
            let mut count = 0;
            while !inquiry.is_at_step() {
                inquiry.process();
                count += 1;
            }
            commits += 1;
            if !(begin..begin + count).contains(&guilty) {
                begin += count;
                assert!(inquiry.acquit(count));
            } else if count == 1 {
                return (begin, commits);
            } else {
                inquiry = Inquiry::among(count);
            }
        }
    }

    proptest! {
        #[test]
        fn the_guilty_record_is_found_in_few_commits(records in 2..5_000_usize, guilty in 0..5_000_usize) {
            let guilty = guilty % records;
            let (found, commits) = find(records, guilty);
            prop_assert_eq!(found, guilty);
            prop_assert!(commits <= 2 * (records.ilog2() as usize + 2), "{}", commits);
        }
    }

    #[test]
    fn when_all_suspects_are_acquitted_the_search_is_over() {
        let mut inquiry = Inquiry::among(3);
        assert!(inquiry.acquit(1));
        assert!(!inquiry.acquit(2));
    }
}
