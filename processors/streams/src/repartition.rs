//! Records on their way to the partition of their new key. They carry all of their source, so that
//! behind the topic they are read as if they came straight from there.

use crate::{
    reject::owned,
    table::{Row, RowsFound},
};
use footfall_task::{Header, Offset, Outgoing, Partition, Record, Timestamp};
use std::sync::Arc;

const TOPIC: &str = "footfall-source-topic";
const PARTITION: &str = "footfall-source-partition";
const OFFSET: &str = "footfall-source-offset";
const TIMESTAMP: &str = "footfall-source-timestamp";
const KEY: &str = "footfall-source-key";
/// A row that was joined to the record; without a value there was none.
const ROW: &str = "footfall-source-row";

/// The record that goes to the partition of `key`.
pub(crate) fn wrap(
    topic: &Arc<str>,
    key: Vec<u8>,
    time: Timestamp,
    source: &Record<'_>,
    rows: &[Option<Row>],
) -> Outgoing {
    let text = |text: String| Some(text.into_bytes());
    let timestamp = source.timestamp.map(|time| time.to_string().into_bytes());
    let place = [
        (TOPIC, text(source.topic.to_owned())),
        (PARTITION, text(source.partition.to_string())),
        (OFFSET, text(source.offset.to_string())),
        (TIMESTAMP, timestamp),
        (KEY, source.key.map(<[u8]>::to_vec)),
    ];
    let rows = rows
        .iter()
        .map(|row| (ROW, row.as_ref().map(|row| row.to_vec())));
    let added = rows.chain(place);
    let added = added.map(|(name, value)| (name.to_owned(), value));
    Outgoing {
        topic: Arc::clone(topic),
        partition: None,
        timestamp: Some(time),
        key: Some(key),
        value: source.value.map(<[u8]>::to_vec),
        headers: owned(source).chain(added).collect(),
    }
}

/// The record as it was at its source, and the rows that were joined to it, if they are these many;
/// `None` when something else has written it.
pub(crate) fn unwrap<'a>(
    record: &Record<'a>,
    rows: usize,
) -> Option<(Record<'a>, Option<RowsFound>)> {
    let (headers, place) = record.headers.split_last_chunk()?;
    let [
        (TOPIC, Some(topic)),
        (PARTITION, Some(partition)),
        (OFFSET, Some(offset)),
        (TIMESTAMP, timestamp),
        (KEY, key),
    ] = place
    else {
        return None;
    };
    let timestamp = match timestamp {
        Some(time) => Some(Timestamp(number(time)?)),
        None => None,
    };
    let (headers, rows) = split_rows(headers, rows);
    let source = Record {
        topic: std::str::from_utf8(topic).ok()?,
        partition: Partition(number(partition)?),
        offset: Offset(number(offset)?),
        timestamp,
        key: *key,
        value: record.value,
        headers: headers.to_vec(),
    };
    Some((source, rows))
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

fn number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.parse().ok()
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
            headers: vec![("trace", Some(b"7")), ("footfall-source-topic", None)],
        };
        let rows = [Some(Row::from(&b"row"[..])), None];
        let topic = "internal".into();
        let sent = wrap(&topic, b"/cart".to_vec(), Timestamp(5), &source, &rows);
        let read = read(&sent);
        let (unwrapped, found) = unwrap(&read, 2).unwrap();
        assert_eq!(format!("{unwrapped:?}"), format!("{source:?}"));
        assert_eq!(found.as_deref(), Some(&rows[..]));
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
            b"k".to_vec(),
            Timestamp(5),
            &source,
            &[],
        );
        let read = read(&sent);
        let (unwrapped, rows) = unwrap(&read, 1).unwrap();
        assert_eq!((unwrapped.headers, rows), (source.headers, None));
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
    }
}
