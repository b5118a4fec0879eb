//! The formats on disk, held to the golden files.

use super::{
    Folder, Left,
    frame::{self, Item},
    log::{Due, Found, Limits, Source},
    ranges::Ranges,
    segment::{HEADER, Header, encode_checkpoint, read_checkpoint},
};
use crate::outgoing::{Message, Topic};
use footfall_protocol::Timestamp;
use std::fs;

const SEGMENT: &[u8] = include_bytes!("../../golden/spill-v1/00000000000000000042.spill");
const CHECKPOINT: &[u8] = include_bytes!("../../golden/spill-v1/checkpoint");
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn messages() -> [Message<'static>; 3] {
    let message = |topic, key, value: &'static str, timestamp, traceparent| Message {
        topic,
        key,
        value: value.as_bytes(),
        timestamp: Timestamp::from_millis(timestamp),
        traceparent,
    };
    let order = r#"{"id":"0199d0a4-0000-7000-8000-00000000000a","name":"주문"}"#;
    let rejected = r#"{"code":"id_missing","event":{}}"#;
    [
        message(
            Topic::Events,
            Some(b"demo/v-1"),
            order,
            1_764_000_000_001,
            None,
        ),
        message(
            Topic::Rejected,
            Some(b"demo"),
            rejected,
            1_764_000_000_500,
            Some(TRACEPARENT),
        ),
        message(Topic::Events, None, "{}", -1, None),
    ]
}

fn done() -> Ranges {
    let mut done = Ranges::default();
    done.insert(0, 42);
    done.insert(43, 44);
    done
}

#[test]
fn a_segment_of_version_1_is_read_and_written_byte_for_byte() {
    let begun = Timestamp::from_millis(1_764_000_000_500);
    let header = Header { first: 42, begun };
    assert_eq!(Header::read(SEGMENT), Ok(header));
    let mut written = header.encode();
    for (ordinal, message) in (42..).zip(&messages()) {
        frame::append(&mut written, ordinal, message);
    }
    assert_eq!(written, SEGMENT);
    for (item, (ordinal, message)) in frame::read(&SEGMENT[HEADER..]).zip((42..).zip(messages())) {
        assert!(
            matches!(item, Item::Frame(frame) if frame.ordinal == ordinal && frame.message == message)
        );
    }
}

#[test]
fn a_checkpoint_of_version_1_is_read_and_written_byte_for_byte() {
    assert_eq!(read_checkpoint(CHECKPOINT), Ok(done()));
    assert_eq!(encode_checkpoint(&done()), CHECKPOINT);
}

#[test]
fn a_folder_of_version_1_is_replayed_from_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("00000000000000000042.spill"), SEGMENT).unwrap();
    fs::write(folder.path().join("checkpoint"), CHECKPOINT).unwrap();
    let limits = Limits {
        disk: 1 << 20,
        memory: 1 << 20,
    };
    let folder = Folder::open(folder.path()).unwrap();
    let Left::Read(mut log, found) = folder.look(limits).unwrap() else {
        panic!("so little is read at once");
    };
    assert_eq!(
        found,
        Found {
            events: 2,
            lost: 0,
            damage: 0
        }
    );
    let Due {
        source,
        first,
        from,
        until,
    } = log.due().unwrap();
    assert!(matches!(source, Source::File { len } if len == SEGMENT.len() as u64));
    assert_eq!((first, from, until), (42, 42, 43));
}

#[test]
fn a_folder_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut later = SEGMENT.to_vec();
    later[8] = 2;
    fs::write(folder.path().join("00000000000000000042.spill"), later).unwrap();
    let limits = Limits {
        disk: 1 << 20,
        memory: 1 << 20,
    };
    let error = Folder::open(folder.path())
        .unwrap()
        .look(limits)
        .unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
}
