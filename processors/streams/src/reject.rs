//! Records that a stream does not count: too late, or of no use to it. They keep their bytes, key,
//! headers, timestamp and partition, and get headers that say why and where they came from.

use crate::{Definition, Unusable, Window, millis};
use bytes::Bytes;
use footfall_task::{Effects, Kind, Outgoing, Record, Timestamp};
use std::sync::Arc;

/// Says that some or all of a record's windows have refused it.
pub(crate) fn late(
    definition: &Definition,
    source: &Record<'_>,
    refusing: &[Window],
    late_by_ms: i64,
    effects: &mut Effects,
) {
    let Some(topic) = &definition.late else {
        return effects.count(&definition.name, Kind::Late);
    };
    let why = [
        ("footfall-late-stream", definition.name.to_string()),
        ("footfall-late-windows", listed(refusing.iter().copied())),
        ("footfall-late-by-ms", late_by_ms.to_string()),
    ];
    effects.send(&definition.name, Kind::Late, copy(topic, source, why));
}

/// Says that a record's event time is too far ahead of the wall clock to be counted yet.
pub(crate) fn ahead(
    definition: &Definition,
    source: &Record<'_>,
    (time, now): (Timestamp, Timestamp),
    effects: &mut Effects,
) {
    let Some(topic) = &definition.late else {
        return effects.count(&definition.name, Kind::Ahead);
    };
    let limit = definition.max_ahead.unwrap_or(millis(0));
    let reason = format!("expected an event time up to {limit} after {now}, found {time}");
    let why = [
        ("footfall-late-stream", definition.name.to_string()),
        (
            "footfall-late-windows",
            listed(definition.windows.containing(time.0)),
        ),
        (
            "footfall-late-by-ms",
            now.0.saturating_sub(time.0).to_string(),
        ),
        ("footfall-error-code", Kind::TIME_AHEAD.to_owned()),
        ("footfall-error", reason),
    ];
    effects.send(&definition.name, Kind::Ahead, copy(topic, source, why));
}

fn listed(windows: impl Iterator<Item = Window>) -> String {
    let windows = windows.map(|window| format!("[{},{}]", window.start, window.end));
    format!("[{}]", windows.collect::<Vec<_>>().join(","))
}

/// Says that a record cannot be used.
pub(crate) fn unusable(
    stream: &Arc<str>,
    dlq: Option<&Arc<str>>,
    source: &Record<'_>,
    why: Unusable,
    effects: &mut Effects,
) {
    let kind = Kind::DeadLetter(why.code);
    let Some(topic) = dlq else {
        return effects.count(stream, kind);
    };
    let why = [
        ("footfall-error-code", why.code.to_string()),
        ("footfall-error", why.reason),
    ];
    effects.send(stream, kind, copy(topic, source, why));
}

fn copy<const N: usize>(
    topic: &Arc<str>,
    source: &Record<'_>,
    why: [(&str, String); N],
) -> Outgoing {
    let place = [
        ("footfall-source-topic", source.topic.to_owned()),
        ("footfall-source-partition", source.partition.to_string()),
        ("footfall-source-offset", source.offset.to_string()),
    ];
    let added = why.into_iter().chain(place);
    let added = added.map(|(name, text)| (name.to_owned(), Some(text.into_bytes())));
    Outgoing {
        topic: Arc::clone(topic),
        partition: Some(source.partition),
        timestamp: source.timestamp,
        key: source.key.map(Bytes::copy_from_slice),
        value: source.value.map(Bytes::copy_from_slice),
        headers: owned(source).chain(added).collect(),
    }
}

/// A record's headers, to be written again.
pub(crate) fn owned<'a>(
    record: &'a Record<'_>,
) -> impl Iterator<Item = (String, Option<Vec<u8>>)> + use<'a> {
    let headers = record.headers.iter();
    headers.map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec)))
}
