use crate::{Offset, Partition};
use std::sync::Arc;

/// How far a partition upstream of a task is read.
///
/// The end was asked for first, so that a partition with `read >= end` had nothing unread at that
/// moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its number.
    pub partition: Partition,
    /// Where reading goes on: what all records before have brought about is written. Left out when
    /// that is not known.
    pub read: Option<Offset>,
    /// Where the partition ended, if Kafka could tell.
    pub end: Option<Offset>,
}
