//! Streams without windows: each record on its own, to other topics.

use crate::{
    Join, Table, Unusable,
    filter::Filters,
    join::{self, Joins},
    reject,
};
use bytes::Bytes;
use footfall_task::{Effects, Kind, Outgoing, Record};
use std::{collections::BTreeSet, fmt, sync::Arc};

/// Takes the records of some topics, one by one, and writes what becomes of them to others.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name, in metrics.
    pub name: Arc<str>,
    /// What it reads; several topics are merged.
    pub from: Vec<Inlet>,
    /// Every topic it may write to.
    pub to: Vec<Arc<str>>,
    /// What is put into records before anything else looks at them.
    pub joins: Vec<Join>,
    /// What becomes of a record.
    pub convert: Arc<dyn Convert>,
}

/// A topic that a route reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlet {
    /// The topic.
    pub topic: Arc<str>,
    /// Where its records go that cannot be used; left out: they are only counted.
    pub dlq: Option<Arc<str>>,
}

/// Says what becomes of a record.
pub trait Convert: fmt::Debug + Send + Sync {
    /// The record that is written; `None` when there is none.
    ///
    /// # Errors
    /// When it is for this route and cannot be used.
    fn convert(&self, record: &Record<'_>) -> Result<Option<Converted>, Unusable>;

    /// What it does, for people: each step with its name.
    fn describe(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What is written in the place of a record. Its headers and its timestamp stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// Where to.
    pub to: Arc<str>,
    /// Where else the same is written: a deletion to every topic that its row may be on.
    pub also: Vec<Arc<str>>,
    /// Decides the partition, as in Java's clients.
    pub key: Option<Vec<u8>>,
    /// A missing value is what compaction takes for a deletion.
    pub value: Option<Vec<u8>>,
}

impl Converted {
    /// The record as it is.
    #[must_use]
    pub fn unchanged(to: &Arc<str>, record: &Record<'_>) -> Self {
        Self {
            to: Arc::clone(to),
            also: Vec::new(),
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
        }
    }
}

impl Route {
    /// The topic among those that it reads, if it is one.
    pub(crate) fn inlet(&self, topic: &str) -> Option<&Inlet> {
        self.from.iter().find(|inlet| *inlet.topic == *topic)
    }

    pub(crate) fn process(
        &self,
        joins: &Joins,
        origins: &Origins,
        record: &Record<'_>,
        effects: &mut Effects,
    ) {
        match joins.through(record, None, |record| self.convert.convert(record)) {
            Ok(Some((converted, _))) => {
                let outgoing = Outgoing {
                    topic: converted.to,
                    partition: None,
                    timestamp: record.timestamp,
                    key: converted.key.map(Bytes::from),
                    value: converted.value.map(Bytes::from),
                    headers: reject::owned(record)
                        .chain(added(record, origins))
                        .collect(),
                };
                for topic in converted.also {
                    let outgoing = Outgoing {
                        topic,
                        ..outgoing.clone()
                    };
                    effects.send(&self.name, Kind::Output, outgoing);
                }
                effects.send(&self.name, Kind::Output, outgoing);
            }
            Ok(None) => {}
            Err(why) => {
                let dlq = self
                    .inlet(record.topic)
                    .and_then(|inlet| inlet.dlq.as_ref());
                reject::unusable(&self.name, dlq, record, why, effects);
            }
        }
    }
}

/// Topics whose partitions the streams behind a route must tell apart.
pub(crate) type Origins = BTreeSet<Arc<str>>;

/// Where a record was read that has come here by routes: `TOPIC/PARTITION`.
const ORIGIN: &str = "footfall-origin";

/// The source partition that a route has noted, if there is one.
pub(crate) fn origin<'a>(record: &Record<'a>) -> Option<(&'a str, i32)> {
    let text = std::str::from_utf8(record.header(ORIGIN)?).ok()?;
    let (topic, partition) = text.rsplit_once('/')?;
    Some((topic, partition.parse().ok()?))
}

/// Where a record was read, unless it says so already, or nobody needs to know.
fn added(record: &Record<'_>, origins: &Origins) -> Option<(String, Option<Vec<u8>>)> {
    let is_noted = origin(record).is_some_and(|(topic, _)| origins.contains(topic));
    if is_noted || !origins.contains(record.topic) {
        return None;
    }
    let place = format!("{}/{}", record.topic, record.partition);
    Some((ORIGIN.to_owned(), Some(place.into_bytes())))
}

/// Begins a route that reads a topic.
///
/// ```
/// use footfall_streams::{TestDriver, Topology, route};
/// let clicks = route("events")
///     .merge("old-events")
///     .filter(|record| record.value.is_some())
///     .branch(|record| record.key == Some(b"robot"), "robots")
///     .to("people");
/// let topology = Topology::new("app", []).with_routes([clicks]);
/// let mut driver = TestDriver::with_partitions(topology, 1);
/// driver.pipe("events", "alice", "{}", 21);
/// driver.pipe("old-events", "robot", "{}", 12);
/// assert_eq!(driver.read("people")[0].key, "alice");
/// assert_eq!(driver.read("robots")[0].timestamp, Some(12));
/// ```
pub fn route(from: &str) -> Routing {
    Routing {
        name: None,
        from: vec![inlet(from)],
        joins: Vec::new(),
        steps: Steps::default(),
    }
}

/// A route in the making.
#[derive(Debug)]
#[must_use]
pub struct Routing {
    name: Option<Arc<str>>,
    from: Vec<Inlet>,
    joins: Vec<Join>,
    steps: Steps,
}

impl Routing {
    /// Names it; left out, it is named after its first topic.
    pub fn named(self, name: &str) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }

