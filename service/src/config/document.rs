use super::{Origin, Problem};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A configuration whose every value has been checked against the table of keys, with defaults filled in and the origin
/// of each value remembered, so that later checks can still say where a value came from.
///
/// Durations are whole milliseconds, sizes are bytes, [`Form::Properties`](super::Form::Properties) are maps of texts.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub(super) values: Map<String, Value>,
    /// By dotted path; under the empty one the file itself.
    pub(super) origins: BTreeMap<String, Origin>,
}

impl Document {
    /// Turns the checked values into a program's own type.
    ///
    /// # Errors
    /// When `T` and the table of keys disagree, which is a fault of the program and not of its user.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_value(Value::Object(self.values.clone())).map_err(|error| Problem {
            origin: Origin::Nowhere,
            key: "the program's table of keys".into(),
            expected: "to match its configuration type".into(),
            found: error.to_string(),
        })
    }

    /// A problem that shows only when values are seen together, e.g. an advance above its window's size. For a
    /// value that is missing, it is where the table around it is.
    #[must_use]
    pub fn problem(
        &self,
        key: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Problem {
        let origin = self.origin_of(key);
        Problem {
            origin,
            key: key.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// Where a value comes from; of one that is missing, the table around it, else the file.
    pub(super) fn origin_of(&self, key: &str) -> Origin {
        let around = std::iter::successors(Some(key), |key| Some(key.rsplit_once('.')?.0));
        let origin = around.chain([""]).find_map(|key| self.origins.get(key));
        origin.cloned().unwrap_or(Origin::Nowhere)
    }

    /// The dotted paths of the values that differ in another document, arrays as one value, in the order of their names.
    #[must_use]
    pub fn changes(&self, other: &Self) -> Vec<String> {
        let mut changed = Vec::new();
        collect_changes(&self.values, &other.values, "", &mut changed);
        changed.sort_unstable();
        changed
    }

    pub(super) fn set(&mut self, path: &str, value: Value, origin: Origin) {
        insert(&mut self.values, path, value);
        self.origins.insert(path.into(), origin);
    }
}

fn collect_changes(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    prefix: &str,
    changed: &mut Vec<String>,
) {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(added) {
        let path = format!("{prefix}{name}");
        match (old.get(name), new.get(name)) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                collect_changes(old, new, &format!("{path}."), changed);
            }
            (old, new) if old != new => changed.push(path),
            _ => {}
        }
    }
}

/// Puts a value at a dotted path, making the tables on the way.
pub(super) fn insert(table: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.into(), value);
        }
        Some((head, rest)) => {
            let inner = table
                .entry(head)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
