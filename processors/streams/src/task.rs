//! The work on one partition: each stream that reads it, one after the other.

mod counting;

use crate::{
    Definition, Route, Size, State, Topology, join::Joins, reject, repartition, route::Origins,
    state::Progress,
};
use counting::Counting;
use footfall_task::{
    Effects, Kind, Offset, Partition, Record, RestoreError, Task, Timestamp, Upstream,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

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
    Route {
        route: Arc<Route>,
        joins: Joins,
        origins: Origins,
    },
}

impl StreamsTask {
    /// The work of these streams on a partition of `topic`.
    pub(crate) fn new(topology: &Topology, topic: &str, partition: Partition) -> Self {
        let group = topology.group();
        let steps = topology.streams().iter().filter_map(|definition| {
            let joins = || topology.joins(&definition.joins);
            if *definition.counted(group) == *topic {
                let upstream = topology.upstream(definition);
                let has_routes = upstream.keys().any(|topic| *topic != definition.from);
                let progress = (!upstream.is_empty()).then(|| Progress::new(upstream, has_routes));
                let counting = Counting::new(group, definition, joins(), progress);
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
            origins: topology.origins(route),
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

    fn process(&mut self, record: &Record<'_>, now: Timestamp, effects: &mut Effects) {
        for (step, from) in self.steps.iter_mut().zip(&self.from) {
            if from.is_some_and(|from| from <= record.offset) {
                step.process(record, now, effects);
            }
        }
    }

    fn upstream(&self) -> Vec<Arc<str>> {
        let progress = self.counting().filter_map(|one| one.state.progress());
        let topics: BTreeSet<_> = progress.flat_map(Progress::topics).collect();
        topics.into_iter().map(Arc::clone).collect()
    }

    fn begin_look(&mut self) -> bool {
        let mut begins = false;
        for step in &mut self.steps {
            if let Step::Count(counting) = step {
                begins |= counting.state.begin_look();
            }
        }
        begins
    }

    fn look(&mut self, upstream: &[Upstream]) -> bool {
        let mut is_due = false;
        for step in &mut self.steps {
            if let Step::Count(counting) = step {
                is_due |= counting.state.look(upstream);
            }
        }
        is_due
    }

    fn catch_up(
        &mut self,
        reader: &str,
        record: &Record<'_>,
        now: Timestamp,
        effects: &mut Effects,
    ) {
        let steps = self.steps.iter_mut();
        for step in steps.filter(|step| step.is_of(reader)) {
            step.process(record, now, effects);
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

    fn refill(&mut self, changelog: &str) {
        for step in &mut self.steps {
            if let Step::Count(counting) = step
                && *counting.changelog == *changelog
            {
                counting.refill();
            }
        }
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

    fn process(&mut self, record: &Record<'_>, now: Timestamp, effects: &mut Effects) {
        match self {
            Self::Rekey {
                definition,
                joins,
                topic,
                reading,
            } => rekey(definition, joins, (topic, *reading), (record, now), effects),
            Self::Count(counting) => counting.process(record, now, effects),
            Self::Route {
                route,
                joins,
                origins,
            } => route.process(joins, origins, record, effects),
        }
    }
}

fn rekey(
    definition: &Definition,
    joins: &Joins,
    (topic, reading): (&Arc<str>, u64),
    (source, now): (&Record<'_>, Timestamp),
    effects: &mut Effects,
) {
    match joins.through(source, None, |record| definition.extract.extract(record)) {
        // Before a partition's stream time and the broker's own limit meet it.
        Ok(Some((found, _))) if definition.is_ahead(found.time, now) => {
            reject::ahead(definition, source, (found.time, now), effects);
        }
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
