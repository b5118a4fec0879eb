//! What a stream is, part by part, as far as that decides what it counts. State of one shape is of no
//! use to a stream of another.
//!
//! It lies in the changelog as a record of its own in each partition, written before any other: a JSON
//! object with a version and the parts, each with its name and its words. Changelogs from before it
//! have windows and aggregates beside the stream time, and say no more than that.

use crate::{Definition, Join};
use footfall_task::RestoreError;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

const VERSION: u8 = 1;

/// The key of the record that holds the shape. Its first byte is the stream time's, so that it is
/// among the first where records are sorted.
pub(crate) const KEY: &[u8] = b"\0definition";

/// The parts of a definition that decide what is counted: its source, joins, condition, key, time,
/// what records without a value are, duplicates, windows with their grace, and aggregates.
///
/// Not among them is what decides only when and where results are said: `emit`, `idle_timeout`,
/// `codec`, the topics of results, late records and dead letters. Of functions that are written in
/// Rust it says only that they are there: their author gives a changed stream another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Vec<(String, String)>);

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u8,
    definition: Shape,
}

impl Definition {
    /// What must stay the same for state of an earlier life to be of use.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let Shape(mut parts) = self.reading();
        if let Some(within) = self.dedupe {
            parts.push(("dedupe within".into(), within.to_string()));
        }
        parts.push(("window".into(), self.windows.to_string()));
        parts.push(("aggregate".into(), self.aggregates_in_words()));
        Shape(parts)
    }

    /// Which records it takes, under which key, and when they were.
    pub(crate) fn reading(&self) -> Shape {
        let joins = self.joins.iter().flat_map(Join::describe);
        let steps = joins.chain(self.extract.describe());
        let from = ("from", self.from.to_string());
        let parts = std::iter::once(from).chain(steps);
        let mut parts: Vec<_> = parts.map(|(what, how)| (what.to_owned(), how)).collect();
        if self.rekeyed && !parts.iter().any(|(what, _)| what == "key") {
            parts.push(("key".into(), "as it is read".into()));
        }
        Shape(parts)
    }

    /// What changelogs have said of it beside the stream time from the beginning.
    pub(crate) fn windows_and_aggregates(&self) -> String {
        format!("{}, {}", self.windows, self.aggregates_in_words())
    }

    pub(crate) fn aggregates_in_words(&self) -> String {
        let aggregates = self.aggregates.iter();
        let aggregates: Vec<_> = aggregates
            .map(|aggregation| format!("{} = {}", aggregation.name, aggregation.expression()))
            .collect();
        aggregates.join(", ")
    }
}

impl Shape {
    /// A number that other shapes do not have: the [`digest`](footfall_task::digest) of the names and
    /// words of all parts, each ended by a zero byte.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let texts = self.0.iter().flat_map(|(what, how)| [what, how]);
        let bytes = texts.flat_map(|text| text.bytes().chain([0]));
        footfall_task::digest(bytes)
    }

    /// In which parts another one is different, in words: what it has, and what this one has.
    #[must_use]
    pub fn differences(&self, before: &Self) -> Vec<String> {
        let (now, before) = (self.by_part(), before.by_part());
        let parts: Vec<_> = now.keys().chain(before.keys()).copied().collect();
        let mut different: Vec<_> = parts
            .into_iter()
            .filter(|part| now.get(part) != before.get(part))
            .collect();
        different.sort_unstable();
        different.dedup();
        let said = |words: Option<&String>| words.map_or("left out".into(), |it| format!("`{it}`"));
        let different = different.into_iter();
        different
            .map(|part| {
                let (before, now) = (said(before.get(part)), said(now.get(part)));
                format!("`{part}` was {before} and is {now}")
            })
            .collect()
    }

    fn by_part(&self) -> BTreeMap<&str, String> {
        let mut parts = BTreeMap::<&str, String>::new();
        for (what, how) in &self.0 {
            let words = parts.entry(what).or_default();
            if !words.is_empty() {
                words.push_str("; ");
            }
            words.push_str(how);
        }
        parts
    }

    /// The record that holds it.
    pub(crate) fn value(&self) -> Vec<u8> {
        let saved = Saved {
            version: VERSION,
            definition: self.clone(),
        };
        // Numbers and texts always have a JSON form.
        serde_json::to_vec(&saved).unwrap_or_default()
    }

    /// Compares with the shape that state was saved under.
    ///
    /// # Errors
    /// When they are different, with what is and what there is to do.
    pub(crate) fn check(&self, saved: &[u8]) -> Result<(), RestoreError> {
        let read = serde_json::from_slice::<Saved>(saved).ok();
        let Some(saved) = read.filter(|saved| saved.version == VERSION) else {
            return Err(RestoreError {
                expected: format!("a definition in version {VERSION}"),
                found: format!("the bytes `{}`", saved.escape_ascii()),
            });
        };
        if saved.definition == *self {
            return Ok(());
        }
        let changed = self.differences(&saved.definition).join(", ");
        // The same words in another order.
        let changed = if changed.is_empty() {
            format!("`{}` in the order of `{self}`", saved.definition)
        } else {
            changed
        };
        Err(other_definition(&changed))
    }
}

/// State belongs to another definition of the stream.
pub(crate) fn other_definition(changed: &str) -> RestoreError {
    RestoreError {
        expected: "state of the stream as it is defined".into(),
        found: format!(
            "that of another definition: {changed}; to count by the new one from an empty state, give the \
             stream the next `version` (`start` says where it begins), or another name; to go on with this \
             state, take the change back"
        ),
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self
            .0
            .iter()
            .map(|(what, how)| format!("{what} {how}"))
            .collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests;
