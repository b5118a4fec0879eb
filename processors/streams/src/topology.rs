use crate::{Definition, Route, StreamsTask};
use footfall_task::{Cleanup, Effects, Internal, Partition, Processor, Source};
use std::{collections::BTreeMap, sync::Arc};

/// Streams that run together, in one consumer group.
#[derive(Clone, Debug)]
pub struct Topology {
    group: Arc<str>,
    streams: Vec<Arc<Definition>>,
    routes: Vec<Arc<Route>>,
}

impl Topology {
    /// Streams of a consumer group; its name is in the names of their internal topics.
    pub fn new(group: &str, streams: impl IntoIterator<Item = Definition>) -> Self {
        Self {
            group: group.into(),
            streams: streams.into_iter().map(Arc::new).collect(),
            routes: Vec::new(),
        }
    }

    /// With these routes beside its streams.
    #[must_use]
    pub fn with_routes(self, routes: impl IntoIterator<Item = Route>) -> Self {
        Self {
            routes: routes.into_iter().map(Arc::new).collect(),
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

    fn task(&self, topic: &str, partition: Partition) -> StreamsTask {
        StreamsTask::new(&self.group, &self.streams, &self.routes, topic, partition)
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
