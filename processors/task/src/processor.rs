use crate::{Effects, GlobalTable, Offset, Partition, Reader, Record, Timestamp, Upstream};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Something that turns topics into other topics, one partition at a time.
pub trait Processor: std::marker::Send + Sync + 'static {
    /// Its work on one partition.
    type Task: Task;

    /// The topics it reads, and for each one those that must exist before it can be read.
    fn sources(&self) -> Vec<Source>;

    /// The topics that are read as a whole: to their ends before any source is, and on from there.
    fn tables(&self) -> Vec<Arc<dyn GlobalTable>> {
        Vec::new()
    }

    /// Those who read a topic, if it matters where each of them begins; none: all of its tasks begin
    /// where the group is, or at the earliest record.
    fn readers(&self, _topic: &str) -> Vec<Reader> {
        Vec::new()
    }

    /// Begins the work on one partition of a source, without any state yet.
    fn task(&self, topic: &str, partition: Partition) -> Self::Task;

    /// What it does, by the names of its parts: processes of one group must agree on it, or the
    /// partitions that one of them has are worked on in another way than the others'.
    fn definition(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Told of the effects that have been written, before their records' offsets are committed.
    fn written(&self, effects: &Effects);
}

/// The work on one partition.
pub trait Task {
    /// The changelogs whose partition of the same number holds this task's state.
    fn changelogs(&self) -> Vec<Arc<str>>;

    /// Takes one change of an earlier life from a changelog. A `value` that is missing deletes.
    ///
    /// # Errors
    /// When the change cannot belong to this task; its state would be wrong without it.
    fn restore(
        &mut self,
        changelog: &str,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), RestoreError>;

    /// Told once every change of its changelogs was taken, before the first record.
    ///
    /// # Errors
    /// When they do not come to a state of this task.
    fn restored(&mut self) -> Result<(), RestoreError> {
        Ok(())
    }

    /// Takes one record, at about `now` by the wall clock. Every record has its effects or its state;
    /// none stops the task.
    fn process(&mut self, record: &Record<'_>, now: Timestamp, effects: &mut Effects);

    /// The topics whose records come to this partition by way of other tasks of the processor.
    fn upstream(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// Whether it should be told how far those are read; if so, a [`look`](Self::look) follows that
    /// begins after this call.
    fn begin_look(&mut self) -> bool {
        false
    }

    /// Told how far every partition upstream is read, once all that had been written to this
    /// partition by then is processed. Returns whether there is something to commit because of that.
    fn look(&mut self, _upstream: &[Upstream]) -> bool {
        false
    }

    /// Told from where on [`process`](Self::process) is to give records to one of the topic's
    /// [`readers`](Processor::readers), which has had those before or does not want them. Without an
    /// offset, from none: for now it has them by [`catch_up`](Self::catch_up).
    fn reads_from(&mut self, _reader: &str, _offset: Option<Offset>) {}

    /// Takes a record that only this reader has not had, at about `now` by the wall clock.
    fn catch_up(
        &mut self,
        _reader: &str,
        _record: &Record<'_>,
        _now: Timestamp,
        _effects: &mut Effects,
    ) {
    }

    /// Told now and then, whether or not records come, what a clock shows that only goes forward;
    /// where it began says nothing. Returns whether there is something to commit because of that.
    fn tick(&mut self, _clock: Duration) -> bool {
        false
    }

    /// About how many effects a commit would bring about now, so that it comes before they are too
    /// many for memory.
    fn waiting(&self) -> usize {
        0
    }

    /// A changelog has lost what it held: what the next commit says must be all of that state.
    fn refill(&mut self, _changelog: &str) {}

    /// Says what has gathered since the last commit: coalesced results and changes of state.
    fn commit(&mut self, effects: &mut Effects);
}

/// A topic that is read, and what else must exist for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The topic.
    pub topic: Arc<str>,
    /// Topics with as many partitions as this one: outputs, changelogs, re-keyed records. One that
    /// is itself a [`Source`] is read as soon as it is there.
    pub beside: Vec<Internal>,
}

/// A topic that a processor writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Internal {
    /// Its name.
    pub topic: Arc<str>,
    /// What Kafka may remove of it.
    pub cleanup: Cleanup,
    /// Whether its partitions must be as many as the source's, because records are put into the
    /// partition of the same number.
    pub same_partitions: bool,
}

/// What Kafka may remove of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// What its owner likes; made to keep each record for a time, or for ever.
    Any,
    /// Nothing but records that a newer one of their key has replaced: it holds state.
    Replaced,
    /// Nothing but records that are old: each one of a key counts.
    Old,
}

/// A change in a changelog that cannot belong to the task that reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreError {
    /// What was expected there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl std::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { expected, found } = self;
        write!(f, "expected {expected}, found {found}")
    }
}

impl std::error::Error for RestoreError {}
