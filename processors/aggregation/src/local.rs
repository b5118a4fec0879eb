//! What this process knows by itself.

use crate::{
    processor::{Aggregation, Watched},
    topology::{RouteRow, Row, State, StreamRow, Topology},
};
use footfall_runtime::{Metrics, Places, Runtime, Status};
use footfall_streams::Definition;
use std::sync::Arc;

/// The streams, and how they are in this process.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) aggregation: Arc<Aggregation>,
    pub(crate) status: Arc<Status>,
    pub(crate) places: Arc<Places>,
    metrics: Metrics,
}

impl Local {
    pub(crate) fn new(aggregation: Arc<Aggregation>, runtime: &Runtime, metrics: Metrics) -> Self {
        Self {
            aggregation,
            status: runtime.status(),
            places: runtime.places(),
            metrics,
        }
    }

    /// The streams and routes, with the partitions that this process has.
    pub(crate) fn topology(&self) -> Topology {
        let streams = self.aggregation.streams().iter();
        let routes = self.aggregation.routes().iter();
        Topology {
            instance: None,
            instances: Vec::new(),
            missing_instances: Vec::new(),
            stale_ms: u64::try_from(self.status.staleness().as_millis()).unwrap_or(u64::MAX),
            streams: streams.map(|stream| self.stream(stream)).collect(),
            routes: routes
                .map(|route| RouteRow {
                    name: route.name.to_string(),
                    from: route
                        .from
                        .iter()
                        .map(|inlet| inlet.topic.to_string())
                        .collect(),
                    to: route.to.iter().map(ToString::to_string).collect(),
                    partitions: {
                        let topics = route.from.iter();
                        let rows = topics.flat_map(|inlet| self.rows(&route.name, &inlet.topic));
                        rows.map(|(row, _)| row).collect()
                    },
                })
                .collect(),
        }
    }

    fn stream(&self, stream: &Definition) -> StreamRow {
        let counted = self.aggregation.counted(stream);
        let mut partitions = Vec::new();
        if stream.rekeyed {
            let rows = self.rows(&stream.name, &stream.from).into_iter();
            partitions.extend(rows.map(|(row, _)| row));
        }
        for (row, watched) in self.rows(&stream.name, &counted) {
            partitions.push(Self::with_state(stream, &watched, row));
        }
        StreamRow {
            name: stream.name.to_string(),
            from: stream.from.to_string(),
            via: stream.rekeyed.then(|| counted.to_string()),
            to: stream.to.to_string(),
            late: stream.late.as_ref().map(ToString::to_string),
            dlq: stream.dlq.as_ref().map(ToString::to_string),
            partitions,
        }
    }

    /// The partitions of a topic that this process has, as a stream or a route sees them.
    fn rows(&self, name: &str, topic: &str) -> Vec<(Row, Arc<Watched>)> {
        let partitions = self.aggregation.seats().working(topic).into_iter();
        let rows = partitions.map(|(partition, watched)| {
            let lag = self.places.lag(topic, partition);
            let tally = self.metrics.tally(name, topic, partition);
            let age = lag.and_then(|lag| lag.age);
            let row = Row {
                topic: topic.to_owned(),
                partition,
                state: if watched.is_at_work() {
                    State::Owned
                } else {
                    State::Restoring
                },
                lag_records: lag.map(|lag| lag.records),
                lag_ms: age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
                outputs: tally.outputs,
                late: tally.late,
                duplicates: tally.duplicates,
                dead_letters: tally.dead_letters,
                stream_time: None,
                entries: None,
                bytes: None,
                instance: None,
            };
            (row, watched)
        });
        rows.collect()
    }

    /// With what the stream holds there.
    fn with_state(stream: &Definition, watched: &Watched, row: Row) -> Row {
        let task = watched.look();
        let size = task.size(&stream.name);
        let state = task.state(&stream.name);
        Row {
            stream_time: state.and_then(footfall_streams::State::stream_time),
            entries: size.map(|size| size.entries),
            bytes: size.map(|size| size.bytes),
            ..row
        }
    }
}
