//! The work on one partition: each stream that reads it, one after the other.

mod counting;

use crate::{Definition, Route, Size, State, Topology, join::Joins, reject, repartition};
use counting::Counting;
use footfall_task::{Effects, Kind, Offset, Partition, Record, RestoreError, Task};
use std::{sync::Arc, time::Duration};

/// The work of a [`Topology`] on one partition.
#[derive(Debug)]
pub struct StreamsTask {
    partition: Partition,
    steps: Vec<Step>,
    /// From where on each of them takes records; none while it catches up with the others.
    from: Vec<Option<Offset>>,
}

#[derive(Debug)]
enum Step {
    /// Brings records to the partition of their new key.
    Rekey {
        definition: Arc<Definition>,
        joins: Joins,
        topic: Arc<str>,
        /// The digest of how records are read.
        reading: u64,
    },
    /// Counts them.
    Count(Box<Counting>),
    /// Writes each to another topic.
    Route { route: Arc<Route>, joins: Joins },
}

impl StreamsTask {
    /// The work of these streams on a partition of `topic`.
    pub(crate) fn new(topology: &Topology, topic: &str, partition: Partition) -> Self {
        let group = topology.group();
        let steps = topology.streams().iter().filter_map(|definition| {
            let joins = || topology.joins(&definition.joins);
            if *definition.counted(group) == *topic {
                let counting = Counting::new(group, definition, joins());
                Some(Step::Count(Box::new(counting)))
            } else if *definition.from == *topic {
                Some(Step::Rekey {
                    definition: Arc::clone(definition),
                    joins: joins(),
                    topic: definition.repartition(group),
                    reading: definition.reading().digest(),
                })
            } else {
                None
            }
        });
        let routes = topology.routes().iter();
        let routes = routes.filter(|route| route.inlet(topic).is_some());
        let routes = routes.map(|route| Step::Route {
            joins: topology.joins(&route.joins),
            route: Arc::clone(route),
        });
        let steps: Vec<_> = steps.chain(routes).collect();
        Self {
            partition,
            from: vec![Some(Offset(0)); steps.len()],
            steps,
        }
    }

    /// The windows of a stream, if this partition holds them.
    #[must_use]
    pub fn state(&self, stream: &str) -> Option<&State> {
        self.counting()
            .find(|counting| &*counting.definition.name == stream)
            .map(|counting| &counting.state)
    }

    /// How much it holds of a stream, if this partition is where the stream counts.
    #[must_use]
    pub fn size(&self, stream: &str) -> Option<Size> {
        let mut counting = self.counting();
        let found = counting.find(|counting| &*counting.definition.name == stream);
        found.map(Counting::size)
    }

    fn counting(&self) -> impl Iterator<Item = &Counting> {
        self.steps.iter().filter_map(|step| match step {
            Step::Count(counting) => Some(&**counting),
            Step::Rekey { .. } | Step::Route { .. } => None,
        })
    }
}

impl Task for StreamsTask {
    fn changelogs(&self) -> Vec<Arc<str>> {
        self.counting()
            .map(|counting| Arc::clone(&counting.changelog))
            .collect()
    }

    fn restore(
        &mut self,
        changelog: &str,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), RestoreError> {
        for step in &mut self.steps {
            if let Step::Count(counting) = step
                && *counting.changelog == *changelog
            {
                counting.restore(key, value)?;
            }
        }
        Ok(())
    }

    fn restored(&mut self) -> Result<(), RestoreError> {
        for step in &mut self.steps {
            if let Step::Count(counting) = step {
                counting.restored()?;
            }
        }
        Ok(())
    }

    fn reads_from(&mut self, reader: &str, offset: Option<Offset>) {
        for (step, from) in self.steps.iter().zip(&mut self.from) {
            if step.is_of(reader) {
                *from = offset;
            }
        }
    }

    fn process(&mut self, record: &Record<'_>, effects: &mut Effects) {
        for (step, from) in self.steps.iter_mut().zip(&self.from) {
            if from.is_some_and(|from| from <= record.offset) {
                step.process(record, effects);
            }
        }
    }

    fn catch_up(&mut self, reader: &str, record: &Record<'_>, effects: &mut Effects) {
        let steps = self.steps.iter_mut();
        for step in steps.filter(|step| step.is_of(reader)) {
            step.process(record, effects);
        }
    }

    fn tick(&mut self, clock: Duration) -> bool {
        let mut is_due = false;
        for step in &mut self.steps {
            if let Step::Count(counting) = step {
                is_due |= counting.state.tick(clock);
            }
        }
        is_due
    }

    fn waiting(&self) -> usize {
        self.counting().map(Counting::waiting).sum()
    }

    fn commit(&mut self, effects: &mut Effects) {
        for step in &mut self.steps {
            if let Step::Count(counting) = step {
                counting.commit(self.partition, effects);
            }
        }
    }
}

impl Step {
    /// Whether it is that of this reader. Routes have no place of their own.
    fn is_of(&self, reader: &str) -> bool {
        match self {
            Self::Rekey { definition, .. } => *definition.id() == *reader,
            Self::Count(counting) => *counting.definition.id() == *reader,
            Self::Route { .. } => false,
        }
    }

    fn process(&mut self, record: &Record<'_>, effects: &mut Effects) {
        match self {
            Self::Rekey {
                definition,
                joins,
                topic,
                reading,
            } => rekey(definition, joins, (topic, *reading), record, effects),
            Self::Count(counting) => counting.process(record, effects),
            Self::Route { route, joins } => route.process(joins, record, effects),
        }
    }
}

fn rekey(
    definition: &Definition,
    joins: &Joins,
    (topic, reading): (&Arc<str>, u64),
    source: &Record<'_>,
    effects: &mut Effects,
) {
    match joins.through(source, None, |record| definition.extract.extract(record)) {
        Ok(Some((found, rows))) => {
            let record = repartition::wrap(topic, reading, found.key, found.time, source, &rows);
            effects.send(&definition.name, Kind::Repartition, record);
        }
        Ok(None) => {}
        Err(why) => {
            let dlq = definition.dlq.as_ref();
            reject::unusable(&definition.name, dlq, source, why, effects);
        }
    }
}
