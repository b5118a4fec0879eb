//! Streams in Rust, step by step; each step offers what may follow it.

use crate::{
    Aggregation, AsIs, Codec, Definition, Emit, Extract, Extracted, Function, Join, Span, Table,
    Unusable, Windows, filter::Filters, hours, join,
};
use footfall_task::{Record, Start};
use std::{fmt, sync::Arc};

/// Begins a stream that reads a topic.
pub fn stream(from: &str) -> Stream {
    Stream {
        from: from.into(),
        extract: Arc::new(AsIs),
        filters: Filters::default(),
        joins: Vec::new(),
        dedupe: None,
    }
}

/// A stream of records.
#[derive(Clone, Debug)]
#[must_use]
pub struct Stream {
    from: Arc<str>,
    extract: Arc<dyn Extract>,
    /// Since the last join.
    filters: Filters,
    joins: Vec<Join>,
    dedupe: Option<Span>,
}

/// A stream whose records are grouped by a key.
#[derive(Clone, Debug)]
#[must_use]
pub struct Grouped {
    stream: Stream,
    rekeyed: bool,
}

/// Groups that are cut into windows.
#[derive(Clone, Debug)]
#[must_use]
pub struct Windowed {
    grouped: Grouped,
    windows: Windows,
}

/// Windows that are summed up.
#[derive(Clone, Debug)]
#[must_use]
pub struct Aggregated {
    windowed: Windowed,
    aggregates: Vec<Aggregation>,
    name: Option<Arc<str>>,
    emit: Emit,
    codec: Codec,
    idle_timeout: Option<Span>,
    version: u32,
    start: Start,
    max_ahead: Option<Span>,
}

/// How far event time may be ahead of the wall clock unless it is said.
const MAX_AHEAD: Span = hours(1);

impl Stream {
    /// Reads records in another way than by their own key and timestamp.
    pub fn read_with(self, extract: impl Extract + 'static) -> Self {
        self.read_with_shared(Arc::new(extract))
    }

    /// The same for a reader that others use, too.
    pub fn read_with_shared(self, extract: Arc<dyn Extract>) -> Self {
        Self { extract, ..self }
    }

