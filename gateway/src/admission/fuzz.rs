//! Bodies that nobody would send on purpose, through everything that looks into them.
//!
//! They grow from the golden bodies and from what is in `corpus/`: bytes are changed, cut out, doubled and put elsewhere.

use super::admit;
use crate::{
    outgoing::Outgoing,
    testing::{NOW, arrival},
};
use footfall_protocol::{batch::Batch, record::Record};
use proptest::prelude::*;

const CORPUS: &[&[u8]] = &[
    include_bytes!("../../protocol/golden/v1/browser.json"),
    include_bytes!("../../protocol/golden/v1/server.json"),
    include_bytes!("corpus/duplicates.json"),
    include_bytes!("corpus/escapes.json"),
    include_bytes!("corpus/types.json"),
];

/// What JSON is made of, and what breaks it.
const PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b",",
    b":",
    b"\\",
    b"\\ud83d",
    b"\\u0000",
    b"null",
    b"-1",
    b"1e999",
    b"0.5",
    b"{}",
    b"\"id\":1,",
    b"\xff",
    b"\xed\xa0\x80",
    b"\0",
    b"\xf0\x9f\x98\x80",
    b" ",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(prop::sample::Index, &'static [u8]),
    Remove(prop::sample::Index, usize),
    Double(prop::sample::Index, usize),
    Set(prop::sample::Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), prop::sample::select(PIECES)).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (at(), 1_usize..40).prop_map(|(at, len)| Change::Remove(at, len)),
        (at(), 1_usize..200).prop_map(|(at, len)| Change::Double(at, len)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
    ]
}

fn changed(body: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut body = body.to_vec();
    for change in changes {
        let at = |index: &prop::sample::Index| index.index(body.len() + 1);
        let range = |start: usize, len: usize| start..(start + len).min(body.len());
        match change {
            Change::Insert(index, piece) => {
                let start = at(index);
                body.splice(start..start, piece.iter().copied());
            }
            Change::Remove(index, len) => {
                let range = range(at(index), *len);
                body.drain(range);
            }
            Change::Double(index, len) => {
                let range = range(at(index), *len);
                let copy = body[range.clone()].to_vec();
                body.splice(range.end..range.end, copy);
            }
            Change::Set(index, byte) => {
                let start = at(index);
                if let Some(old) = body.get_mut(start) {
                    *old = *byte;
                }
            }
        }
    }
    body
}

/// Every event of a batch has one fate, and every record can be read again.
fn check(body: &[u8]) {
    let Ok(batch) = Batch::read(body) else { return };
    let admitted = admit(&batch, &arrival(), 1 << 16);
    assert_eq!(
        admitted.accepted.len() + admitted.rejected.len(),
        batch.events.len()
    );
    let outgoing = Outgoing::encode(&batch, &admitted, NOW).unwrap();
    assert_eq!(outgoing.records(), batch.events.len());
    for (message, accepted) in outgoing.messages().zip(&admitted.accepted) {
        let read = Record::from_json(message.value).unwrap();
        assert_eq!(read.id, accepted.id);
        assert_eq!(
            read.properties.map(|own| own.as_str()),
            accepted.properties.map(|own| own.as_str())
        );
    }
}

#[test]
fn the_corpus_is_read() {
    for body in CORPUS {
        assert!(
            Batch::read(body).is_ok(),
            "{}",
            String::from_utf8_lossy(body)
        );
        check(body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_body_makes_the_gateway_panic_and_every_event_has_one_fate(
        body in prop::sample::select(CORPUS),
        changes in prop::collection::vec(change(), 0..6),
    ) {
        check(&changed(body, &changes));
    }
}
