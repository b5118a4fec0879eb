//! Records that a stream does not count: too late, or of no use to it. They keep their bytes, key,
//! headers, timestamp and partition, and get headers that say why and where they came from.

use crate::{Definition, Unusable, Window};
use bytes::Bytes;
use footfall_task::{Effects, Kind, Outgoing, Partition, Record, Refusal, Send};
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
    let windows = refusing.iter();
    let windows: Vec<_> = windows
        .map(|window| format!("[{},{}]", window.start, window.end))
        .collect();
    let why = [
        ("footfall-late-stream", definition.name.to_string()),
        ("footfall-late-windows", format!("[{}]", windows.join(","))),
        ("footfall-late-by-ms", late_by_ms.to_string()),
    ];
    effects.send(&definition.name, Kind::Late, copy(topic, source, why));
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
        ("footfall-error-code", why.code.to_owned()),
        ("footfall-error", why.reason),
    ];
    effects.send(stream, kind, copy(topic, source, why));
}

/// Says that a result cannot be written, and that no one record of this partition is to blame: the
/// result itself is the dead letter, as of now.
pub(crate) fn result(
    dlq: Option<&Arc<str>>,
    result: &Send,
    partition: Partition,
    refusal: &Refusal,
    effects: &mut Effects,
) {
    let kind = Kind::DeadLetter(refusal.refused.code());
    let Some(topic) = dlq else {
        return effects.count(&result.stream, kind);
    };
    let why = [
        ("footfall-error-code", refusal.refused.code()),
        ("footfall-error", &refusal.reason),
    ];
    let why = why.map(|(name, text)| (name.to_owned(), Some(text.as_bytes().to_vec())));
    let record = Outgoing {
        topic: Arc::clone(topic),
        partition: Some(partition),
        timestamp: None,
        headers: result.record.headers.iter().cloned().chain(why).collect(),
        ..result.record.clone()
    };
    effects.send(&result.stream, kind, record);
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
