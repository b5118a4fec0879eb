//! How state is written to its changelog, one record for each key and pane, and read from there.
//!
//! A record's key is one byte for its kind, then, for a pane, its start (a big-endian `i64`) and the
//! stream's key. A pane's value is a version, its newest time (a big-endian `i64`), and the state
//! of each aggregate. The stream time is a record of its own, with the shape of what is counted, so
//! that state is never taken for that of another definition.

use crate::{
    aggregate::take,
    state::{Pane, Saved, State},
};
use footfall_task::RestoreError;
use serde::{Deserialize, Serialize};

const CLOCK: u8 = 0;
const PANE: u8 = 1;
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Clock<'a> {
    version: u8,
    stream_time: i64,
    #[serde(borrow)]
    shape: std::borrow::Cow<'a, str>,
}

/// The key of the record that holds the stream time.
pub(crate) fn clock_key() -> Vec<u8> {
    vec![CLOCK]
}

/// The record that holds the stream time.
pub(crate) fn clock_value(stream_time: i64, shape: &str) -> Vec<u8> {
    let clock = Clock {
        version: VERSION,
        stream_time,
        shape: shape.into(),
    };
    // A struct of numbers and texts always has a JSON form.
    serde_json::to_vec(&clock).unwrap_or_default()
}

/// The key of a pane's record.
pub(crate) fn pane_key(start: i64, key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(9 + key.len());
    bytes.push(PANE);
    bytes.extend(start.to_be_bytes());
    bytes.extend(key);
    bytes
}

/// A pane's record.
pub(crate) fn pane_value(pane: &Pane) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend(pane.newest.to_be_bytes());
    for accumulator in &pane.accumulators {
        accumulator.save(&mut bytes);
    }
    bytes
}

/// Puts one record of the changelog back into the state.
pub(crate) fn restore(
    state: &mut State,
    shape: &str,
    key: &[u8],
    value: Option<&[u8]>,
) -> Result<(), RestoreError> {
    match (key.split_first(), value) {
        (Some((&CLOCK, [])), Some(value)) => restore_clock(state, shape, value),
        (Some((&PANE, rest)), value) => restore_pane(state, rest, value),
        _ => Err(unexpected("a pane or a stream time", key)),
    }
}

fn restore_clock(state: &mut State, shape: &str, value: &[u8]) -> Result<(), RestoreError> {
    let clock: Clock<'_> =
        serde_json::from_slice(value).map_err(|_| unexpected("a stream time", value))?;
    if clock.version != VERSION || clock.shape != shape {
        return Err(RestoreError {
            expected: format!("state of {shape} in version {VERSION}"),
            found: format!(
                "that of {} in version {}; give the stream another name, or delete its changelog to begin anew",
                clock.shape, clock.version
            ),
        });
    }
    state.restore_stream_time(clock.stream_time);
    Ok(())
}

fn restore_pane(
    state: &mut State,
    mut key: &[u8],
    value: Option<&[u8]>,
) -> Result<(), RestoreError> {
    let start = take(&mut key).ok_or_else(|| unexpected("the start of a pane", key))?;
    let saved = match value {
        Some(value) => Some(read_pane(state, value).ok_or_else(|| unexpected("a pane", value))?),
        None => None,
    };
    state.restore_pane(i64::from_be_bytes(start), key, saved);
    Ok(())
}

fn read_pane(state: &State, mut bytes: &[u8]) -> Option<Saved> {
    let [version] = take(&mut bytes)?;
    let newest = i64::from_be_bytes(take(&mut bytes)?);
    let functions = state.functions().iter();
    let accumulators = functions
        .map(|function| function.load(&mut bytes))
        .collect::<Option<_>>()?;
    (version == VERSION && bytes.is_empty()).then_some(Saved {
        newest,
        accumulators,
    })
}

fn unexpected(expected: &str, found: &[u8]) -> RestoreError {
    RestoreError {
        expected: expected.into(),
        found: format!("the bytes `{}`", found.escape_ascii()),
    }
}
