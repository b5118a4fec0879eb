use std::fmt;

/// A topic that every process reads as a whole, for its tasks to look at: the newest value of each
/// key, whatever partition a task works on.
pub trait GlobalTable: fmt::Debug + std::marker::Send + Sync {
    /// The topic.
    fn topic(&self) -> &str;

    /// Forgets all rows; what follows is the topic from its beginning.
    fn clear(&self);

    /// Takes the next record of the topic. A `value` that is missing deletes the row.
    ///
    /// # Errors
    /// When the rows need more memory than they may; this one is not taken.
    fn change(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), TableFull>;

    /// How large it is.
    fn size(&self) -> TableSize;
}

/// How large a table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableSize {
    /// Keys that have a value.
    pub rows: usize,
    /// What they need, in bytes.
    pub bytes: usize,
}

/// A table that has no room for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull {
    /// What its rows may need, in bytes.
    pub max_bytes: usize,
}

impl fmt::Display for TableFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_bytes } = self;
        write!(
            f,
            "its rows need more than the {max_bytes} bytes that `max_bytes` allows"
        )
    }
}

impl std::error::Error for TableFull {}
