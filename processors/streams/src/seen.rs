//! Duplicates: records whose id was seen not long before.

use crate::{Size, Span, Windows};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

type Id = Arc<[u8]>;

/// The ids that one partition has seen, each with the greatest event time it was seen at.
///
/// An id is kept for as long as a record with it could still count: until the windows of the last
/// instant at which it would be a duplicate have closed.
#[derive(Debug)]
pub(crate) struct Seen {
    within: i64,
    kept: i64,
    times: HashMap<Id, i64>,
    by_time: BTreeSet<(i64, Id)>,
    changed: BTreeSet<Id>,
    /// Of the ids alone.
    id_bytes: usize,
}

/// What a record in the changelog has beside its id.
const BESIDE: usize = 10;

impl Seen {
    pub(crate) fn new(within: Span, windows: &Windows) -> Self {
        let within = within.as_millis();
        let (size, grace) = (windows.size().as_millis(), windows.grace().as_millis());
        Self {
            within,
            kept: within.saturating_add(size).saturating_add(grace),
            times: HashMap::new(),
            by_time: BTreeSet::new(),
            changed: BTreeSet::new(),
            id_bytes: 0,
        }
    }

    /// How much it holds.
    pub(crate) fn size(&self) -> Size {
        let entries = self.times.len();
        let bytes = self.id_bytes + entries * BESIDE;
        Size {
            entries: entries as u64,
            bytes: bytes as u64,
        }
    }

    /// How many changes there are since the last commit.
    pub(crate) fn waiting(&self) -> usize {
        self.changed.len()
    }

    /// Whether a record with this id was seen within the time, before or after this one by event
    /// time. This one is seen from now on.
    pub(crate) fn is_duplicate(&mut self, id: &[u8], time: i64) -> bool {
        let known = self.times.get_key_value(id);
        let known = known.map(|(id, time)| (Arc::clone(id), *time));
        let Some((id, before)) = known else {
            self.set(id.into(), time);
            return false;
        };
        let is_duplicate = before.abs_diff(time) <= self.within.unsigned_abs();
        if time > before {
            self.by_time.remove(&(before, Arc::clone(&id)));
            self.set(id, time);
        }
        is_duplicate
    }

    /// Forgets what is too old at this stream time.
    pub(crate) fn forget(&mut self, stream_time: i64) {
        let oldest = stream_time.saturating_sub(self.kept);
        while let Some((time, _)) = self.by_time.first()
            && *time < oldest
            && let Some((_, id)) = self.by_time.pop_first()
        {
            self.times.remove(&id);
            self.id_bytes -= id.len();
            self.changed.insert(id);
        }
    }

    /// The ids that are other than at the last call, with their time; without one, they are gone.
    pub(crate) fn changed(&mut self) -> Vec<(Id, Option<i64>)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed
            .map(|id| {
                let time = self.times.get(&id).copied();
                (id, time)
            })
            .collect()
    }

    /// All of them count as other than at the last call.
    pub(crate) fn refill(&mut self) {
        self.changed = self.times.keys().cloned().collect();
    }

    /// Puts back what an earlier life has known.
    pub(crate) fn restore(&mut self, id: &[u8], time: Option<i64>) {
        let id: Id = id.into();
        if let Some(before) = self.times.remove(&id) {
            self.id_bytes -= id.len();
            self.by_time.remove(&(before, Arc::clone(&id)));
        }
        if let Some(time) = time {
            self.id_bytes += id.len();
            self.times.insert(Arc::clone(&id), time);
            self.by_time.insert((time, id));
        }
    }

    fn set(&mut self, id: Id, time: i64) {
        if self.times.insert(Arc::clone(&id), time).is_none() {
            self.id_bytes += id.len();
        }
        self.by_time.insert((time, Arc::clone(&id)));
        self.changed.insert(id);
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use crate::{TimeWindows, millis};

    fn seen() -> Seen {
        let windows = TimeWindows::of(millis(20)).grace(millis(5)).unwrap();
        Seen::new(millis(10), &windows)
    }

    #[test]
    fn an_id_is_a_duplicate_up_to_the_time_before_and_after_it_was_last_seen() {
        let mut seen = seen();
        assert!(!seen.is_duplicate(b"a", 100));
        assert!(seen.is_duplicate(b"a", 90));
        assert!(seen.is_duplicate(b"a", 110));
        assert!(seen.is_duplicate(b"a", 120));
        assert!(!seen.is_duplicate(b"a", 131));
        assert!(!seen.is_duplicate(b"b", 131));
    }

    #[test]
    fn an_id_is_forgotten_when_no_duplicate_of_it_could_count() {
        let mut seen = seen();
        seen.is_duplicate(b"a", 100);
        assert_eq!(seen.changed().len(), 1);
        seen.forget(135);
        assert!(seen.changed().is_empty());
        seen.forget(136);
        assert_eq!(seen.changed(), [(b"a"[..].into(), None)]);
        assert!(seen.times.is_empty() && seen.by_time.is_empty());
    }
}
