//! The streams and routes as they run: what `/v1/topology` answers.

use footfall_runtime::{Owner, Places};
use serde::{Deserialize, Serialize};

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Topology {
    /// The address of who answers, if it knows that.
    pub(crate) instance: Option<String>,
    /// How long the oldest part of the answer has been out of date.
    pub(crate) stale_ms: u64,
    /// The addresses of those whose parts these are.
    pub(crate) instances: Vec<String>,
    /// Those that have not answered.
    pub(crate) missing_instances: Vec<String>,
    pub(crate) streams: Vec<StreamRow>,
    pub(crate) routes: Vec<RouteRow>,
}

/// A stream: its topics, and its partitions of those that it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamRow {
    pub(crate) name: String,
    pub(crate) from: String,
    /// The repartition topic, if its records are brought to the partitions of another key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) via: Option<String>,
    pub(crate) to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) late: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dlq: Option<String>,
    pub(crate) partitions: Vec<Row>,
}

/// A route, in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RouteRow {
    pub(crate) name: String,
    pub(crate) from: Vec<String>,
    pub(crate) to: Vec<String>,
    pub(crate) partitions: Vec<Row>,
}

/// One partition of a topic that a stream or a route reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) state: State,
    /// Records that are not counted yet; left out until Kafka was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lag_records: Option<i64>,
    /// Age of the oldest of them by its timestamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lag_ms: Option<u64>,
    /// This and the next three: since the process began.
    pub(crate) outputs: u64,
    pub(crate) late: u64,
    pub(crate) duplicates: u64,
    pub(crate) dead_letters: u64,
    /// This and the next two: only where the stream counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stream_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entries: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    /// The address of who has it, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
}

/// What a process does with a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It works on it.
    Owned,
    /// Its state comes back.
    Restoring,
    /// Nothing of it was ever counted, so nobody is known to have it.
    Empty,
    /// Nobody who was asked has it.
    Unknown,
}

/// What Kafka says of all partitions.
pub(crate) trait All {
    /// How many a topic has.
    fn count(&self, topic: &str) -> usize;

    /// Whether nothing of one was ever counted.
    fn is_empty(&self, topic: &str, partition: i32) -> bool;
}

impl All for Places {
    fn count(&self, topic: &str) -> usize {
        self.count(topic).unwrap_or(0)
    }

    fn is_empty(&self, topic: &str, partition: i32) -> bool {
        self.owner(topic, partition) == Owner::Nobody
    }
}

impl Topology {
    /// Says of every part that it is of this process.
    pub(crate) fn at(mut self, instance: &str) -> Self {
        for row in self.rows_mut() {
            row.instance = Some(instance.to_owned());
        }
        self.instances = vec![instance.to_owned()];
        self.instance = Some(instance.to_owned());
        self
    }

    /// Adds the partitions of another process that runs the same streams.
    pub(crate) fn add(&mut self, other: Self) {
        self.stale_ms = self.stale_ms.max(other.stale_ms);
        self.instances.extend(other.instances);
        for stream in other.streams {
            let mut streams = self.streams.iter_mut();
            if let Some(own) = streams.find(|own| own.name == stream.name) {
                own.partitions.extend(stream.partitions);
            }
        }
        for route in other.routes {
            let mut routes = self.routes.iter_mut();
            if let Some(own) = routes.find(|own| own.name == route.name) {
                own.partitions.extend(route.partitions);
            }
        }
    }

    /// Has each partition once, by topic and number, and those that nobody has told of.
    pub(crate) fn complete(&mut self, places: &impl All) {
        for stream in &mut self.streams {
            let topics = [&stream.from].into_iter().chain(&stream.via);
            complete(&mut stream.partitions, topics, places);
        }
        for route in &mut self.routes {
            complete(&mut route.partitions, route.from.iter(), places);
        }
    }

    fn rows_mut(&mut self) -> impl Iterator<Item = &mut Row> {
        let of_streams = self.streams.iter_mut();
        let of_streams = of_streams.flat_map(|stream| &mut stream.partitions);
        let of_routes = self.routes.iter_mut();
        of_streams.chain(of_routes.flat_map(|route| &mut route.partitions))
    }
}

fn complete<'a>(rows: &mut Vec<Row>, topics: impl Iterator<Item = &'a String>, places: &impl All) {
    let mut found = std::mem::take(rows);
    for topic in topics {
        for partition in 0..i32::try_from(places.count(topic)).unwrap_or(i32::MAX) {
            let of_place = |row: &Row| row.topic == *topic && row.partition == partition;
            // While a partition moves, two may say that they have it; the one at work is right.
            let (mut of_this, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(of_place);
            found = rest;
            of_this.sort_by_key(|row| row.state != State::Owned);
            let row = of_this.into_iter().next();
            rows.push(row.unwrap_or_else(|| {
                let state = if places.is_empty(topic, partition) {
                    State::Empty
                } else {
                    State::Unknown
                };
                Row::without_owner(topic, partition, state)
            }));
        }
    }
}

impl Row {
    fn without_owner(topic: &str, partition: i32, state: State) -> Self {
        Self {
            topic: topic.to_owned(),
            partition,
            state,
            lag_records: None,
            lag_ms: None,
            outputs: 0,
            late: 0,
            duplicates: 0,
            dead_letters: 0,
            stream_time: None,
            entries: None,
            bytes: None,
            instance: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four partitions.
    struct FirstIsEmpty;

    impl All for FirstIsEmpty {
        fn count(&self, _topic: &str) -> usize {
            4
        }

        fn is_empty(&self, _topic: &str, partition: i32) -> bool {
            partition == 0
        }
    }

    fn of(instance: &str, rows: &[(i32, State)]) -> Topology {
        let partitions = rows.iter();
        let partitions =
            partitions.map(|(partition, state)| Row::without_owner("in", *partition, *state));
        let topology = Topology {
            instance: None,
            stale_ms: 0,
            instances: Vec::new(),
            missing_instances: Vec::new(),
            streams: vec![StreamRow {
                name: "counts".into(),
                from: "in".into(),
                via: None,
                to: "out".into(),
                late: None,
                dlq: None,
                partitions: partitions.collect(),
            }],
            routes: Vec::new(),
        };
        topology.at(instance)
    }

    #[test]
    fn each_partition_is_there_once_as_its_owner_says() {
        let mut topology = of("a", &[(2, State::Restoring), (1, State::Owned)]);
        topology.add(of("b", &[(2, State::Owned)]));
        topology.complete(&FirstIsEmpty);
        let rows = topology.streams[0].partitions.iter();
        let rows: Vec<_> = rows
            .map(|row| (row.partition, row.state, row.instance.as_deref()))
            .collect();
        let expected = [
            (0, State::Empty, None),
            (1, State::Owned, Some("a")),
            (2, State::Owned, Some("b")),
            (3, State::Unknown, None),
        ];
        assert_eq!(rows, expected);
        assert_eq!(topology.instances, ["a", "b"]);
    }
}
