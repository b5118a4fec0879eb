//! Kafka records as a consumer sees them.

use serde_json::Value;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// Its key, if any.
    pub key: Option<Vec<u8>>,
    /// Its value, if any.
    pub value: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// The key as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    #[must_use]
    pub fn key_text(&self) -> Option<&str> {
        self.key
            .as_deref()
            .map(|key| std::str::from_utf8(key).expect("a key in UTF-8"))
    }

    /// The value as text.
    ///
    /// # Panics
    /// When there is none, or it is not UTF-8.
    #[must_use]
    pub fn value_text(&self) -> &str {
        std::str::from_utf8(self.value.as_deref().expect("a value")).expect("a value in UTF-8")
    }

    /// The value as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.value_text()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text of a header, if it is there.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(own, _)| own == name)?;
        std::str::from_utf8(value).ok()
    }
}
