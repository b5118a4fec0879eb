use crate::{Offset, Partition, Timestamp};

/// A record as it was read, borrowed from the client that read it.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Where it was read.
    pub topic: &'a str,
    /// Where it was read.
    pub partition: Partition,
    /// Where it was read.
    pub offset: Offset,
    /// As its producer or its broker set it, if either did.
    pub timestamp: Option<Timestamp>,
    /// A missing key is not the same as an empty one.
    pub key: Option<&'a [u8]>,
    /// A missing value is what compaction takes for a deletion.
    pub value: Option<&'a [u8]>,
    /// In the record's order; names may repeat.
    pub headers: Vec<Header<'a>>,
}

/// A header's name and value.
pub type Header<'a> = (&'a str, Option<&'a [u8]>);

impl<'a> Record<'a> {
    /// The value of the newest header with this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let newest = self.headers.iter().rev().find(|header| header.0 == name);
        newest.and_then(|header| header.1)
    }
}
