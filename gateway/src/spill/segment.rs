//! The head of a segment file, and the checkpoint file: which records need not be replayed.

use super::ranges::Ranges;
use footfall_protocol::Timestamp;

/// The version of the folder's formats. A later one may be refused by an earlier gateway, never the other way round.
const VERSION: u32 = 1;
const SEGMENT_MAGIC: [u8; 8] = *b"FFSPILL\n";
const CHECKPOINT_MAGIC: [u8; 8] = *b"FFCHECK\n";
/// Magic, version, first ordinal, time, checksum.
pub(crate) const HEADER: usize = 8 + 4 + 8 + 8 + 4;
/// The most ranges in a checkpoint; what is beyond is replayed once more after a crash.
const MAX_RANGES: usize = 4096;

/// What a segment file starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The ordinal of its first frame.
    pub(crate) first: u64,
    /// When it was begun.
    pub(crate) begun: Timestamp,
}

/// Why a file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("its head is damaged")]
    Damaged,
    #[error("it has version {0} of the format; this gateway reads version {VERSION}")]
    Newer(u32),
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = begin(SEGMENT_MAGIC);
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.begun.as_millis().to_le_bytes());
        seal(bytes)
    }

    /// Reads the header at the start of a file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let head = bytes.get(..HEADER).unwrap_or(bytes);
        let fields = open(head, SEGMENT_MAGIC)?;
        match numbers(fields)[..] {
            [first, begun] => Ok(Self {
                first,
                begun: Timestamp::from_millis(begun.cast_signed()),
            }),
            _ => Err(Unreadable::Damaged),
        }
    }
}

/// Encodes the ranges of records that need not be replayed.
pub(crate) fn encode_checkpoint(done: &Ranges) -> Vec<u8> {
    let mut bytes = begin(CHECKPOINT_MAGIC);
    for (start, end) in done.iter().take(MAX_RANGES) {
        bytes.extend_from_slice(&start.to_le_bytes());
        bytes.extend_from_slice(&end.to_le_bytes());
    }
    seal(bytes)
}

/// Reads a checkpoint file.
pub(crate) fn read_checkpoint(bytes: &[u8]) -> Result<Ranges, Unreadable> {
    let fields = open(bytes, CHECKPOINT_MAGIC)?;
    let mut done = Ranges::default();
    for pair in numbers(fields).chunks(2) {
        match *pair {
            [start, end] if start < end => done.insert(start, end),
            _ => return Err(Unreadable::Damaged),
        }
    }
    Ok(done)
}

fn begin(magic: [u8; 8]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes
}

fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// What is between version and checksum, if all is right.
fn open(bytes: &[u8], magic: [u8; 8]) -> Result<&[u8], Unreadable> {
    let damaged = Unreadable::Damaged;
    let rest = bytes.strip_prefix(&magic).ok_or(damaged)?;
    let (version, rest) = rest.split_first_chunk().ok_or(damaged)?;
    let (fields, sum) = rest.split_last_chunk().ok_or(damaged)?;
    // The version comes before the checksum, which a later version may place elsewhere.
    match u32::from_le_bytes(*version) {
        VERSION => {}
        newer @ 2..=0xFFFF => return Err(Unreadable::Newer(newer)),
        _ => return Err(damaged),
    }
    if crc32fast::hash(&bytes[..bytes.len() - 4]) != u32::from_le_bytes(*sum) {
        return Err(damaged);
    }
    Ok(fields)
}

fn numbers(fields: &[u8]) -> Vec<u64> {
    let (whole, _) = fields.as_chunks();
    whole
        .iter()
        .map(|bytes| u64::from_le_bytes(*bytes))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_header_is_read_as_it_was_written_and_a_later_version_is_told_apart() {
        let header = Header {
            first: 42,
            begun: Timestamp::from_millis(1_764_000_000_000),
        };
        let mut bytes = header.encode();
        assert_eq!(bytes.len(), HEADER);
        bytes.extend_from_slice(b"frames");
        assert_eq!(Header::read(&bytes), Ok(header));
        bytes[8] = 2;
        assert_eq!(Header::read(&bytes), Err(Unreadable::Newer(2)));
    }

    proptest! {
        #[test]
        fn a_checkpoint_is_read_as_it_was_written_or_not_at_all(
            parts in prop::collection::vec((0_u64..1000, 1_u64..50), 0..20),
            at in any::<prop::sample::Index>(),
            bit in 0_u32..8,
        ) {
            let mut done = Ranges::default();
            for (start, len) in parts {
                done.insert(start, start + len);
            }
            let mut bytes = encode_checkpoint(&done);
            prop_assert_eq!(read_checkpoint(&bytes), Ok(done));
            let at = at.index(bytes.len());
            prop_assert!(read_checkpoint(&bytes[..at]).is_err());
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(read_checkpoint(&bytes).is_err());
        }

        #[test]
        fn any_bytes_are_no_header_and_no_checkpoint(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(Header::read(&bytes).is_err() && read_checkpoint(&bytes).is_err());
        }
    }
}