    /// Leaves out the records for which `keep` is false.
    pub fn filter<F>(mut self, keep: F) -> Self
    where
        F: Fn(&Record<'_>) -> bool + Send + Sync + 'static,
    {
        self.filters.push(keep);
        self
    }

    /// Goes on with what `joiner` makes of a record's value and the row of the table whose key `by`
    /// finds; a record without a row is left out. One without a value goes on as it is.
    ///
    /// ```
    /// use footfall_streams::{TestDriver, TimeWindows, minutes, stream, table};
    /// let countries = table("countries");
    /// let windows = TimeWindows::of(minutes(5)).grace(minutes(1)).unwrap();
    /// let counts = stream("visits")
    ///     .join(&countries, |visit| visit.key.map(<[u8]>::to_vec), |_, country| country.to_vec())
    ///     .filter(|visit| visit.value == Some(b"KR"))
    ///     .group_by_key()
    ///     .windowed_by(windows)
    ///     .count()
    ///     .to("korean-visits");
    /// let mut driver = TestDriver::new(counts);
    /// driver.pipe("countries", "alice", "KR", 0);
    /// driver.pipe("visits", "alice", "/cart", 21);
    /// driver.pipe("visits", "bob", "/cart", 22);
    /// driver.commit();
    /// let output = driver.read("korean-visits");
    /// assert_eq!(output.len(), 1);
    /// assert!(output[0].value.starts_with(r#"{"key":"alice","#));
    /// ```
    pub fn join<K, J>(mut self, table: &Table, by: K, joiner: J) -> Self
    where
        K: Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync + 'static,
        J: Fn(&Record<'_>, &[u8]) -> Vec<u8> + Send + Sync + 'static,
    {
        let filters = std::mem::take(&mut self.filters);
        self.joins.push(join::inner(filters, table, by, joiner));
        self
    }

    /// The same, but a record without a row goes on with what `joiner` makes of it alone.
    pub fn left_join<K, J>(mut self, table: &Table, by: K, joiner: J) -> Self
    where
        K: Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync + 'static,
        J: Fn(&Record<'_>, Option<&[u8]>) -> Vec<u8> + Send + Sync + 'static,
    {
        let filters = std::mem::take(&mut self.filters);
        self.joins.push(join::left(filters, table, by, joiner));
        self
    }

    /// Leaves out records whose id was seen within so long, before or after, by event time.
    pub fn dedupe_within<F>(self, within: Span, id: F) -> Self
    where
        F: Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync + 'static,
    {
        let inner = Arc::clone(&self.extract);
        let identified = self.read_with(Identified { id, inner });
        identified.dedupe_read_ids_within(within)
    }

    /// The same with the id that the stream's reader finds.
    pub fn dedupe_read_ids_within(self, within: Span) -> Self {
        Self {
            dedupe: Some(within),
            ..self
        }
    }

    /// Groups by the key that records are partitioned by.
    pub fn group_by_key(self) -> Grouped {
        Grouped {
            stream: self,
            rekeyed: false,
        }
    }

    /// Groups by the key that the stream's reader finds, wherever that is in a record, so records
    /// are first brought to the partition of that key.
    pub fn group_by_read_key(self) -> Grouped {
        Grouped {
            stream: self,
            rekeyed: true,
        }
    }
}

impl Grouped {
    /// Cuts into windows.
    pub fn windowed_by(self, windows: Windows) -> Windowed {
        Windowed {
            grouped: self,
            windows,
        }
    }
}

impl Windowed {
    /// Counts records, as `count`.
    pub fn count(self) -> Aggregated {
        self.aggregate([Aggregation {
            name: "count".into(),
            function: Function::Count,
            field: "".into(),
        }])
    }

    /// Computes these, in this order; each takes the input of the same place that the stream's
    /// reader finds.
    pub fn aggregate(self, aggregates: impl IntoIterator<Item = Aggregation>) -> Aggregated {
        Aggregated {
            windowed: self,
            aggregates: aggregates.into_iter().collect(),
            name: None,
            emit: Emit::Updates,
            codec: Codec::Json,
            idle_timeout: None,
            version: 1,
            start: Start::Earliest,
            max_ahead: Some(MAX_AHEAD),
        }
    }
}

impl Aggregated {
    /// Names the stream; left out, it is named after its output.
    pub fn named(self, name: &str) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }

    /// When results are said; left out, at each commit what has changed.
    pub fn emit(self, emit: Emit) -> Self {
        Self { emit, ..self }
    }

    /// How results are written; left out, as JSON. [`Codec::Streams`] has room for the first
    /// aggregate only, which must be a whole number.
    pub fn codec(self, codec: Codec) -> Self {
        Self { codec, ..self }
    }

    /// Lets the wall clock close windows when no record has come for so long.
    pub fn idle_timeout(self, timeout: Span) -> Self {
        Self {
            idle_timeout: Some(timeout),
            ..self
        }
    }

    /// Begins anew as another version, from 1 on; left out, 1. State knows what is declared, and not
    /// what functions do: who changes one of them says so with the next version.
    pub fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// Where it begins to read when it is new; left out, at the earliest record.
    pub fn start(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// Sets records aside whose event time is further ahead of the wall clock than this, before they
    /// move stream time; left out, an hour. Without a limit (`None`) a single far record makes
    /// all that follow it late.
    pub fn max_ahead(self, limit: Option<Span>) -> Self {
        Self {
            max_ahead: limit,
            ..self
        }
    }

    /// Ends with the topic of the results. Late records go to `TO.late`, those that cannot be used
    /// to `FROM.dlq`.
    #[must_use]
    pub fn to(self, topic: &str) -> Definition {
        let Windowed { grouped, windows } = self.windowed;
        let Stream {
            from,
            extract,
            filters,
            joins,
            dedupe,
        } = grouped.stream;
        Definition {
            name: self.name.unwrap_or_else(|| topic.into()),
            version: self.version,
            start: self.start,
            extract: filters.before(extract),
            joins,
            rekeyed: grouped.rekeyed,
            windows,
            aggregates: self.aggregates,
            emit: self.emit,
            codec: self.codec,
            idle_timeout: self.idle_timeout,
            max_ahead: self.max_ahead,
            dedupe,
            to: topic.into(),
            late: Some(format!("{topic}.late").into()),
            dlq: Some(format!("{from}.dlq").into()),
            from,
        }
    }
}

struct Identified<F> {
    id: F,
    inner: Arc<dyn Extract>,
}

impl<F> Extract for Identified<F>
where
    F: Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync,
{
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable> {
        let found = self.inner.extract(record)?;
        Ok(found.map(|found| Extracted {
            id: (self.id)(record),
            ..found
        }))
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let mut steps = self.inner.describe();
        steps.push(("dedupe by", "a function".to_owned()));
        steps
    }
}

impl<F> fmt::Debug for Identified<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identified")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
