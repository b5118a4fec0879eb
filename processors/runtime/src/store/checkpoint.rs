//! Up to where a store has a changelog, and whether that can still be built on.

use std::time::Duration;

/// Compaction leaves deletions in place for `delete.retention.ms`, a day by default. Who has not
/// looked for longer may have missed one.
const OLDEST: Duration = Duration::from_hours(12);
const VERSION: u8 = 1;
const LENGTH: usize = 1 + 8 + 8 + 4 + 8;

/// Up to where a store has a changelog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The newest record in it.
    pub(crate) last: Mark,
    /// No record after that one is older than this: milliseconds since the Unix epoch.
    pub(crate) fresh_at: i64,
}

/// How a record is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) offset: i64,
    /// Milliseconds since the Unix epoch, as Kafka has it.
    pub(crate) timestamp: i64,
    /// CRC-32 of key and value.
    sum: u32,
}

/// Why a store's content is not built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("it is older than deletions are kept")]
    Old,
    #[error("the changelog has lost the record it ends with, or is another one")]
    Unproven,
}

impl Mark {
    pub(crate) fn of(offset: i64, timestamp: i64, key: &[u8], value: Option<&[u8]>) -> Self {
        let mut sum = crc32fast::Hasher::new();
        sum.update(key);
        sum.update(&[u8::from(value.is_some())]);
        sum.update(value.unwrap_or_default());
        Self {
            offset,
            timestamp,
            sum: sum.finalize(),
        }
    }
}

impl Checkpoint {
    /// Whether it may be built on, at `now` (milliseconds since the Unix epoch). What is read from
    /// its last record on must begin with that very record: a changelog that was made anew has
    /// another one there, or none, and one that was compacted beyond it may have none.
    ///
    /// # Errors
    /// When it must not.
    pub(crate) fn check_age(&self, now: i64) -> Result<(), Unusable> {
        let oldest = i64::try_from(OLDEST.as_millis()).unwrap_or(i64::MAX);
        // A clock that was set back says nothing about age.
        if (-oldest..oldest).contains(&now.saturating_sub(self.fresh_at)) {
            Ok(())
        } else {
            Err(Unusable::Old)
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.last.offset.to_le_bytes());
        bytes[9..17].copy_from_slice(&self.last.timestamp.to_le_bytes());
        bytes[17..21].copy_from_slice(&self.last.sum.to_le_bytes());
        bytes[21..].copy_from_slice(&self.fresh_at.to_le_bytes());
        bytes
    }

    /// None when the bytes are none of this version.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([VERSION], rest) = bytes.split_first_chunk()? else {
            return None;
        };
        let (offset, rest) = rest.split_first_chunk()?;
        let (timestamp, rest) = rest.split_first_chunk()?;
        let (sum, rest) = rest.split_first_chunk()?;
        let fresh_at = <[u8; 8]>::try_from(rest).ok()?;
        Some(Self {
            last: Mark {
                offset: i64::from_le_bytes(*offset),
                timestamp: i64::from_le_bytes(*timestamp),
                sum: u32::from_le_bytes(*sum),
            },
            fresh_at: i64::from_le_bytes(fresh_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            last: Mark::of(41, 77, b"key", Some(b"value")),
            fresh_at: 1_764_000_000_000,
        }
    }

    #[test]
    fn a_checkpoint_is_what_it_was() {
        let checkpoint = checkpoint();
        let bytes = checkpoint.to_bytes();
        assert_eq!(Checkpoint::from_bytes(&bytes), Some(checkpoint));
        assert_eq!(Checkpoint::from_bytes(&bytes[1..]), None);
        assert_eq!(Checkpoint::from_bytes(&[]), None);
        let newer = [&[VERSION + 1], &bytes[1..]].concat();
        assert_eq!(Checkpoint::from_bytes(&newer), None);
    }

    #[test]
    fn a_checkpoint_is_of_use_for_twelve_hours() {
        let checkpoint = checkpoint();
        let after = |time| checkpoint.check_age(checkpoint.fresh_at + time);
        assert_eq!(after(0), Ok(()));
        assert_eq!(after(12 * HOUR - 1), Ok(()));
        assert_eq!(after(12 * HOUR), Err(Unusable::Old));
        assert_eq!(after(-HOUR), Ok(()));
        assert_eq!(after(-13 * HOUR), Err(Unusable::Old));
    }

    #[test]
    fn a_mark_knows_every_part_of_its_record() {
        let mark = Mark::of(41, 77, b"key", Some(b"value"));
        let others = [
            Mark::of(42, 77, b"key", Some(b"value")),
            Mark::of(41, 78, b"key", Some(b"value")),
            Mark::of(41, 77, b"kez", Some(b"value")),
            Mark::of(41, 77, b"key", Some(b"valuf")),
            Mark::of(41, 77, b"key", None),
        ];
        assert!(!others.contains(&mark));
        let (empty, deleted) = (Mark::of(1, 2, b"", Some(b"")), Mark::of(1, 2, b"", None));
        assert_ne!(empty, deleted);
    }
}
