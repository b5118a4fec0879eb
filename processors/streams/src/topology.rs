use crate::{Definition, Join, Route, StreamsTask, join::Joins, table::Rows};
use footfall_task::{
    Cleanup, Effects, GlobalTable, Internal, Partition, Processor, Reader, Source, Start,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Streams that run together, in one consumer group.
#[derive(Clone, Debug)]
pub struct Topology {
    group: Arc<str>,
    streams: Vec<Arc<Definition>>,
    routes: Vec<Arc<Route>>,
    /// By topic.
    tables: BTreeMap<Arc<str>, Arc<Rows>>,
}

impl Topology {
    /// Streams of a consumer group; its name is in the names of their internal topics.
    pub fn new(group: &str, streams: impl IntoIterator<Item = Definition>) -> Self {
        let streams: Vec<_> = streams.into_iter().map(Arc::new).collect();
        let joins = streams.iter().flat_map(|stream| &stream.joins);
        Self {
            group: group.into(),
            tables: with_tables(BTreeMap::new(), joins),
            streams,
            routes: Vec::new(),
        }
    }

    /// With these routes beside its streams.
    #[must_use]
    pub fn with_routes(self, routes: impl IntoIterator<Item = Route>) -> Self {
        let routes: Vec<_> = routes.into_iter().map(Arc::new).collect();
        let joins = routes.iter().flat_map(|route| &route.joins);
        Self {
            tables: with_tables(self.tables, joins),
            routes,
            ..self
        }
    }

    /// The consumer group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Its streams.
    #[must_use]
    pub fn streams(&self) -> &[Arc<Definition>] {
        &self.streams
    }

    /// Its routes.
    #[must_use]
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }

    /// The topics whose records come to the partitions that a stream counts by way of other tasks,
    /// each with how many topics its records go through, itself included.
    pub(crate) fn upstream(&self, stream: &Definition) -> BTreeMap<Arc<str>, usize> {
        let mut depths = BTreeMap::new();
        let mut level = vec![Arc::clone(&stream.from)];
        if !stream.rekeyed {
            level = self.inlets(&level);
        }
        // Of several ways the longest one counts; routes in a circle have no longest.
        for depth in 1..=self.routes.len() + 1 {
            depths.extend(level.iter().map(|topic| (Arc::clone(topic), depth)));
            level = self.inlets(&level);
        }
        depths
    }

    /// The topics whose partitions a route's records are to name, because streams need to know
    /// where they have come from: all that lead to a stream; none if this one's do not.
    pub(crate) fn origins(&self, route: &Route) -> BTreeSet<Arc<str>> {
        let streams = self.streams.iter();
        let upstream = streams.filter_map(|stream| {
            let upstream = self.upstream(stream);
            let leads_there = |to: &Arc<str>| *to == stream.from || upstream.contains_key(to);
            route.to.iter().any(leads_there).then_some(upstream)
        });
        upstream.flat_map(BTreeMap::into_keys).collect()
    }

    /// The topics of which routes write to these.
    fn inlets(&self, topics: &[Arc<str>]) -> Vec<Arc<str>> {
        let routes = self.routes.iter();
        let routes = routes.filter(|route| route.to.iter().any(|to| topics.contains(to)));
        let inlets = routes.flat_map(|route| &route.from);
        let inlets: BTreeSet<_> = inlets.map(|inlet| Arc::clone(&inlet.topic)).collect();
        inlets.into_iter().collect()
    }

    /// Joins with the rows of their tables.
    pub(crate) fn joins(&self, joins: &[Join]) -> Joins {
        let joins = joins.iter().filter_map(|join| {
            let rows = self.tables.get(&join.table.topic)?;
            Some((Arc::clone(rows), join.clone()))
        });
        Joins::new(joins)
    }
}

/// With the tables of these joins; of several on one topic, the first one's.
fn with_tables<'a>(
    mut tables: BTreeMap<Arc<str>, Arc<Rows>>,
    joins: impl Iterator<Item = &'a Join>,
) -> BTreeMap<Arc<str>, Arc<Rows>> {
    for Join { table, .. } in joins {
        let rows = tables.entry(Arc::clone(&table.topic));
        rows.or_insert_with(|| Arc::new(Rows::new(table.clone())));
    }
    tables
}

impl Processor for Topology {
    type Task = StreamsTask;

    fn sources(&self) -> Vec<Source> {
        let mut sources = BTreeMap::<Arc<str>, Vec<Internal>>::new();
        for stream in &self.streams {
            let changelog = internal(stream.changelog(&self.group), Cleanup::Replaced, true);
            let outputs = [Some(&stream.to), stream.late.as_ref(), stream.dlq.as_ref()];
            let beside = sources.entry(Arc::clone(&stream.from)).or_default();
            for (index, topic) in outputs.into_iter().enumerate() {
                let same_partitions = index > 0;
                beside.extend(
                    topic.map(|topic| internal(Arc::clone(topic), Cleanup::Any, same_partitions)),
                );
            }
            if stream.rekeyed {
                let repartition = stream.repartition(&self.group);
                beside.push(internal(Arc::clone(&repartition), Cleanup::Old, false));
                sources.entry(repartition).or_default().push(changelog);
            } else {
                beside.push(changelog);
            }
        }
        for route in &self.routes {
            for inlet in &route.from {
                let outputs = route.to.iter();
                let outputs = outputs.map(|topic| internal(Arc::clone(topic), Cleanup::Any, false));
                let dlq = inlet.dlq.iter();
                let dlq = dlq.map(|topic| internal(Arc::clone(topic), Cleanup::Any, true));
                let beside = sources.entry(Arc::clone(&inlet.topic)).or_default();
                beside.extend(outputs.chain(dlq));
            }
        }
        let sources = sources.into_iter();
        sources
            .map(|(topic, beside)| Source { topic, beside })
            .collect()
    }

    fn readers(&self, topic: &str) -> Vec<Reader> {
        let streams = self.streams.iter();
        let streams = streams.filter(|stream| *stream.from == *topic);
        let readers = streams.map(|stream| Reader {
            name: stream.id(),
            start: stream.start,
        });
        let routes = self.routes.iter();
        let routes = routes.filter(|route| route.inlet(topic).is_some());
        let routes = routes.map(|route| Reader {
            name: Arc::clone(&route.name),
            start: Start::WithTheGroup,
        });
        readers.chain(routes).collect()
    }

    fn task(&self, topic: &str, partition: Partition) -> StreamsTask {
        StreamsTask::new(self, topic, partition)
    }

    fn tables(&self) -> Vec<Arc<dyn GlobalTable>> {
        let tables = self.tables.values();
        tables
            .map(|rows| Arc::clone(rows) as Arc<dyn GlobalTable>)
            .collect()
    }

    fn written(&self, _effects: &Effects) {}
}

fn internal(topic: Arc<str>, cleanup: Cleanup, same_partitions: bool) -> Internal {
    Internal {
        topic,
        cleanup,
        same_partitions,
    }
}
