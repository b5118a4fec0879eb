//! The work on one partition: each stream that reads it, one after the other.

use crate::{
    Definition, State, Unusable, aggregate::Place, changelog, output, reject, repartition,
};
use footfall_task::{Effects, Kind, Outgoing, Partition, Record, RestoreError, Task, Timestamp};
use std::sync::Arc;

/// The work of a [`Topology`](crate::Topology) on one partition.
#[derive(Debug)]
pub struct StreamsTask {
    partition: Partition,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// Brings records to the partition of their new key.
    Rekey {
        definition: Arc<Definition>,
        topic: Arc<str>,
    },
    /// Counts them.
    Count(Box<Counting>),
}

#[derive(Debug)]
struct Counting {
    definition: Arc<Definition>,
    changelog: Arc<str>,
    shape: String,
    state: State,
    saved_stream_time: Option<i64>,
}

impl StreamsTask {
    /// The work of these streams on a partition of `topic`.
    pub(crate) fn new(
        group: &str,
        streams: &[Arc<Definition>],
        topic: &str,
        partition: Partition,
    ) -> Self {
        let steps = streams.iter().filter_map(|definition| {
            let repartition = definition.repartition(group);
            let counted = if definition.rekeyed {
                &repartition
            } else {
                &definition.from
            };
            if **counted == *topic {
                Some(Step::Count(Box::new(Counting::new(group, definition))))
            } else if *definition.from == *topic {
                Some(Step::Rekey {
                    definition: Arc::clone(definition),
                    topic: repartition,
                })
            } else {
                None
            }
        });
        Self {
            partition,
            steps: steps.collect(),
        }
    }

    /// The windows of a stream, if this partition holds them.
    #[must_use]
    pub fn state(&self, stream: &str) -> Option<&State> {
        self.counting()
            .find(|counting| &*counting.definition.name == stream)
            .map(|counting| &counting.state)
    }

    fn counting(&self) -> impl Iterator<Item = &Counting> {
        self.steps.iter().filter_map(|step| match step {
            Step::Count(counting) => Some(&**counting),
            Step::Rekey { .. } => None,
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
                changelog::restore(&mut counting.state, &counting.shape, key, value)?;
                counting.saved_stream_time = counting.state.stream_time();
            }
        }
        Ok(())
    }

    fn process(&mut self, record: &Record<'_>, effects: &mut Effects) {
        for step in &mut self.steps {
            match step {
                Step::Rekey { definition, topic } => rekey(definition, topic, record, effects),
                Step::Count(counting) => counting.process(record, effects),
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

fn rekey(definition: &Definition, topic: &Arc<str>, source: &Record<'_>, effects: &mut Effects) {
    match definition.extract.extract(source) {
        Ok(Some(found)) => {
            let record = repartition::wrap(topic, found.key, found.time, source);
            effects.send(&definition.name, Kind::Repartition, record);
        }
        Ok(None) => {}
        Err(why) => reject::unusable(definition, source, why, effects),
    }
}

impl Counting {
    fn new(group: &str, definition: &Arc<Definition>) -> Self {
        Self {
            changelog: definition.changelog(group),
            shape: definition.shape(),
            state: State::new(definition),
            saved_stream_time: None,
            definition: Arc::clone(definition),
        }
    }

    fn process(&mut self, record: &Record<'_>, effects: &mut Effects) {
        if !self.definition.rekeyed {
            return self.count(record, effects);
        }
        match repartition::unwrap(record) {
            Some(source) => self.count(&source, effects),
            None => {
                let why = Unusable::undecodable(
                    "expected a record that this stream had re-keyed, found one of another origin",
                );
                reject::unusable(&self.definition, record, why, effects);
            }
        }
    }

    fn count(&mut self, source: &Record<'_>, effects: &mut Effects) {
        let found = match self.definition.extract.extract(source) {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(why) => return reject::unusable(&self.definition, source, why, effects),
        };
        let time = found.time.0;
        let place = Place {
            time,
            offset: source.offset.0,
            partition: source.partition.0,
        };
        let refusing = self.state.add(&found.key, place, &found.inputs);
        if !refusing.is_empty() {
            let stream_time = self.state.stream_time().unwrap_or(time);
            let late_by_ms = stream_time.saturating_sub(time);
            reject::late(&self.definition, source, &refusing, late_by_ms, effects);
        }
    }

    fn commit(&mut self, partition: Partition, effects: &mut Effects) {
        let definition = &self.definition;
        let stream_time = self.state.stream_time();
        let commit = self.state.commit();
        for result in &commit.results {
            let record = Outgoing {
                topic: Arc::clone(&definition.to),
                partition: None,
                timestamp: Some(Timestamp(result.newest)),
                key: Some(output::key(result)),
                value: Some(output::value(result, &definition.aggregates).into_bytes()),
                headers: Vec::new(),
            };
            effects.send(&definition.name, Kind::Output, record);
        }
        let mut change = |key, value| {
            let record = Outgoing {
                topic: Arc::clone(&self.changelog),
                partition: Some(partition),
                // Not event time: brokers roll and delete by it, and a changelog must outlive that.
                timestamp: None,
                key: Some(key),
                value,
                headers: Vec::new(),
            };
            effects.send(&definition.name, Kind::Change, record);
        };
        for (start, key, pane) in commit.changed {
            let value = changelog::pane_value(pane);
            change(changelog::pane_key(start, &key), Some(value));
        }
        for (start, key) in commit.gone {
            change(changelog::pane_key(start, &key), None);
        }
        if let Some(time) = stream_time
            && self.saved_stream_time != stream_time
        {
            let value = changelog::clock_value(time, &self.shape);
            change(changelog::clock_key(), Some(value));
            self.saved_stream_time = stream_time;
        }
    }
}
