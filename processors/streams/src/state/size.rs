/// How much a stream holds in one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Panes, each of one key and one advance; or sessions; and ids that duplicates are known by.
    pub entries: u64,
    /// Bytes of their records in the changelog, keys included, as of the last commit.
    pub bytes: u64,
}

impl Size {
    /// An entry has `now` bytes in the changelog, and no longer those in `known`.
    pub(crate) fn change(&mut self, known: &mut u32, now: u32) {
        let before = std::mem::replace(known, now);
        self.bytes = (self.bytes + u64::from(now)).saturating_sub(u64::from(before));
    }

    /// The entries and bytes of both.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// The bytes of a changelog's record.
pub(crate) fn of_record(key: &[u8], value: &[u8]) -> u32 {
    u32::try_from(key.len() + value.len()).unwrap_or(u32::MAX)
}
