//! Records on their way to the partition of their new key. They carry all of their source, so that
//! behind the topic they are read as if they came straight from there.
//!
//! Where that was is the last header: a version, the event time (a big-endian `i64`: a record's own
//! timestamp cannot be 0), the digest of how it was read (a big-endian `u64`), the partition (a big-endian `i32`), the offset (a
//! big-endian `i64`), the timestamp (one byte, 0 when there is none, then a big-endian `i64`), the
//! key (one byte, 0 when there is none, a big-endian `u32` with its length, its bytes), the topic.
//! In version 1, event time and digest are left out: the former is the record's timestamp.

use crate::{
    aggregate::take,
    reject::owned,
    table::{Row, RowsFound},
};
use bytes::Bytes;
use footfall_task::{Header, Offset, Outgoing, Partition, Record, Timestamp};
use std::sync::Arc;

const SOURCE: &str = "footfall-source";
/// A row that was joined to the record; without a value there was none.
const ROW: &str = "footfall-source-row";
const VERSION: u8 = 2;

/// A record that has come to the partition of its new key.
#[derive(Debug)]
pub(crate) struct Regrouped<'a> {
    /// As it was at its source.
    pub(crate) source: Record<'a>,
    /// The rows that were joined to it, if they are as many as were asked for.
    pub(crate) rows: Option<RowsFound>,
    /// What it is grouped by.
    pub(crate) key: &'a [u8],
    /// When it happened.
    pub(crate) time: Timestamp,
    /// The digest of how it was read, if it was said.
    pub(crate) reading: Option<u64>,
}

/// What the header says.
#[derive(Debug)]
struct Place<'a> {
    /// Time and digest; none in version 1.
    read: Option<(Timestamp, u64)>,
    source: Record<'a>,
}

/// The record that goes to the partition of `key`; `reading` is the digest of how it was read.
pub(crate) fn wrap(
    topic: &Arc<str>,
    reading: u64,
    key: Vec<u8>,
    time: Timestamp,
    source: &Record<'_>,
    rows: &[Option<Row>],
) -> Outgoing {
    let rows = rows
        .iter()
        .map(|row| (ROW, row.as_ref().map(|row| row.to_vec())));
    let added = rows.chain([(SOURCE, Some(place(source, time, reading)))]);
    let added = added.map(|(name, value)| (name.to_owned(), value));
    Outgoing {
        topic: Arc::clone(topic),
        partition: None,
        timestamp: Some(time),
        key: Some(key.into()),
        value: source.value.map(Bytes::copy_from_slice),
        headers: owned(source).chain(added).collect(),
    }
}

/// What was wrapped, with the rows that were joined to it, if they are these many; `None` when
/// something else has written it.
pub(crate) fn unwrap<'a>(record: &Record<'a>, rows: usize) -> Option<Regrouped<'a>> {
    let ((SOURCE, Some(place)), headers) = record.headers.split_last()? else {
        return None;
    };
    let (headers, rows) = split_rows(headers, rows);
    let Place { read, source } = read_place(place)?;
    let source = Record {
        value: record.value,
        headers: headers.to_vec(),
        ..source
    };
    Some(Regrouped {
        source,
        rows,
        key: record.key?,
        time: read.map(|(time, _)| time).or(record.timestamp)?,
        reading: read.map(|(_, reading)| reading),
    })
}

fn place(source: &Record<'_>, time: Timestamp, reading: u64) -> Vec<u8> {
    let key = source.key.unwrap_or_default();
    let mut bytes = Vec::with_capacity(48 + key.len() + source.topic.len());
    bytes.push(VERSION);
    bytes.extend(time.0.to_be_bytes());
    bytes.extend(reading.to_be_bytes());
    bytes.extend(source.partition.0.to_be_bytes());
    bytes.extend(source.offset.0.to_be_bytes());
    let timestamp = source.timestamp.map(|time| time.0);
    bytes.push(u8::from(timestamp.is_some()));
    bytes.extend(timestamp.unwrap_or_default().to_be_bytes());
    bytes.push(u8::from(source.key.is_some()));
    // Kafka's records are far shorter than `u32::MAX`.
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(key);
    bytes.extend(source.topic.as_bytes());
    bytes
}

fn read_place<'a>(mut bytes: &'a [u8]) -> Option<Place<'a>> {
    let read = match take(&mut bytes)? {
        [1] => None,
        [VERSION] => {
            let time = Timestamp(i64::from_be_bytes(take(&mut bytes)?));
            Some((time, u64::from_be_bytes(take(&mut bytes)?)))
        }
        _ => return None,
    };
    let partition = Partition(i32::from_be_bytes(take(&mut bytes)?));
    let offset = Offset(i64::from_be_bytes(take(&mut bytes)?));
    let [has_time] = take(&mut bytes)?;
    let time = Timestamp(i64::from_be_bytes(take(&mut bytes)?));
    let [has_key] = take(&mut bytes)?;
    let length = usize::try_from(u32::from_be_bytes(take(&mut bytes)?)).ok()?;
    let (key, topic) = bytes.split_at_checked(length)?;
    let source = Record {
        topic: std::str::from_utf8(topic).ok()?,
        partition,
        offset,
        timestamp: (has_time == 1).then_some(time),
        key: (has_key == 1).then_some(key),
        value: None,
        headers: Vec::new(),
    };
    Some(Place { read, source })
}

