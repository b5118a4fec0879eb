//! Partitions that wait for the state that their predecessors have left.

use super::{Ground, partitions::Tasks};
use crate::{reader::Reads, restore::Restoration};
use anyhow::Context as _;
use footfall_task::{Processor, Task};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// How long restoring goes on before partitions that have their state are looked after.
const SLICE: Duration = Duration::from_millis(20);

/// Tasks that came together, and what is still to be read for them.
pub(super) struct Restoring<T> {
    tasks: Tasks<T>,
    unread: VecDeque<Changelog>,
}

/// Holds the state of a topic's partitions in the partitions of the same numbers.
struct Changelog {
    name: Arc<str>,
    topic: String,
    partitions: BTreeSet<i32>,
    reading: Option<Restoration>,
}

impl<T: Task> Restoring<T> {
    pub(super) fn new(tasks: Tasks<T>) -> Self {
        let mut unread = BTreeMap::<Arc<str>, Changelog>::new();
        for (topic, partitions) in &tasks {
            for (partition, running) in partitions {
                for name in running.task.changelogs() {
                    let changelog = unread.entry(Arc::clone(&name)).or_insert(Changelog {
                        name,
                        topic: topic.clone(),
                        partitions: BTreeSet::new(),
                        reading: None,
                    });
                    changelog.partitions.insert(*partition);
                }
            }
        }
        Self {
            tasks,
            unread: unread.into_values().collect(),
        }
    }

    /// The tasks.
    pub(super) fn tasks(&mut self) -> &mut Tasks<T> {
        &mut self.tasks
    }

    /// The changelog that is read now, or next, if any.
    pub(super) fn awaited(&self) -> Option<&str> {
        self.unread.front().map(|changelog| &*changelog.name)
    }

    /// Goes on for a short while, and says whether all tasks have their state.
    ///
    /// # Errors
    /// When a changelog cannot be read, or is not what the tasks expect.
    pub(super) fn go_on<P>(&mut self, ground: &Ground<P>) -> anyhow::Result<bool>
    where
        P: Processor<Task = T>,
    {
        let is_given_away = self.tasks.values().all(BTreeMap::is_empty);
        let Some(first) = self.unread.front_mut().filter(|_| !is_given_away) else {
            return Ok(true);
        };
        if first.go_on(ground, &mut self.tasks)? {
            self.unread.pop_front();
        }
        Ok(self.unread.is_empty())
    }
}

impl Changelog {
    fn go_on<P: Processor>(
        &mut self,
        ground: &Ground<P>,
        tasks: &mut Tasks<P::Task>,
    ) -> anyhow::Result<bool> {
        let name = &self.name;
        let reading = match &mut self.reading {
            Some(reading) => reading,
            none => {
                let config = ground.config.observer();
                let reader = ground.reader(Reads::Changelogs);
                let partitions = &self.partitions;
                none.insert(Restoration::begin(
                    (&config, &reader),
                    name,
                    partitions,
                    ground.store.as_ref(),
                    &ground.metrics,
                )?)
            }
        };
        reading.go_on(SLICE, |partition, key, value| {
            let partitions = tasks.get_mut(&self.topic);
            let owner = partitions.and_then(|running| running.get_mut(&partition));
            // Its partition may have been given away since.
            let Some(running) = owner else { return Ok(()) };
            let restored = running.task.restore(name, key, value);
            restored.with_context(|| format!("changelog `{name}`, partition {partition}"))
        })
    }
}
