//! What a record is to a stream.

use crate::Input;
use footfall_task::{DeadLetterCode, Record, Timestamp};
use std::fmt;

/// Reads records for a stream.
pub trait Extract: fmt::Debug + Send + Sync {
    /// What the stream needs of a record; `None` when it is not for this stream.
    ///
    /// # Errors
    /// When it is for this stream and cannot be used.
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable>;

    /// The same of a record that [`extract`](Self::extract) has taken before, and whose key and time
    /// are known from there.
    ///
    /// # Errors
    /// As above.
    fn complete(
        &self,
        record: &Record<'_>,
        key: &[u8],
        time: Timestamp,
    ) -> Result<Option<Extracted>, Unusable> {
        let found = self.extract(record)?;
        Ok(found.map(|found| Extracted {
            key: key.to_vec(),
            time,
            ..found
        }))
    }

    /// What it does, for people: each step with its name. State belongs to what is said here, so it
    /// must say all that decides what is read, and the same thing in the same words for ever.
    fn describe(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What a stream needs of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// What it is grouped by.
    pub key: Vec<u8>,
    /// Its event time, 0 or later.
    pub time: Timestamp,
    /// What each aggregate reads of it, in their order.
    pub inputs: Vec<Input>,
    /// What duplicates of it are known by; without one it has none.
    pub id: Option<Vec<u8>>,
}

/// Why a record cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// For programs.
    pub code: DeadLetterCode,
    /// For people: what was expected and what was found.
    pub reason: String,
}

impl Unusable {
    /// The record has no key to group it by.
    #[must_use]
    pub fn null_key(expected: &str) -> Self {
        Self {
            code: DeadLetterCode::NullKey,
            reason: format!("expected {expected}, found none"),
        }
    }

    /// The record has no time that could place it in a window.
    #[must_use]
    pub fn no_timestamp(reason: impl Into<String>) -> Self {
        Self {
            code: DeadLetterCode::NoTimestamp,
            reason: reason.into(),
        }
    }

    /// The value is not what the stream reads.
    #[must_use]
    pub fn undecodable(reason: impl Into<String>) -> Self {
        Self {
            code: DeadLetterCode::Undecodable,
            reason: reason.into(),
        }
    }

    /// No row of a table belongs to the record.
    #[must_use]
    pub fn no_row(table: &str) -> Self {
        Self {
            code: DeadLetterCode::NoRow,
            reason: format!("expected a row of table `{table}` for this record, found none"),
        }
    }

    /// A field that should be a number is none.
    #[must_use]
    pub fn not_a_number(reason: impl Into<String>) -> Self {
        Self {
            code: DeadLetterCode::NotANumber,
            reason: reason.into(),
        }
    }
}

/// The record's own key and timestamp, and nothing of its value.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsIs;

impl Extract for AsIs {
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable> {
        Ok(Some(Extracted {
            key: own_key(record)?.to_vec(),
            time: own_time(record)?,
            inputs: Vec::new(),
            id: None,
        }))
    }
}

/// The record's own key.
///
/// # Errors
/// `null_key` when it has none.
pub fn own_key<'a>(record: &Record<'a>) -> Result<&'a [u8], Unusable> {
    record
        .key
        .ok_or_else(|| Unusable::null_key("a record with a key"))
}

/// The record's own timestamp.
///
/// # Errors
/// `no_timestamp` when it has none, or one before the epoch.
pub fn own_time(record: &Record<'_>) -> Result<Timestamp, Unusable> {
    record.timestamp.filter(|time| time.0 >= 0).ok_or_else(|| {
        let found = record
            .timestamp
            .map_or("none".into(), |time| format!("{time}"));
        let expected = "a record with a timestamp of 0 or later";
        Unusable::no_timestamp(format!("expected {expected}, found {found}"))
    })
}
