//! A record for tests.

use footfall_task::{Offset, Partition, Record, Timestamp};

/// One of topic `events` with this value, at 77 ms, with the key `own`.
pub(super) fn record(value: Option<&str>) -> Record<'_> {
    Record {
        topic: "events",
        partition: Partition(3),
        offset: Offset(41),
        timestamp: Some(Timestamp(77)),
        key: Some(b"own"),
        value: value.map(str::as_bytes),
        headers: Vec::new(),
    }
}
