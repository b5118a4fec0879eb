//! The work on one partition: each stream that reads it, one after the other.

mod aside;
mod counting;

use crate::{
    Definition, Route, Size, State, Topology, join::Joins, reject, repartition, route::Origins,
    state::Progress,
};
use aside::Aside;
use counting::Counting;
use footfall_task::{
    Effects, Kind, Offset, Partition, Record, Refusal, RestoreError, Send, Task, Timestamp,
    Upstream,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// The work of a [`Topology`] on one partition.
#[derive(Debug)]
pub struct StreamsTask {
    partition: Partition,
    steps: Vec<Step>,
    /// Records of which steps make dead letters and nothing else.
    aside: Aside,
}

#[derive(Debug)]
enum Step {
    /// Brings records to the partition of their new key.
    Rekey {
        definition: Arc<Definition>,
        joins: Joins,
        topic: Arc<str>,
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
        Self {
            partition,
            steps: steps.chain(routes).collect(),
            aside: Aside::default(),
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

    fn process(&mut self, record: &Record<'_>, now: Timestamp, effects: &mut Effects) {
        let refusals = self.aside.take(record.offset);
        for step in &mut self.steps {
            if let Some(refusal) = step.refused(&refusals) {
                step.refuse(record, refusal, effects);
                continue;
            }
            match step {
                Step::Rekey {
                    definition,
                    joins,
                    topic,
                } => rekey(definition, joins, topic, (record, now), effects),
                Step::Count(counting) => counting.process(record, now, effects),
                Step::Route {
                    route,
                    joins,
                    origins,
                } => route.process(joins, origins, record, effects),
            }
        }
    }

    fn set_aside(&mut self, offset: Offset, refusal: Refusal) {
        self.aside.put(offset, refusal);
    }

    fn refuse(&mut self, record: &Record<'_>, refusal: &Refusal, effects: &mut Effects) {
        let mut steps = self.steps.iter();
        if let Some(step) = steps.find(|step| *step.name() == refusal.stream) {
            step.refuse(record, refusal, effects);
        }
    }

    fn give_up(&mut self, result: &Send, refusal: &Refusal, effects: &mut Effects) {
        let mut counting = self.counting();
        let found = counting.find(|counting| *counting.definition.name == *refusal.stream);
        let dlq = found.and_then(|counting| counting.definition.dlq.as_ref());
        reject::result(dlq, result, self.partition, refusal, effects);
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

fn rekey(
    definition: &Definition,
    joins: &Joins,
    topic: &Arc<str>,
    (source, now): (&Record<'_>, Timestamp),
    effects: &mut Effects,
) {
    let extracted = joins.through(source, None, |record| definition.extract.extract(record));
    let checked = extracted.and_then(|found| match found {
        Some((found, rows)) => definition
            .check_key(&found.key)
            .map(|()| Some((found, rows))),
        None => Ok(None),
    });
    match checked {
        // Before a partition's stream time and the broker's own limit meet it.
        Ok(Some((found, _))) if definition.is_ahead(found.time, now) => {
            reject::ahead(definition, source, (found.time, now), effects);
        }
        Ok(Some((found, rows))) => {
            let record = repartition::wrap(topic, found.key, found.time, source, &rows);
            effects.send(&definition.name, Kind::Repartition, record);
        }
        Ok(None) => {}
        Err(why) => {
            let dlq = definition.dlq.as_ref();
            reject::unusable(&definition.name, dlq, source, why, effects);
        }
    }
}
