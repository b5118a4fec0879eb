//! Late records and dead letters that do not fit: what is left out of them so that they do.
//!
//! The next smaller form of one is written when Kafka refuses it: with the time of its writing
//! instead of its own, without its value, at last without its key and the headers that its source
//! had. What is left out is said by headers.

use bytes::Bytes;
use footfall_task::{Outgoing, Refused};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Headers of these names are ours; they say why and where from.
const OURS: [&str; 13] = [
    "footfall-error-code",
    "footfall-error",
    "footfall-late-stream",
    "footfall-late-windows",
    "footfall-late-by-ms",
    "footfall-source-topic",
    "footfall-source-partition",
    "footfall-source-offset",
    VALUE_BYTES,
    VALUE_SHA256,
    KEY_BYTES,
    KEY_SHA256,
    SOURCE_TIMESTAMP,
];
const VALUE_BYTES: &str = "footfall-value-bytes";
const VALUE_SHA256: &str = "footfall-value-sha256";
const KEY_BYTES: &str = "footfall-key-bytes";
const KEY_SHA256: &str = "footfall-key-sha256";
const SOURCE_TIMESTAMP: &str = "footfall-source-timestamp";
/// A key, a header of ours, or all headers of the source stay with what has lost its value, up to
/// so many bytes.
const LONG: usize = 1 << 10;

/// The next smaller form of a late record or a dead letter that was refused; `None` when there is
/// none.
pub(crate) fn smaller(record: &Outgoing, refused: Refused) -> Option<Outgoing> {
    match (refused, record.timestamp, &record.value) {
        (Refused::Timestamp, Some(time), _) => {
            let mut smaller = record.clone();
            smaller.timestamp = None;
            push(&mut smaller, SOURCE_TIMESTAMP, time.to_string());
            Some(smaller)
        }
        (Refused::TooLarge | Refused::Record, _, Some(value)) => Some(without_value(record, value)),
        (Refused::TooLarge, _, None) => without_key(record),
        (Refused::Timestamp, None, _) | (Refused::Record, _, None) => None,
    }
}

fn without_value(record: &Outgoing, value: &Bytes) -> Outgoing {
    let mut smaller = Outgoing {
        value: None,
        ..record.clone()
    };
    push(&mut smaller, VALUE_BYTES, value.len().to_string());
    push(&mut smaller, VALUE_SHA256, sha256(value));
    smaller
}

fn without_key(record: &Outgoing) -> Option<Outgoing> {
    let mut smaller = record.clone();
    let own = |(name, _): &(String, _)| OURS.contains(&&**name);
    smaller.headers.retain(own);
    for (_, value) in smaller.headers.iter_mut() {
        if let Some(value) = value {
            value.truncate(LONG);
        }
    }
    if let Some(key) = smaller.key.take_if(|key| key.len() > LONG) {
        push(&mut smaller, KEY_BYTES, key.len().to_string());
        push(&mut smaller, KEY_SHA256, sha256(&key));
    }
    (smaller.size() < record.size()).then_some(smaller)
}

fn push(record: &mut Outgoing, name: &str, value: String) {
    record
        .headers
        .push((name.to_owned(), Some(value.into_bytes())));
}

fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _infallible = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_task::{Partition, Timestamp};

    fn letter() -> Outgoing {
        let headers = [
            ("trace", "x".repeat(5_000)),
            ("footfall-error-code", "undecodable".into()),
            ("footfall-source-offset", "41".into()),
        ];
        Outgoing {
            topic: "t.dlq".into(),
            partition: Some(Partition(3)),
            timestamp: Some(Timestamp(77)),
            key: Some(vec![b'k'; 2_000].into()),
            value: Some(Bytes::from_static(b"abc")),
            headers: headers
                .map(|(name, value)| (name.to_owned(), Some(value.into_bytes())))
                .to_vec(),
        }
    }

    fn names(record: &Outgoing) -> Vec<&str> {
        record.headers.iter().map(|(name, _)| &**name).collect()
    }

    fn header<'a>(record: &'a Outgoing, name: &str) -> &'a str {
        let found = record.headers.iter().find(|(own, _)| own == name);
        std::str::from_utf8(found.unwrap().1.as_ref().unwrap()).unwrap()
    }

    #[test]
    fn what_is_too_large_loses_its_value_and_says_its_size_and_its_hash() {
        let short = smaller(&letter(), Refused::TooLarge).unwrap();
        assert_eq!(short.value, None);
        assert_eq!(header(&short, VALUE_BYTES), "3");
        // Of FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(header(&short, VALUE_SHA256), expected);
        assert_eq!(
            (short.key, short.timestamp),
            (letter().key, letter().timestamp)
        );
    }

    #[test]
    fn what_is_still_too_large_loses_its_key_and_the_headers_of_its_source() {
        let short = smaller(&letter(), Refused::TooLarge).unwrap();
        let shorter = smaller(&short, Refused::TooLarge).unwrap();
        let expected = [
            "footfall-error-code",
            "footfall-source-offset",
            VALUE_BYTES,
            VALUE_SHA256,
            KEY_BYTES,
            KEY_SHA256,
        ];
        assert_eq!(names(&shorter), expected);
        assert_eq!((header(&shorter, KEY_BYTES), &shorter.key), ("2000", &None));
        assert_eq!(smaller(&shorter, Refused::TooLarge), None);
    }

    #[test]
    fn what_has_an_impossible_time_keeps_all_but_that() {
        let short = smaller(&letter(), Refused::Timestamp).unwrap();
        assert_eq!((&short.value, short.timestamp), (&letter().value, None));
        assert_eq!(header(&short, SOURCE_TIMESTAMP), "77");
        assert_eq!(smaller(&short, Refused::Timestamp), None);
    }
}
