//! How state is written to its changelog, one record for each key and pane, and read from there.
//!
//! A record's key is one byte for its kind, then, for a pane, its start (a big-endian `i64`) and the
//! stream's key. A pane's value is a version, its newest time (a big-endian `i64`), and the state
//! of each aggregate. The stream time is a record of its own, with the shape of what is counted, so
//! that state is never taken for that of another definition, and, behind several source partitions,
//! with the event times that those have reached; it is -1 until they have all reached one. Another one has the starts of the
//! windows that the wall clock has closed (a version and big-endian `i64`s); an id that duplicates
//! are known by is a record with its time (a version and a big-endian `i64`). A session's key is like
//! a pane's; its value is a version, whether the wall clock has closed it (one byte), its newest time
//! and, if it is open, the state of each aggregate.

use crate::{
    Accumulator,
    aggregate::take,
    seen::Seen,
    shape::other_definition,
    state::{Changed, Reached, Saved, SavedSession, State, of_record},
};
use footfall_task::RestoreError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const CLOCK: u8 = 0;
const PANE: u8 = 1;
const IDLE: u8 = 2;
const SEEN: u8 = 3;
const SESSION: u8 = 4;
const VERSION: u8 = 1;
/// Before every event time.
const NO_TIME: i64 = -1;

#[derive(Serialize, Deserialize)]
struct Clock<'a> {
    version: u8,
    stream_time: i64,
    #[serde(borrow)]
    shape: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Reached::is_empty")]
    reached: Reached,
}

/// The key of the record that holds the stream time.
pub(crate) const CLOCK_KEY: &[u8] = &[CLOCK];

/// The record that holds the stream time.
pub(crate) fn clock_value(stream_time: Option<i64>, shape: &str, reached: Reached) -> Vec<u8> {
    let clock = Clock {
        version: VERSION,
        stream_time: stream_time.unwrap_or(NO_TIME),
        shape: shape.into(),
        reached,
    };
    // A struct of numbers and texts always has a JSON form.
    serde_json::to_vec(&clock).unwrap_or_default()
}

/// Appends the key of a pane's record.
pub(crate) fn push_pane_key(bytes: &mut Vec<u8>, start: i64, key: &[u8]) {
    push_place_key(bytes, PANE, start, key);
}

/// Appends the key of a session's record.
pub(crate) fn push_session_key(bytes: &mut Vec<u8>, start: i64, key: &[u8]) {
    push_place_key(bytes, SESSION, start, key);
}

fn push_place_key(bytes: &mut Vec<u8>, kind: u8, start: i64, key: &[u8]) {
    bytes.push(kind);
    bytes.extend(start.to_be_bytes());
    bytes.extend(key);
}

/// Appends the record of a pane or a session.
pub(crate) fn push_value(bytes: &mut Vec<u8>, changed: &Changed<'_>) {
    bytes.push(VERSION);
    match changed {
        Changed::Pane(pane) => push_gathered(bytes, pane.newest, &pane.accumulators),
        Changed::Session {
            newest,
            accumulators,
        } => {
            bytes.push(u8::from(accumulators.is_none()));
            push_gathered(bytes, *newest, accumulators.unwrap_or_default());
        }
    }
}

fn push_gathered(bytes: &mut Vec<u8>, newest: i64, accumulators: &[Accumulator]) {
    bytes.extend(newest.to_be_bytes());
    for accumulator in accumulators {
        accumulator.save(bytes);
    }
}

/// The key of the record that holds which windows the wall clock has closed.
pub(crate) const IDLE_KEY: &[u8] = &[IDLE];

/// The record that holds them, by their starts.
pub(crate) fn idle_value(starts: &[i64]) -> Vec<u8> {
    let starts = starts.iter().flat_map(|start| start.to_be_bytes());
    std::iter::once(VERSION).chain(starts).collect()
}

/// The key of an id's record.
pub(crate) fn seen_key(id: &[u8]) -> Vec<u8> {
    [&[SEEN], id].concat()
}

/// An id's record: when it was seen.
pub(crate) fn seen_value(time: i64) -> Vec<u8> {
    [&[VERSION][..], &time.to_be_bytes()].concat()
}

/// Puts one record of the changelog back into the state.
pub(crate) fn restore(
    state: &mut State,
    seen: Option<&mut Seen>,
    shape: &str,
    key: &[u8],
    value: Option<&[u8]>,
) -> Result<(), RestoreError> {
    let size = of_record(key, value.unwrap_or_default());
    match (key.split_first(), value) {
        (Some((&CLOCK, [])), Some(value)) => restore_clock(state, shape, value),
        (Some((&PANE, rest)), value) => restore_pane(state, rest, value, size),
        (Some((&SESSION, rest)), value) => restore_session(state, rest, value, size),
        (Some((&IDLE, [])), Some(value)) => restore_idle(state, value),
        (Some((&SEEN, id)), value) => restore_seen(seen, id, value),
        _ => Err(unexpected("a pane, an id or a stream time", key)),
    }
}

