//! What some processes know, put together.

use super::Question;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use footfall_streams::{Decimal, Definition, Window, WindowResult, output_value};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// What is known of some partitions.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// How old the oldest part of it is.
    pub(super) stale_ms: u64,
    /// The partitions that it is of.
    pub(super) partitions: BTreeSet<i32>,
    windows: Vec<Found>,
}

/// A window of a key.
#[derive(Clone, Debug)]
struct Found {
    window: Window,
    key: Vec<u8>,
    /// The first aggregate, if it is a number.
    rank: Option<Decimal>,
    /// As it is answered.
    json: Box<str>,
}

/// The answer of another process.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    stale_ms: u64,
    partitions: BTreeSet<i32>,
    windows: Vec<Box<RawValue>>,
}

impl Answer {
    /// What this process knows.
    pub(super) fn known(
        stream: &Definition,
        stale_ms: u64,
        partitions: BTreeSet<i32>,
        windows: &[WindowResult],
    ) -> Self {
        let windows = windows.iter().map(|result| Found {
            window: result.window,
            key: result.key.to_vec(),
            rank: result.values.first().and_then(|value| value.number()),
            json: output_value(result, &stream.aggregates).into(),
        });
        Self {
            stale_ms,
            partitions,
            windows: windows.collect(),
        }
    }

    /// What another one has told; `None` when it is no answer.
    pub(super) fn told(stream: &Definition, told: Told) -> Option<Self> {
        let windows = told.windows.into_iter();
        Some(Self {
            stale_ms: told.stale_ms,
            partitions: told.partitions,
            windows: windows
                .map(|window| Found::read(stream, window))
                .collect::<Option<_>>()?,
        })
    }

    /// Of no window, for these partitions.
    pub(super) fn nothing(partitions: BTreeSet<i32>) -> Self {
        Self {
            partitions,
            ..Self::default()
        }
    }

    /// Adds what is known of other partitions.
    pub(super) fn add(&mut self, other: Self) {
        self.stale_ms = self.stale_ms.max(other.stale_ms);
        self.partitions.extend(other.partitions);
        self.windows.extend(other.windows);
    }

    /// By start, then key; only as many as are asked for.
    pub(super) fn pick(mut self, question: &Question) -> Self {
        let windows = &mut self.windows;
        windows.sort_by(|a, b| (a.window, &a.key).cmp(&(b.window, &b.key)));
        if let Some(top) = question.top {
            *windows = keep_top(windows, top);
        }
        windows.truncate(question.limit);
        self
    }

    /// As it is told to another process.
    pub(super) fn of_some(&self, stream: &Definition) -> String {
        let partitions = json!(self.partitions);
        self.json(stream, &format!(r#","partitions":{partitions}"#))
    }

    /// As it is told to who has asked; `missing` are partitions that nobody could answer for.
    pub(super) fn of_all(&self, stream: &Definition, missing: &BTreeSet<i32>) -> String {
        if missing.is_empty() {
            self.json(stream, "")
        } else {
            let missing = json!(missing);
            self.json(stream, &format!(r#","missing_partitions":{missing}"#))
        }
    }

    fn json(&self, stream: &Definition, more: &str) -> String {
        let name = json!(&*stream.name);
        let stale_ms = self.stale_ms;
        let windows: Vec<_> = self.windows.iter().map(|window| &*window.json).collect();
        let windows = windows.join(",");
        format!(r#"{{"stream":{name},"stale_ms":{stale_ms}{more},"windows":[{windows}]}}"#)
    }
}

impl Found {
    fn read(stream: &Definition, json: Box<RawValue>) -> Option<Self> {
        let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json.get()).ok()?;
        let text = |name| serde_json::from_str::<String>(members.get(name)?.get()).ok();
        let time = |name| members.get(name)?.get().parse().ok();
        let key = match text("key") {
            Some(key) => key.into_bytes(),
            None => STANDARD.decode(text("key_base64")?).ok()?,
        };
        let first = stream.aggregates.first();
        let first = first.and_then(|aggregation| members.get(&*aggregation.name));
        Some(Self {
            window: Window {
                start: time("start")?,
                end: time("end")?,
            },
            key,
            rank: first.and_then(|number| Decimal::nearest(number.get())),
            json: json.into(),
        })
    }
}

/// Keeps, per window, the keys with the greatest first aggregate.
fn keep_top(windows: &[Found], top: usize) -> Vec<Found> {
    let mut kept = Vec::new();
    for of_window in windows.chunk_by(|a, b| a.window == b.window) {
        let mut best: Vec<_> = of_window.iter().collect();
        best.sort_by_key(|found| (Reverse(found.rank), &found.key));
        best.truncate(top);
        best.sort_by_key(|found| &found.key);
        kept.extend(best.into_iter().cloned());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_streams::{TimeWindows, millis, stream};

    fn definition() -> Definition {
        let windows = TimeWindows::of(millis(10)).grace(millis(0)).unwrap();
        let counts = stream("in").group_by_key().windowed_by(windows).count();
        counts.to("out")
    }

    /// What a process has told of a partition: keys, starts and counts.
    fn told(partition: i32, stale_ms: u64, windows: &[(&str, i64, u64)]) -> Answer {
        let windows = windows.iter().map(|(key, start, count)| {
            let end = start + 10;
            json!({ "key": key, "start": start, "end": end, "count": count, "final": false })
        });
        let windows: Vec<_> = windows.collect();
        let answer = json!({
            "stream": "out", "stale_ms": stale_ms, "partitions": [partition], "windows": windows
        });
        let told = serde_json::from_str(&answer.to_string()).unwrap();
        Answer::told(&definition(), told).unwrap()
    }

    fn both() -> Answer {
        let mut whole = told(2, 12, &[("d", 0, 9), ("b", 10, 1)]);
        whole.add(told(0, 340, &[("a", 0, 10), ("c", 0, 9), ("é", 20, 2)]));
        whole
    }

    fn picked(top: Option<usize>, limit: usize) -> Vec<(i64, String)> {
        let question = Question {
            starts: 0..i64::MAX,
            key: None,
            top,
            limit,
            partitions: None,
        };
        let windows = both().pick(&question).windows.into_iter();
        windows
            .map(|found| (found.window.start, String::from_utf8(found.key).unwrap()))
            .collect()
    }

    fn expected(windows: &[(i64, &str)]) -> Vec<(i64, String)> {
        let windows = windows.iter();
        windows
            .map(|(start, key)| (*start, (*key).to_owned()))
            .collect()
    }

    #[test]
    fn answers_of_several_are_one_by_start_then_key_up_to_the_limit() {
        let all = [(0, "a"), (0, "c"), (0, "d"), (10, "b"), (20, "é")];
        assert_eq!(picked(None, 9), expected(&all));
        assert_eq!(picked(None, 4), expected(&all[..4]));
    }

    #[test]
    fn the_top_of_a_window_is_that_of_all_answers() {
        // 10 is more than 9, and of two with 9 the first by key.
        let top = [(0, "a"), (0, "c"), (10, "b"), (20, "é")];
        assert_eq!(picked(Some(2), 9), expected(&top));
    }

    #[test]
    fn the_whole_is_as_old_as_its_oldest_part_and_says_what_is_missing() {
        let (whole, stream) = (both(), definition());
        assert_eq!(whole.partitions, [0, 2].into());
        let said = whole.of_all(&stream, &[1].into());
        let begin = r#"{"stream":"out","stale_ms":340,"missing_partitions":[1],"windows":[{"key":"#;
        assert!(said.starts_with(begin), "{said}");
        assert!(!whole.of_all(&stream, &[].into()).contains("missing"));
    }
}
