//! The streams at work, seen from outside: their windows can be asked for, and what they write and
//! read can be watched.

mod seats;
mod watched;

pub(crate) use seats::Seats;
pub(crate) use watched::Watched;

use crate::feed::Feed;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use footfall_streams::{Definition, Route, Topology, WindowResult};
use footfall_task::{Effects, GlobalTable, Kind, Partition, Processor, Reader, Record, Source};
use serde_json::{json, value::RawValue};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// So many records a tail begins with.
const TAIL: usize = 100;
/// So many results and records wait for a slow watcher; records may be large.
const WAITING_RESULTS: usize = 4_096;
const WAITING_RECORDS: usize = 256;

/// The streams of one configuration.
#[derive(Debug)]
pub(crate) struct Aggregation {
    topology: Topology,
    seats: Arc<Seats>,
    results: BTreeMap<Arc<str>, Feed>,
    /// By source topic; none unless the configuration allows it.
    tails: BTreeMap<Arc<str>, Arc<Feed>>,
}

impl Aggregation {
    pub(crate) fn new(topology: Topology, has_tails: bool) -> Self {
        let streams = topology.streams().iter();
        let results = streams
            .clone()
            .map(|stream| (Arc::clone(&stream.name), Feed::new(0, WAITING_RESULTS)));
        let tails = streams.filter(|_| has_tails);
        let tails = tails.map(|stream| {
            (
                Arc::clone(&stream.from),
                Arc::new(Feed::new(TAIL, WAITING_RECORDS)),
            )
        });
        Self {
            results: results.collect(),
            tails: tails.collect(),
            seats: Arc::default(),
            topology,
        }
    }

    pub(crate) fn streams(&self) -> &[Arc<Definition>] {
        self.topology.streams()
    }

    pub(crate) fn stream(&self, name: &str) -> Option<&Arc<Definition>> {
        self.streams().iter().find(|stream| *stream.name == *name)
    }

    pub(crate) fn routes(&self) -> &[Arc<Route>] {
        self.topology.routes()
    }

    /// The topic whose records a stream counts.
    pub(crate) fn counted(&self, stream: &Definition) -> Arc<str> {
        stream.counted(self.topology.group())
    }

    /// The partitions that this process has.
    pub(crate) fn seats(&self) -> &Seats {
        &self.seats
    }

    /// A stream's results as they are written.
    pub(crate) fn results(&self, stream: &Definition) -> Option<&Feed> {
        self.results.get(&stream.name)
    }

    /// The records that a stream reads, as they come.
    pub(crate) fn tail(&self, stream: &Definition) -> Option<&Feed> {
        self.tails.get(&stream.from).map(|feed| &**feed)
    }

    /// The windows that this process knows of a stream's partitions, by start, then key.
    pub(crate) fn windows(
        &self,
        stream: &Definition,
        partitions: &BTreeSet<i32>,
        starts: &Range<i64>,
        key: Option<&[u8]>,
    ) -> Known {
        let counted = self.counted(stream);
        let mut known = Known::default();
        for partition in partitions {
            let place = (Arc::clone(&counted), *partition);
            let Some((task, since)) = self.seats.known(&place) else {
                continue;
            };
            if let Some(state) = task.look().state(&stream.name) {
                known.partitions.push(*partition);
                known
                    .windows
                    .extend(state.open_windows(starts.clone(), key));
                known.oldest = known.oldest.into_iter().chain(since).min();
            }
        }
        let windows = &mut known.windows;
        windows.sort_by(|a, b| (a.window, &a.key).cmp(&(b.window, &b.key)));
        known
    }
}

/// What this process knows of some partitions of a stream.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Those of them that it knows.
    pub(crate) partitions: Vec<i32>,
    /// Since when it has lost one of those, if it has.
    pub(crate) oldest: Option<Instant>,
    /// By start, then key.
    pub(crate) windows: Vec<WindowResult>,
}

impl Processor for Aggregation {
    type Task = watched::Working;

    fn sources(&self) -> Vec<Source> {
        self.topology.sources()
    }

    fn tables(&self) -> Vec<Arc<dyn GlobalTable>> {
        self.topology.tables()
    }

    fn readers(&self, topic: &str) -> Vec<Reader> {
        self.topology.readers(topic)
    }

    fn definition(&self) -> BTreeMap<String, String> {
        self.topology.parts()
    }

    fn task(&self, topic: &str, partition: Partition) -> watched::Working {
        let task = Arc::new(Watched::new(self.topology.task(topic, partition)));
        let place = (Arc::from(topic), partition.0);
        self.seats.begin(&place, &task);
        watched::Working {
            task,
            place,
            seats: Arc::clone(&self.seats),
            tail: self.tails.get(topic).cloned(),
        }
    }

    fn written(&self, effects: &Effects) {
        let heard = self.results.iter().filter(|(_, feed)| feed.is_of_use());
        for (name, feed) in heard {
            let Some(stream) = self.stream(name) else {
                continue;
            };
            let sends = effects.sends.iter();
            for result in sends.filter(|send| send.kind == Kind::Output && send.stream == *name) {
                if let Some(text) = stream.json_of(&result.record) {
                    feed.push(text.into());
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A record as a tail shows it; the value as it is when it is JSON, else `null`.
fn shown(record: &Record<'_>) -> String {
    let value = record
        .value
        .and_then(|value| serde_json::from_slice::<&RawValue>(value).ok());
    // A line end in JSON can only be white space; an event's data is one line.
    let value = value.map_or("null".into(), |value| {
        value.get().replace(['\r', '\n'], " ")
    });
    let (key_name, key) = match record
        .key
        .map(|key| std::str::from_utf8(key).map_err(|_| key))
    {
        Some(Err(binary)) => ("key_base64", json!(STANDARD.encode(binary))),
        Some(Ok(text)) => ("key", json!(text)),
        None => ("key", json!(null)),
    };
    let topic = json!(record.topic);
    let (partition, offset) = (record.partition, record.offset);
    let timestamp = json!(record.timestamp.map(|time| time.0));
    format!(
        r#"{{"topic":{topic},"partition":{partition},"offset":{offset},"timestamp":{timestamp},"{key_name}":{key},"value":{value}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_task::{Offset, Timestamp};

    #[test]
    fn a_tail_shows_a_record_in_one_line_with_its_value_as_it_is() {
        let record = Record {
            topic: "events",
            partition: Partition(3),
            offset: Offset(41),
            timestamp: Some(Timestamp(77)),
            key: Some(b"demo/v1"),
            value: Some(b"{\"b\":1.50,\r\n\"a\":2}"),
            headers: Vec::new(),
        };
        let expected = r#"{"topic":"events","partition":3,"offset":41,"timestamp":77,"key":"demo/v1","value":{"b":1.50,  "a":2}}"#;
        assert_eq!(shown(&record), expected);
    }

    #[test]
    fn a_tail_shows_what_is_no_text_in_base64_and_what_is_no_json_as_null() {
        let record = Record {
            topic: "events",
            partition: Partition(3),
            offset: Offset(41),
            timestamp: None,
            key: Some(&[0xff]),
            value: Some(b"{"),
            headers: Vec::new(),
        };
        let expected = r#"{"topic":"events","partition":3,"offset":41,"timestamp":null,"key_base64":"/w==","value":null}"#;
        assert_eq!(shown(&record), expected);
    }
}