fn restore_idle(state: &mut State, value: &[u8]) -> Result<(), RestoreError> {
    let unexpected = || unexpected("the windows that were closed", value);
    let mut bytes = value;
    let version = take(&mut bytes).ok_or_else(unexpected)?;
    let mut starts = BTreeSet::new();
    while !bytes.is_empty() {
        starts.insert(i64::from_be_bytes(take(&mut bytes).ok_or_else(unexpected)?));
    }
    if version != [VERSION] {
        return Err(unexpected());
    }
    state.restore_idle_closed(starts);
    Ok(())
}

/// Ids of a stream that does not ask for them any more are passed by.
fn restore_seen(
    seen: Option<&mut Seen>,
    id: &[u8],
    value: Option<&[u8]>,
) -> Result<(), RestoreError> {
    let time = match value {
        Some([VERSION, time @ ..]) => {
            let time = <[u8; 8]>::try_from(time).map_err(|_| unexpected("a time", time))?;
            Some(i64::from_be_bytes(time))
        }
        Some(value) => return Err(unexpected("when an id was seen", value)),
        None => None,
    };
    if let Some(seen) = seen {
        seen.restore(id, time);
    }
    Ok(())
}

fn restore_clock(state: &mut State, shape: &str, value: &[u8]) -> Result<(), RestoreError> {
    let clock: Clock<'_> =
        serde_json::from_slice(value).map_err(|_| unexpected("a stream time", value))?;
    if clock.version != VERSION {
        return Err(unexpected("a stream time in version 1", value));
    }
    if clock.shape != shape {
        let words = &clock.shape;
        return Err(other_definition(&format!(
            "windows and aggregates were `{words}` and are `{shape}`"
        )));
    }
    if clock.stream_time > NO_TIME {
        state.restore_stream_time(clock.stream_time);
    }
    state.restore_reached(&clock.reached);
    Ok(())
}

fn restore_pane(
    state: &mut State,
    mut key: &[u8],
    value: Option<&[u8]>,
    size: u32,
) -> Result<(), RestoreError> {
    let start = take(&mut key).ok_or_else(|| unexpected("the start of a pane", key))?;
    let read = |value| read_pane(state, value, size).ok_or_else(|| unexpected("a pane", value));
    let saved = value.map(read).transpose()?;
    state.restore_pane(i64::from_be_bytes(start), key, saved);
    Ok(())
}

fn restore_session(
    state: &mut State,
    mut key: &[u8],
    value: Option<&[u8]>,
    size: u32,
) -> Result<(), RestoreError> {
    let start = take(&mut key).ok_or_else(|| unexpected("the start of a session", key))?;
    let read =
        |value| read_session(state, value, size).ok_or_else(|| unexpected("a session", value));
    let saved = value.map(read).transpose()?;
    state.restore_session(i64::from_be_bytes(start), key, saved);
    Ok(())
}

fn read_session(state: &State, mut bytes: &[u8], size: u32) -> Option<SavedSession> {
    let [version, is_closed] = take(&mut bytes)?;
    let newest = i64::from_be_bytes(take(&mut bytes)?);
    let accumulators = match is_closed {
        0 => Some(read_accumulators(state, &mut bytes)?),
        _ => None,
    };
    (version == VERSION && bytes.is_empty()).then_some(SavedSession {
        newest,
        accumulators,
        bytes: size,
    })
}

fn read_accumulators(state: &State, bytes: &mut &[u8]) -> Option<Vec<Accumulator>> {
    let functions = state.functions().iter();
    functions.map(|function| function.load(bytes)).collect()
}

fn read_pane(state: &State, mut bytes: &[u8], size: u32) -> Option<Saved> {
    let [version] = take(&mut bytes)?;
    let newest = i64::from_be_bytes(take(&mut bytes)?);
    let accumulators = read_accumulators(state, &mut bytes)?;
    (version == VERSION && bytes.is_empty()).then_some(Saved {
        newest,
        accumulators,
        bytes: size,
    })
}

