//! Tables: the newest value of each key of a topic, to be looked up.

use footfall_task::{GlobalTable, TableFull, TableSize};
use hashbrown::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What a table's rows may need unless it says so itself, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// What a row needs beside its key and its value, in bytes: pointers, lengths, counters, free room.
const ROW_OVERHEAD: usize = 128;

/// A topic, as a rule a compacted one, whose newest value of each key is a row.
///
/// Every process has all of it, so records need not be partitioned as the table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The topic.
    pub topic: Arc<str>,
    /// What its rows may need, in bytes: keys, values, and 128 bytes for each.
    pub max_bytes: usize,
}

/// A table of a topic.
#[must_use]
pub fn table(topic: &str) -> Table {
    Table {
        topic: topic.into(),
        max_bytes: MAX_BYTES,
    }
}

impl Table {
    /// Lets its rows need so many bytes; left out, 64 MiB.
    #[must_use]
    pub fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }
}

/// A row, as long as somebody looks at it.
pub(crate) type Row = Arc<[u8]>;

/// The row of each join of a record, where there is one.
pub(crate) type RowsFound = Vec<Option<Row>>;

/// A table's rows.
#[derive(Debug)]
pub(crate) struct Rows {
    table: Table,
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    rows: HashMap<Box<[u8]>, Row>,
    bytes: usize,
}

impl Rows {
    pub(crate) fn new(table: Table) -> Self {
        Self {
            table,
            held: RwLock::default(),
        }
    }

    pub(crate) fn row(&self, key: &[u8]) -> Option<Row> {
        self.read().rows.get(key).map(Arc::clone)
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GlobalTable for Rows {
    fn topic(&self) -> &str {
        &self.table.topic
    }

    fn clear(&self) {
        *self.write() = Held::default();
    }

    fn change(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), TableFull> {
        let mut held = self.write();
        let before = held.rows.get(key).map_or(0, |row| cost(key, row));
        let after = value.map_or(0, |value| cost(key, value));
        let bytes = held.bytes - before + after;
        let max_bytes = self.table.max_bytes;
        if bytes > max_bytes && after > before {
            return Err(TableFull { max_bytes });
        }
        held.bytes = bytes;
        match value {
            None => {
                held.rows.remove(key);
            }
            Some(value) => match held.rows.get_mut(key) {
                Some(row) => *row = value.into(),
                None => {
                    held.rows.insert(key.into(), value.into());
                }
            },
        }
        Ok(())
    }

    fn size(&self) -> TableSize {
        let held = self.read();
        TableSize {
            rows: held.rows.len(),
            bytes: held.bytes,
        }
    }
}

fn cost(key: &[u8], value: &[u8]) -> usize {
    key.len() + value.len() + ROW_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn rows(max_bytes: usize) -> Rows {
        Rows::new(table("users").max_bytes(max_bytes))
    }

    #[test]
    fn the_newest_value_of_a_key_is_its_row_until_it_is_deleted() {
        let rows = rows(1_000);
        let row = |key| rows.row(key).map(|row| row.to_vec());
        assert_eq!(row(b"a"), None);
        rows.change(b"a", Some(b"1")).unwrap();
        rows.change(b"b", Some(b"2")).unwrap();
        rows.change(b"a", Some(b"33")).unwrap();
        assert_eq!(
            (row(b"a"), row(b"b")),
            (Some(b"33".to_vec()), Some(b"2".to_vec()))
        );
        rows.change(b"a", None).unwrap();
        assert_eq!(row(b"a"), None);
        assert_eq!(
            rows.size(),
            TableSize {
                rows: 1,
                bytes: 130
            }
        );
        rows.clear();
        assert_eq!((row(b"b"), rows.size()), (None, TableSize::default()));
    }

    #[test]
    fn a_row_that_there_is_no_room_for_is_refused_and_smaller_ones_are_taken() {
        let rows = rows(2 * 130);
        rows.change(b"a", Some(b"1")).unwrap();
        rows.change(b"b", Some(b"2")).unwrap();
        let full = TableFull { max_bytes: 260 };
        assert_eq!(rows.change(b"c", Some(b"")), Err(full));
        assert_eq!(rows.change(b"b", Some(b"22")), Err(full));
        assert_eq!(rows.change(b"b", Some(b"3")), Ok(()));
        assert_eq!(rows.change(b"a", None), Ok(()));
        assert_eq!(rows.change(b"c", Some(b"4")), Ok(()));
        assert!(rows.row(b"c").is_some());
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds_and_knows_what_that_needs(
            changes in prop::collection::vec((0..5_u8, prop::option::of(0..9_usize)), 0..60),
        ) {
            let rows = rows(usize::MAX);
            let mut model = BTreeMap::new();
            for (key, length) in changes {
                let value = length.map(|length| vec![key; length]);
                rows.change(&[key], value.as_deref()).unwrap();
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(&key),
                };
            }
            for key in 0..5 {
                prop_assert_eq!(rows.row(&[key]).map(|row| row.to_vec()), model.get(&key).cloned());
            }
            let bytes = model.values().map(|value| 1 + value.len() + ROW_OVERHEAD).sum();
            prop_assert_eq!(rows.size(), TableSize { rows: model.len(), bytes });
        }
    }
}