/// Records on their way from before the join was made have none.
fn split_rows<'r, 'a>(
    headers: &'r [Header<'a>],
    count: usize,
) -> (&'r [Header<'a>], Option<RowsFound>) {
    let split = headers.len().checked_sub(count);
    let split = split.map(|own| headers.split_at(own));
    match split.filter(|(_, rows)| rows.iter().all(|(name, _)| *name == ROW)) {
        Some((own, rows)) => {
            let rows = rows.iter().map(|(_, row)| row.map(Row::from));
            (own, Some(rows.collect()))
        }
        None => (headers, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was sent, as it is read from the topic between.
    fn read(sent: &Outgoing) -> Record<'_> {
        let headers = sent.headers.iter();
        Record {
            topic: "internal",
            partition: Partition(1),
            offset: Offset(9),
            timestamp: sent.timestamp,
            key: sent.key.as_deref(),
            value: sent.value.as_deref(),
            headers: headers
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .collect(),
        }
    }

    #[test]
    fn what_is_wrapped_is_unwrapped_unchanged() {
        let source = Record {
            topic: "events",
            partition: Partition(3),
            offset: Offset(41),
            timestamp: None,
            key: None,
            value: Some(b"{}"),
            headers: vec![("trace", Some(b"7")), ("footfall-source", None)],
        };
        let rows = [Some(Row::from(&b"row"[..])), None];
        let topic = "internal".into();
        let sent = wrap(&topic, 12, b"/cart".to_vec(), Timestamp(5), &source, &rows);
        let read = read(&sent);
        let found = unwrap(&read, 2).unwrap();
        assert_eq!(format!("{:?}", found.source), format!("{source:?}"));
        assert_eq!(found.rows.as_deref(), Some(&rows[..]));
        assert_eq!((found.key, found.time), (&b"/cart"[..], Timestamp(5)));
        assert_eq!(found.reading, Some(12));
    }

    #[test]
    fn a_record_from_before_the_join_has_no_rows() {
        let source = Record {
            topic: "events",
            partition: Partition(3),
            offset: Offset(41),
            timestamp: None,
            key: None,
            value: Some(b"{}"),
            headers: vec![("trace", Some(b"7"))],
        };
        let sent = wrap(
            &"internal".into(),
            12,
            b"k".to_vec(),
            Timestamp(5),
            &source,
            &[],
        );
        let read = read(&sent);
        let found = unwrap(&read, 1).unwrap();
        assert_eq!((found.source.headers, found.rows), (source.headers, None));
    }

    /// The source of both golden headers.
    fn source() -> Record<'static> {
        Record {
            topic: "in",
            partition: Partition(3),
            offset: Offset(41),
            timestamp: Some(Timestamp(77)),
            key: Some(b"k"),
            value: None,
            headers: Vec::new(),
        }
    }

    /// Version 1, as it lies in people's topics: what reads it must stay.
    #[test]
    fn a_place_of_version_1_is_read_without_time_and_digest() {
        let bytes = b"\x01\0\0\0\x03\0\0\0\0\0\0\0\x29\x01\0\0\0\0\0\0\0\x4d\x01\0\0\0\x01kin";
        let read = read_place(bytes).unwrap();
        assert_eq!(format!("{:?}", read.source), format!("{:?}", source()));
        assert_eq!(read.read, None);
    }

    /// As it lies in people's topics: what reads it must stay.
    #[test]
    fn a_place_is_version_2() {
        let bytes = b"\x02\0\0\0\0\0\0\0\x15\0\0\0\0\0\0\0\x0c\0\0\0\x03\0\0\0\0\0\0\0\x29\x01\0\0\0\0\0\0\0\x4d\x01\0\0\0\x01kin";
        assert_eq!(place(&source(), Timestamp(21), 12), bytes);
        let read = read_place(bytes).unwrap();
        assert_eq!(format!("{:?}", read.source), format!("{:?}", source()));
        assert_eq!(read.read, Some((Timestamp(21), 12)));
    }

    #[test]
    fn an_event_time_of_0_is_not_the_records_timestamp() {
        let source = source();
        let sent = wrap(
            &"internal".into(),
            12,
            b"k".to_vec(),
            Timestamp(0),
            &source,
            &[],
        );
        let written = Record {
            timestamp: Some(Timestamp(1_764_000_000_123)),
            ..read(&sent)
        };
        assert_eq!(unwrap(&written, 0).unwrap().time, Timestamp(0));
    }

    #[test]
    fn a_record_that_something_else_wrote_is_told_apart() {
        let foreign = Record {
            topic: "internal",
            partition: Partition(1),
            offset: Offset(9),
            timestamp: None,
            key: Some(b"k"),
            value: None,
            headers: vec![],
        };
        assert!(unwrap(&foreign, 0).is_none());
        let place = place(&foreign, Timestamp(5), 12);
        let ours = |place| {
            let headers = vec![(SOURCE, Some(place))];
            let timestamp = Some(Timestamp(5));
            let record = Record {
                headers,
                timestamp,
                ..foreign.clone()
            };
            unwrap(&record, 0).is_some()
        };
        assert!(ours(&place) && !ours(&place[..20]) && !ours(&[&[9], &place[1..]].concat()));
    }
}
