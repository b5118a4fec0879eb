use std::sync::Arc;

/// One of several that read a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// What its place is known by; no other reader of the topic has this name.
    pub name: Arc<str>,
    /// Where it begins, when it is new.
    pub start: Start,
}

/// Where a new reader begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Start {
    /// At the earliest record that Kafka has.
    #[default]
    Earliest,
    /// Behind the records that there are when it first has the partition.
    Latest,
    /// Where the group is; it has no place of its own. Where the group has not been, the earliest.
    WithTheGroup,
}
