//! Records with rows of tables in them, before anything else looks at them.

use crate::{
    Table, Unusable,
    filter::Filters,
    table::{Rows, RowsFound},
};
use footfall_task::Record;
use std::{fmt, sync::Arc};

/// Puts the row that belongs to a record into it.
#[derive(Clone, Debug)]
pub struct Join {
    /// Where rows are.
    pub table: Table,
    /// Which row belongs to a record, and what becomes of them.
    pub with: Arc<dyn Enrich>,
    /// What becomes of a record that has none.
    pub missing: Missing,
}

/// What becomes of a record without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It goes on as it is: a left join.
    Keep,
    /// It is left out: an inner join.
    Skip,
    /// It cannot be used (`no_row`).
    DeadLetter,
}

/// Says which row belongs to a record, and what becomes of the two.
pub trait Enrich: fmt::Debug + Send + Sync {
    /// Whether the record is for this stream at all, as far as that shows without the row.
    ///
    /// # Errors
    /// When it cannot be used.
    fn wants(&self, _record: &Record<'_>) -> Result<bool, Unusable> {
        Ok(true)
    }

    /// The key of the row that belongs to a record; `None` when none can.
    ///
    /// # Errors
    /// When it cannot be used.
    fn by(&self, record: &Record<'_>) -> Result<Option<Vec<u8>>, Unusable>;

    /// The record's new value; `None` leaves it as it is.
    ///
    /// # Errors
    /// When the record or the row cannot be used.
    fn join(&self, record: &Record<'_>, row: Option<&[u8]>) -> Result<Option<Vec<u8>>, Unusable>;

    /// What it does, for people: each step with its name. As for [`Extract`](crate::Extract), state
    /// belongs to what is said here.
    fn describe(&self) -> Vec<(&'static str, String)>;
}

/// The joins of one stream, in their order, with their tables' rows.
#[derive(Debug, Default)]
pub(crate) struct Joins(Vec<(Arc<Rows>, Join)>);

impl Joins {
    pub(crate) fn new(joins: impl IntoIterator<Item = (Arc<Rows>, Join)>) -> Self {
        Self(joins.into_iter().collect())
    }

    /// How many rows a record gets.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Hands the record with its rows in it to `then`, which need not want it either; and says
    /// which rows those were. A record that has them already gets no others, whatever the tables
    /// hold now. One without a value has nothing that rows could be put into.
    pub(crate) fn through<T>(
        &self,
        record: &Record<'_>,
        known: Option<RowsFound>,
        then: impl FnOnce(&Record<'_>) -> Result<Option<T>, Unusable>,
    ) -> Result<Option<(T, RowsFound)>, Unusable> {
        let mut known = known.map(Vec::into_iter);
        let mut rows = Vec::with_capacity(self.0.len());
        let mut joined: Option<Vec<u8>> = None;
        for (table, join) in &self.0 {
            let record = with(record, joined.as_deref());
            if !join.with.wants(&record)? {
                return Ok(None);
            }
            if record.value.is_none() {
                rows.push(None);
                continue;
            }
            let row = match &mut known {
                Some(known) => known.next().flatten(),
                None => join.with.by(&record)?.and_then(|key| table.row(&key)),
            };
            match (&row, join.missing) {
                (None, Missing::Skip) => return Ok(None),
                (None, Missing::DeadLetter) => return Err(Unusable::no_row(&join.table.topic)),
                (None, Missing::Keep) | (Some(_), _) => {}
            }
            if let Some(value) = join.with.join(&record, row.as_deref())? {
                joined = Some(value);
            }
            rows.push(row);
        }
        let then = then(&with(record, joined.as_deref()))?;
        Ok(then.map(|then| (then, rows)))
    }
}

fn with<'a>(record: &Record<'a>, value: Option<&'a [u8]>) -> Record<'a> {
    Record {
        value: value.or(record.value),
        ..record.clone()
    }
}

impl Join {
    /// What it does, for people: each step with its name.
    pub(crate) fn describe(&self) -> Vec<(&'static str, String)> {
        let steps = self.with.describe().into_iter();
        let steps = steps.map(|(what, how)| match what {
            "join" => {
                let otherwise = match self.missing {
                    Missing::Keep => "",
                    Missing::Skip => ", and only records that have a row",
                    Missing::DeadLetter => ", and records without a row are dead letters",
                };
                (what, format!("{} {how}{otherwise}", self.table.topic))
            }
            _ => (what, how),
        });
        steps.collect()
    }
}

type By = dyn Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync;
type Joiner = dyn Fn(&Record<'_>, Option<&[u8]>) -> Vec<u8> + Send + Sync;

/// Leaves out records without a row.
pub(crate) fn inner<K, J>(filters: Filters, table: &Table, by: K, joiner: J) -> Join
where
    K: Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync + 'static,
    J: Fn(&Record<'_>, &[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    // Without a row it is never asked.
    let joiner = move |record: &Record<'_>, row: Option<&[u8]>| joiner(record, row.unwrap_or(&[]));
    let missing = Missing::Skip;
    Join {
        missing,
        ..left(filters, table, by, joiner)
    }
}

/// Takes records without a row, too.
pub(crate) fn left<K, J>(filters: Filters, table: &Table, by: K, joiner: J) -> Join
where
    K: Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync + 'static,
    J: Fn(&Record<'_>, Option<&[u8]>) -> Vec<u8> + Send + Sync + 'static,
{
    let with = Closures {
        filters,
        by: Box::new(by),
        joiner: Box::new(joiner),
    };
    Join {
        table: table.clone(),
        with: Arc::new(with),
        missing: Missing::Keep,
    }
}

/// A join that is written in Rust.
struct Closures {
    /// What stands before it.
    filters: Filters,
    by: Box<By>,
    joiner: Box<Joiner>,
}

impl Enrich for Closures {
    fn wants(&self, record: &Record<'_>) -> Result<bool, Unusable> {
        Ok(self.filters.keep(record))
    }

    fn by(&self, record: &Record<'_>) -> Result<Option<Vec<u8>>, Unusable> {
        Ok((self.by)(record))
    }

    fn join(&self, record: &Record<'_>, row: Option<&[u8]>) -> Result<Option<Vec<u8>>, Unusable> {
        Ok(Some((self.joiner)(record, row)))
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let join = ("join", "by a function".to_owned());
        self.filters.describe().chain([join]).collect()
    }
}

impl fmt::Debug for Closures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closures").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;
    use footfall_task::{GlobalTable as _, Offset, Partition};

    fn record() -> Record<'static> {
        Record {
            topic: "in",
            partition: Partition(3),
            offset: Offset(41),
            timestamp: None,
            key: Some(b"alice"),
            value: Some(b"v"),
            headers: Vec::new(),
        }
    }

    /// What follows sees, and the rows that are said.
    fn joined(joins: &Joins, known: Option<RowsFound>) -> (Vec<u8>, RowsFound) {
        let value = |record: &Record<'_>| Ok(record.value.map(<[u8]>::to_vec));
        joins.through(&record(), known, value).unwrap().unwrap()
    }

    #[test]
    fn a_record_keeps_the_row_that_it_has_whatever_the_table_holds_now() {
        let users = table("users");
        let join = left(
            Filters::default(),
            &users,
            |record| Some(record.key?.to_vec()),
            |_, row| row.unwrap_or(b"none").to_vec(),
        );
        let rows = Arc::new(Rows::new(users));
        rows.change(b"alice", Some(b"KR")).unwrap();
        let joins = Joins::new([(Arc::clone(&rows), join)]);
        let (value, found) = joined(&joins, None);
        assert_eq!(value, b"KR");
        rows.change(b"alice", Some(b"JP")).unwrap();
        assert_eq!(joined(&joins, Some(found)).0, b"KR");
        assert_eq!(joined(&joins, Some(vec![None])).0, b"none");
        assert_eq!(joined(&joins, None).0, b"JP");
    }
}