fn unexpected(expected: &str, found: &[u8]) -> RestoreError {
    RestoreError {
        expected: expected.into(),
        found: format!("the bytes `{}`", found.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Aggregation, Decimal, Definition, Function, Input, TimeWindows, aggregate::Place, millis,
        stream,
    };

    /// Version 1, as it has been written to people's changelogs: what reads it must stay.
    const PANE_KEY: &str = "0100000000000000462f63617274";
    const PANE_VALUE: &str = "01000000000000004d0000000000000002\
        0000000000000000000000000000001309b6e64a8ec60000\
        01fffffffffffffffffffffffffffffffe06f05b59d3b20000";
    const CLOCK_VALUE: &str = r#"{"version":1,"stream_time":77,"shape":"windows of 30 ms every 20 ms with a grace of 3 ms, n = count(), total = sum(/n), least = min(/n)"}"#;

    fn definition() -> Definition {
        let windows = TimeWindows::of(millis(30)).advance_by(millis(20));
        let windows = windows.grace(millis(3)).unwrap();
        let aggregates = [
            ("n", Function::Count, ""),
            ("total", Function::Sum, "/n"),
            ("least", Function::Min, "/n"),
        ]
        .map(|(name, function, field)| Aggregation {
            name: name.into(),
            function,
            field: field.into(),
        });
        let grouped = stream("in").group_by_key().windowed_by(windows);
        grouped.aggregate(aggregates).to("out")
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        let digits = digits.map(|pair| std::str::from_utf8(pair).unwrap());
        digits
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }

    #[test]
    fn what_is_written_is_version_1() {
        let definition = definition();
        let mut state = State::new(&definition);
        for (time, number) in [(77, "21.2"), (71, "-1.5")] {
            let number = Input::Number(Decimal::parse(number).unwrap());
            let place = Place {
                time,
                ..Place::default()
            };
            state.add(b"/cart", place, &[Input::Missing, number.clone(), number]);
        }
        let mut changes = Vec::new();
        state.commit(
            |_| {},
            |start, key, pane| {
                let (mut place, mut value) = (Vec::new(), Vec::new());
                push_pane_key(&mut place, start, key);
                push_value(&mut value, pane);
                changes.push((hex(&place), hex(&value)));
                0
            },
        );
        assert_eq!(changes, [(PANE_KEY.into(), PANE_VALUE.into())]);
        let shape = definition.windows_and_aggregates();
        let clock = clock_value(Some(77), &shape, Reached::new());
        assert_eq!(clock, CLOCK_VALUE.as_bytes());
    }

    #[test]
    fn version_1_is_read() {
        let definition = definition();
        let mut state = State::new(&definition);
        let shape = definition.windows_and_aggregates();
        restore(
            &mut state,
            None,
            &shape,
            &bytes(PANE_KEY),
            Some(&bytes(PANE_VALUE)),
        )
        .unwrap();
        restore(
            &mut state,
            None,
            &shape,
            CLOCK_KEY,
            Some(CLOCK_VALUE.as_bytes()),
        )
        .unwrap();
        assert_eq!(state.stream_time(), Some(77));
        let windows = state.open_windows(0..i64::MAX, Some(b"/cart"));
        let values: Vec<_> = windows[0]
            .values
            .iter()
            .map(|value| value.result())
            .collect();
        assert_eq!(values, ["2", "19.7", "-1.5"]);
        assert_eq!((windows[0].window.start, windows[0].newest), (60, 77));
    }

    #[test]
    fn closed_windows_and_ids_are_written_and_read_as_version_1() {
        let idle = "01ffffffffffffffec000000000000003c";
        assert_eq!(hex(IDLE_KEY), "02");
        assert_eq!(hex(&idle_value(&[-20, 60])), idle);
        assert_eq!(hex(&seen_key(b"e1")), "036531");
        assert_eq!(hex(&seen_value(77)), "01000000000000004d");
        let definition = Definition {
            dedupe: Some(millis(5)),
            ..definition()
        };
        let mut state = State::new(&definition);
        let mut seen = Seen::new(millis(5), &definition.windows);
        let mut read = |key: &str, value: &str| {
            let (key, value) = (bytes(key), bytes(value));
            restore(&mut state, Some(&mut seen), "", &key, Some(&value)).unwrap();
        };
        read("02", idle);
        read("036531", "01000000000000004d");
        let place = Place {
            time: 61,
            ..Place::default()
        };
        let refusing = state.add(b"/cart", place, &[]);
        assert_eq!(
            refusing
                .iter()
                .map(|window| window.start)
                .collect::<Vec<_>>(),
            [60]
        );
        assert!(seen.is_duplicate(b"e1", 82) && !seen.is_duplicate(b"e2", 82));
    }

    #[test]
    fn what_is_no_state_is_refused_with_its_bytes() {
        let definition = definition();
        let mut state = State::new(&definition);
        let refusal = restore(&mut state, None, "shape", b"\x07", None).unwrap_err();
        let expected = "expected a pane, an id or a stream time, found the bytes `\\x07`";
        assert_eq!(refusal.to_string(), expected);
    }
}