    /// Reads another topic, too. The order of records holds within each partition only.
    pub fn merge(mut self, from: &str) -> Self {
        self.from.push(inlet(from));
        self
    }

    /// Leaves out the records for which `keep` is false.
    pub fn filter<F>(mut self, keep: F) -> Self
    where
        F: Fn(&Record<'_>) -> bool + Send + Sync + 'static,
    {
        self.steps.filters.push(keep);
        self
    }

    /// Goes on with what `joiner` makes of a record's value and the row of the table whose key `by`
    /// finds; a record without a row is left out. One without a value goes on as it is.
    pub fn join<K, J>(mut self, table: &Table, by: K, joiner: J) -> Self
    where
        K: Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync + 'static,
        J: Fn(&Record<'_>, &[u8]) -> Vec<u8> + Send + Sync + 'static,
    {
        let filters = std::mem::take(&mut self.steps.filters);
        self.joins.push(join::inner(filters, table, by, joiner));
        self
    }

    /// The same, but a record without a row goes on with what `joiner` makes of it alone.
    pub fn left_join<K, J>(mut self, table: &Table, by: K, joiner: J) -> Self
    where
        K: Fn(&Record<'_>) -> Option<Vec<u8>> + Send + Sync + 'static,
        J: Fn(&Record<'_>, Option<&[u8]>) -> Vec<u8> + Send + Sync + 'static,
    {
        let filters = std::mem::take(&mut self.steps.filters);
        self.joins.push(join::left(filters, table, by, joiner));
        self
    }

    /// Writes another key and value than the record's own.
    pub fn map<F>(mut self, map: F) -> Self
    where
        F: Fn(&Record<'_>) -> (Option<Vec<u8>>, Option<Vec<u8>>) + Send + Sync + 'static,
    {
        self.steps.map = Some(Box::new(map));
        self
    }

    /// Writes the records for which `is_one` is true, and for none before it was, to this topic.
    pub fn branch<F>(mut self, is_one: F, to: &str) -> Self
    where
        F: Fn(&Record<'_>) -> bool + Send + Sync + 'static,
    {
        self.steps.branches.push((Box::new(is_one), to.into()));
        self
    }

    /// Writes all others to this topic.
    #[must_use]
    pub fn to(mut self, topic: &str) -> Route {
        self.steps.branches.push((Box::new(|_| true), topic.into()));
        self.finish()
    }

    /// Writes no others.
    #[must_use]
    pub fn finish(self) -> Route {
        let branches = self.steps.branches.iter();
        Route {
            name: self.name.unwrap_or_else(|| Arc::clone(&self.from[0].topic)),
            to: branches.map(|(_, topic)| Arc::clone(topic)).collect(),
            from: self.from,
            joins: self.joins,
            convert: Arc::new(self.steps),
        }
    }
}

fn inlet(topic: &str) -> Inlet {
    Inlet {
        topic: topic.into(),
        dlq: Some(format!("{topic}.dlq").into()),
    }
}

type Predicate = Box<dyn Fn(&Record<'_>) -> bool + Send + Sync>;
type Map = Box<dyn Fn(&Record<'_>) -> (Option<Vec<u8>>, Option<Vec<u8>>) + Send + Sync>;

#[derive(Default)]
struct Steps {
    filters: Filters,
    map: Option<Map>,
    branches: Vec<(Predicate, Arc<str>)>,
}

impl Convert for Steps {
    fn convert(&self, record: &Record<'_>) -> Result<Option<Converted>, Unusable> {
        if !self.filters.keep(record) {
            return Ok(None);
        }
        let mut branches = self.branches.iter();
        let Some((_, to)) = branches.find(|(is_one, _)| is_one(record)) else {
            return Ok(None);
        };
        let unchanged = Converted::unchanged(to, record);
        Ok(Some(match &self.map {
            Some(map) => {
                let (key, value) = map(record);
                Converted {
                    key,
                    value,
                    ..unchanged
                }
            }
            None => unchanged,
        }))
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics = self.branches.iter().map(|(_, topic)| topic);
        f.debug_set().entries(topics).finish()
    }
}
