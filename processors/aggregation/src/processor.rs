//! The streams at work, seen from outside: their windows can be asked for, and what they write and
//! read can be watched.

use crate::feed::Feed;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use footfall_streams::{Definition, StreamsTask, Topology, WindowResult};
use footfall_task::{
    Effects, GlobalTable, Kind, Partition, Processor, Record, RestoreError, Source, Task,
};
use serde_json::{json, value::RawValue};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
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
    tasks: Mutex<Vec<Weak<Mutex<StreamsTask>>>>,
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
            tasks: Mutex::default(),
            topology,
        }
    }

    pub(crate) fn streams(&self) -> &[Arc<Definition>] {
        self.topology.streams()
    }

    pub(crate) fn stream(&self, name: &str) -> Option<&Arc<Definition>> {
        self.streams().iter().find(|stream| *stream.name == *name)
    }

    /// A stream's results as they are written.
    pub(crate) fn results(&self, stream: &Definition) -> Option<&Feed> {
        self.results.get(&stream.name)
    }

    /// The records that a stream reads, as they come.
    pub(crate) fn tail(&self, stream: &Definition) -> Option<&Feed> {
        self.tails.get(&stream.from).map(|feed| &**feed)
    }

    /// The windows that this process holds of a stream, by start, then key.
    pub(crate) fn windows(
        &self,
        stream: &Definition,
        starts: &Range<i64>,
        key: Option<&[u8]>,
    ) -> Vec<WindowResult> {
        let tasks: Vec<_> = lock(&self.tasks).iter().filter_map(Weak::upgrade).collect();
        let mut windows = Vec::new();
        for task in tasks {
            let task = lock(&task);
            if let Some(state) = task.state(&stream.name) {
                windows.extend(state.open_windows(starts.clone(), key));
            }
        }
        windows.sort_by(|a, b| (a.window, &a.key).cmp(&(b.window, &b.key)));
        windows
    }
}

impl Processor for Aggregation {
    type Task = WatchedTask;

    fn sources(&self) -> Vec<Source> {
        self.topology.sources()
    }

    fn tables(&self) -> Vec<Arc<dyn GlobalTable>> {
        self.topology.tables()
    }

    fn task(&self, topic: &str, partition: Partition) -> WatchedTask {
        let task = Arc::new(Mutex::new(self.topology.task(topic, partition)));
        let mut tasks = lock(&self.tasks);
        tasks.retain(|task| task.strong_count() > 0);
        tasks.push(Arc::downgrade(&task));
        WatchedTask {
            task,
            tail: self.tails.get(topic).cloned(),
        }
    }

    fn written(&self, effects: &Effects) {
        let results = effects
            .sends
            .iter()
            .filter(|send| send.kind == Kind::Output);
        for result in results {
            let Some(feed) = self.results.get(&result.stream) else {
                continue;
            };
            let stream = self.stream(&result.stream);
            if feed.is_of_use()
                && let Some(text) = stream.and_then(|stream| stream.json_of(&result.record))
            {
                feed.push(text.into());
            }
        }
    }
}

/// A task that others may look at between two records.
#[derive(Debug)]
pub(crate) struct WatchedTask {
    task: Arc<Mutex<StreamsTask>>,
    tail: Option<Arc<Feed>>,
}

impl Task for WatchedTask {
    fn changelogs(&self) -> Vec<Arc<str>> {
        lock(&self.task).changelogs()
    }

    fn restore(
        &mut self,
        changelog: &str,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), RestoreError> {
        lock(&self.task).restore(changelog, key, value)
    }

    fn process(&mut self, record: &Record<'_>, effects: &mut Effects) {
        if let Some(tail) = &self.tail {
            tail.push(shown(record).into());
        }
        lock(&self.task).process(record, effects);
    }

    fn tick(&mut self, clock: Duration) -> bool {
        lock(&self.task).tick(clock)
    }

    fn commit(&mut self, effects: &mut Effects) {
        lock(&self.task).commit(effects);
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
