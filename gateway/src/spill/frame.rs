//! One record as it lies in a segment: a head of fixed size, then a body. `docs/spill.md` has the table.

use crate::outgoing::{Message, Topic};
use footfall_protocol::Timestamp;

/// Starts every frame. 0xFF is in no UTF-8 text, so no visitor can send what looks like a frame.
const MARKER: [u8; 4] = [0xFF, b'F', b'F', 0xFE];
/// Marker, length of the body, ordinal, checksum.
const HEAD: usize = 4 + 4 + 8 + 4;

const HAS_KEY: u8 = 1;
const HAS_TRACEPARENT: u8 = 2;

/// A record, and its place in the whole log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Counts up by one from frame to frame, over all segments.
    pub(crate) ordinal: u64,
    pub(crate) message: Message<'a>,
    /// Of the whole frame, in bytes.
    pub(crate) len: usize,
}

/// What is next in a segment's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Frame(Frame<'a>),
    /// So many bytes that are no frame, up to the next one or the end.
    Damage(usize),
}

/// Appends a frame. A value is at most as long as Kafka's client takes it, so the lengths fit.
pub(crate) fn append(buffer: &mut Vec<u8>, ordinal: u64, message: &Message<'_>) {
    let start = buffer.len();
    buffer.extend_from_slice(&MARKER);
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(&ordinal.to_le_bytes());
    buffer.extend_from_slice(&[0; 4]);
    append_body(buffer, message);
    let len = length(buffer.len() - start - HEAD);
    buffer[start + 4..start + 8].copy_from_slice(&len.to_le_bytes());
    let sum = checksum(&buffer[start..]);
    buffer[start + 16..start + HEAD].copy_from_slice(&sum.to_le_bytes());
}

/// The frames in some bytes, with the damage between them.
pub(crate) fn read(mut bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        if let Some(frame) = first(bytes) {
            bytes = &bytes[frame.len..];
            return Some(Item::Frame(frame));
        }
        let damage = (1..bytes.len())
            .find(|&at| first(&bytes[at..]).is_some())
            .unwrap_or(bytes.len());
        bytes = &bytes[damage..];
        Some(Item::Damage(damage))
    })
}

/// The frame that starts here, if there is a whole and right one.
fn first(bytes: &[u8]) -> Option<Frame<'_>> {
    let head = bytes.first_chunk::<HEAD>()?;
    if !head.starts_with(&MARKER) {
        return None;
    }
    let mut fields = Fields(&head[4..]);
    let len = usize::try_from(u32::from_le_bytes(fields.array()?)).ok()?;
    let ordinal = u64::from_le_bytes(fields.array()?);
    let sum = u32::from_le_bytes(fields.array()?);
    let whole = bytes.get(..HEAD.checked_add(len)?)?;
    if checksum(whole) != sum {
        return None;
    }
    let message = read_body(&whole[HEAD..])?;
    Some(Frame {
        ordinal,
        message,
        len: whole.len(),
    })
}

/// CRC-32 of everything but the marker and the checksum itself.
fn checksum(frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[4..16]);
    hasher.update(&frame[HEAD..]);
    hasher.finalize()
}

fn append_body(buffer: &mut Vec<u8>, message: &Message<'_>) {
    buffer.push(match message.topic {
        Topic::Events => 0,
        Topic::Rejected => 1,
    });
    let has_key = message.key.map_or(0, |_| HAS_KEY);
    let has_traceparent = message.traceparent.map_or(0, |_| HAS_TRACEPARENT);
    buffer.push(has_key | has_traceparent);
    buffer.extend_from_slice(&message.timestamp.as_millis().to_le_bytes());
    let texts = [message.key, message.traceparent.map(str::as_bytes)];
    for text in texts.into_iter().flatten() {
        buffer.extend_from_slice(&length(text.len()).to_le_bytes());
        buffer.extend_from_slice(text);
    }
    buffer.extend_from_slice(message.value);
}

