/// Enough that a small spill leaves nearly all keys alone. They cost no memory until they are used.
const SLOTS: usize = 1 << 18;

/// Which keys have records in the spill, in bounded memory. It may say yes for a key that has none, because another one
/// shares its slot; it never says no for one that has.
#[derive(Debug)]
pub(crate) struct Keys(Vec<u32>);

impl Default for Keys {
    fn default() -> Self {
        Self(vec![0; SLOTS])
    }
}

impl Keys {
    pub(crate) fn add(&mut self, key: &[u8]) {
        self.0[slot(key)] += 1;
    }

    pub(crate) fn remove(&mut self, key: &[u8]) {
        let count = &mut self.0[slot(key)];
        *count = count.saturating_sub(1);
    }

    /// Adds what another one holds.
    pub(crate) fn join(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    pub(crate) fn has(&self, key: &[u8]) -> bool {
        self.0[slot(key)] > 0
    }
}

fn slot(key: &[u8]) -> usize {
    crc32fast::hash(key) as usize % SLOTS
}
