use crate::{Codec, Extract, Function, Join, Span, Windows};
use footfall_task::{Start, Timestamp};
use std::sync::Arc;

/// One stream: what it reads, how it counts, and where its results go.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name, in the names of its internal topics.
    pub name: Arc<str>,
    /// From 1; another one begins anew, with internal topics of its own.
    pub version: u32,
    /// The topic it reads.
    pub from: Arc<str>,
    /// Where it begins to read, when it is new.
    pub start: Start,
    /// What is put into records before anything else looks at them.
    pub joins: Vec<Join>,
    /// What a record is to it.
    pub extract: Arc<dyn Extract>,
    /// Whether the key is another than the record's own, so that records must first be brought to
    /// the partition of their new key.
    pub rekeyed: bool,
    /// Its windows.
    pub windows: Windows,
    /// What it computes, in the order of its output.
    pub aggregates: Vec<Aggregation>,
    /// When it says its results.
    pub emit: Emit,
    /// How long no record may come before the wall clock closes the windows that hold any; left
    /// out, only event time closes windows.
    pub idle_timeout: Option<Span>,
    /// How far a record's event time may be ahead of the wall clock; one that is further is set
    /// aside, because it would make all that follow it late. Left out: any distance.
    pub max_ahead: Option<Span>,
    /// How long, by event time, a record's id is remembered, to leave out records that have it,
    /// too.
    pub dedupe: Option<Span>,
    /// Where its results go.
    pub to: Arc<str>,
    /// How they are written.
    pub codec: Codec,
    /// Where records go that come too late; left out: they are only counted.
    pub late: Option<Arc<str>>,
    /// Where records go that it cannot use; left out: they are only counted.
    pub dlq: Option<Arc<str>>,
}

/// A named aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregation {
    /// Its name in the output.
    pub name: Arc<str>,
    /// What it computes.
    pub function: Function,
    /// Over which field, in words, e.g. a JSON pointer; empty for `count`.
    pub field: Arc<str>,
}

impl Aggregation {
    /// As it is written: `count()`, `sum(/properties/amount)`, `top(/page/url, 10)`.
    #[must_use]
    pub fn expression(&self) -> String {
        let parameters = self.function.parameters();
        let field = (!self.field.is_empty()).then(|| self.field.to_string());
        let arguments: Vec<_> = field.into_iter().chain(parameters).collect();
        format!("{}({})", self.function.name(), arguments.join(", "))
    }
}

/// When a stream says its results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Emit {
    /// At each commit, the windows that have changed since the last one.
    Updates,
    /// Once for each window, when it closes.
    Final,
    /// Both, so that the last result of a window is told from those before.
    Both,
}

impl Emit {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Updates => "updates",
            Self::Final => "final",
            Self::Both => "both",
        }
    }

    /// Whether it says what has changed at each commit.
    #[must_use]
    pub const fn says_updates(self) -> bool {
        matches!(self, Self::Updates | Self::Both)
    }

    /// Whether it says what a window held when it closes.
    #[must_use]
    pub const fn says_finals(self) -> bool {
        matches!(self, Self::Final | Self::Both)
    }
}

impl Definition {
    /// The topic that brings records to the partition of their new key.
    #[must_use]
    pub fn repartition(&self, group: &str) -> Arc<str> {
        format!("{group}-{}-repartition", self.id()).into()
    }

    /// The topic whose records it counts: its source, or, when it has another key than that, its
    /// repartition topic.
    #[must_use]
    pub fn counted(&self, group: &str) -> Arc<str> {
        if self.rekeyed {
            self.repartition(group)
        } else {
            Arc::clone(&self.from)
        }
    }

    /// The topic that holds its state.
    #[must_use]
    pub fn changelog(&self, group: &str) -> Arc<str> {
        format!("{group}-{}-changelog", self.id()).into()
    }

    /// Whether a record of this time is too far ahead of the wall clock.
    pub(crate) fn is_ahead(&self, time: Timestamp, now: Timestamp) -> bool {
        let limit = self.max_ahead.map(Span::as_millis);
        limit.is_some_and(|limit| time.0 > now.0.saturating_add(limit))
    }

    /// Its name, and from the second version on that: what its internal topics, its state and its
    /// place in the source are known by.
    #[must_use]
    pub fn id(&self) -> Arc<str> {
        match self.version {
            ..=1 => Arc::clone(&self.name),
            version => format!("{}-v{version}", self.name).into(),
        }
    }
}