fn read_body(body: &[u8]) -> Option<Message<'_>> {
    let mut fields = Fields(body);
    let [topic, flags] = fields.array()?;
    let topic = match topic {
        0 => Topic::Events,
        1 => Topic::Rejected,
        _ => return None,
    };
    if flags & !(HAS_KEY | HAS_TRACEPARENT) != 0 {
        return None;
    }
    let timestamp = Timestamp::from_millis(i64::from_le_bytes(fields.array()?));
    let key = fields.text_if(flags & HAS_KEY != 0)?;
    let traceparent = fields.text_if(flags & HAS_TRACEPARENT != 0)?;
    Some(Message {
        topic,
        key,
        value: fields.0,
        timestamp,
        traceparent: match traceparent {
            Some(text) => Some(std::str::from_utf8(text).ok()?),
            None => None,
        },
    })
}

/// What is left to be read of a head or a body.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    /// `Some(None)`: it is not there, and need not be.
    fn text_if(&mut self, is_there: bool) -> Option<Option<&'a [u8]>> {
        if !is_there {
            return Some(None);
        }
        let len = usize::try_from(u32::from_le_bytes(self.array()?)).ok()?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(Some(text))
    }
}

fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message<'a>(
        key: Option<&'a str>,
        traceparent: Option<&'a str>,
        value: &'a str,
    ) -> Message<'a> {
        Message {
            topic: if value.len().is_multiple_of(2) {
                Topic::Events
            } else {
                Topic::Rejected
            },
            key: key.map(str::as_bytes),
            value: value.as_bytes(),
            timestamp: Timestamp::from_millis(1_764_000_000_001),
            traceparent,
        }
    }

    fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
        read(bytes)
            .filter_map(|item| match item {
                Item::Frame(frame) => Some(frame),
                Item::Damage(_) => None,
            })
            .collect()
    }

    #[test]
    fn between_two_damaged_stretches_the_frame_is_found() {
        let mut bytes = b"damage".to_vec();
        append(&mut bytes, 7, &message(None, Some("00-1-2-01"), "[]"));
        bytes.extend_from_slice(&MARKER);
        let items: Vec<_> = read(&bytes).collect();
        assert_eq!(items[0], Item::Damage(6));
        assert!(matches!(&items[1], Item::Frame(frame) if frame.ordinal == 7));
        assert_eq!(items[2..], [Item::Damage(4)]);
    }

    type Texts = Vec<(Option<String>, Option<String>, String)>;

    fn texts() -> impl Strategy<Value = Texts> {
        let text = || prop::option::of("[a-zé]{0,6}");
        prop::collection::vec((text(), text(), "[a-z\u{0}é]{0,40}"), 1..6)
    }

    fn encode(texts: &Texts) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (ordinal, (key, traceparent, value)) in texts.iter().enumerate() {
            append(
                &mut bytes,
                ordinal as u64,
                &message(key.as_deref(), traceparent.as_deref(), value),
            );
        }
        bytes
    }

    proptest! {
        #[test]
        fn what_is_appended_is_read(texts in texts()) {
            let bytes = encode(&texts);
            let found = frames(&bytes);
            prop_assert_eq!(found.len(), texts.len());
            for (ordinal, (frame, (key, traceparent, value))) in found.iter().zip(&texts).enumerate() {
                prop_assert_eq!(frame.ordinal, ordinal as u64);
                prop_assert_eq!(&frame.message, &message(key.as_deref(), traceparent.as_deref(), value));
            }
        }

        #[test]
        fn cut_off_anywhere_the_frames_before_are_read_and_no_other(texts in texts(), cut in any::<prop::sample::Index>()) {
            let bytes = encode(&texts);
            let whole = frames(&bytes);
            let cut = cut.index(bytes.len());
            let found = frames(&bytes[..cut]);
            prop_assert_eq!(&found[..], &whole[..found.len()]);
        }

        #[test]
        fn one_flipped_bit_loses_one_frame_and_makes_none(texts in texts(), at in any::<prop::sample::Index>(), bit in 0_u32..8) {
            let bytes = encode(&texts);
            let whole = frames(&bytes);
            let mut damaged = bytes.clone();
            damaged[at.index(bytes.len())] ^= 1_u8 << bit;
            let found = frames(&damaged);
            prop_assert_eq!(found.len(), whole.len() - 1);
            prop_assert!(found.iter().all(|frame| whole.contains(frame)));
        }

        #[test]
        fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(frames(&bytes).is_empty());
            let covered: usize = read(&bytes).map(|item| match item {
                Item::Damage(len) => len,
                Item::Frame(_) => 0,
            }).sum();
            prop_assert_eq!(covered, bytes.len());
        }
    }
}
