//! The partitions that this process works on, and those that it has lost and still knows.

use super::{Watched, lock};
use crate::clock;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Instant,
};

/// A topic and the number of one of its partitions.
pub(crate) type Place = (Arc<str>, i32);

/// Who works on which partition, for those who ask.
///
/// What a partition held when it was lost is kept, so that there is an old answer until there is a
/// new one.
#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<BTreeMap<Place, Seat>>);

#[derive(Debug, Default)]
struct Seat {
    working: Option<Arc<Watched>>,
    lost: Option<Lost>,
}

/// The work on a partition as it was when it was lost.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) task: Arc<Watched>,
    pub(crate) since: Instant,
}

impl Seats {
    /// The work on a partition begins.
    pub(super) fn begin(&self, place: &Place, task: &Arc<Watched>) {
        let mut seats = lock(&self.0);
        seats.entry(place.clone()).or_default().working = Some(Arc::clone(task));
    }

    /// Its state is all there, so nobody needs to know an old one.
    pub(super) fn is_there(&self, place: &Place) {
        if let Some(seat) = lock(&self.0).get_mut(place) {
            seat.lost = None;
        }
    }

    /// The work ends.
    pub(super) fn end(&self, place: &Place, task: &Arc<Watched>) {
        let mut seats = lock(&self.0);
        let seat = seats.entry(place.clone()).or_default();
        seat.working.take_if(|working| Arc::ptr_eq(working, task));
        if task.is_at_work() {
            seat.lost = Some(Lost {
                task: Arc::clone(task),
                since: clock::now(),
            });
        }
    }

    /// Forgets what was lost, where `keep` is false.
    pub(crate) fn keep(&self, keep: impl Fn(&Place, &Lost) -> bool) {
        let mut seats = lock(&self.0);
        for (place, seat) in seats.iter_mut() {
            seat.lost.take_if(|lost| !keep(place, lost));
        }
        seats.retain(|_, seat| seat.working.is_some() || seat.lost.is_some());
    }

    /// The partitions of a topic that this process works on, by number.
    pub(crate) fn working(&self, topic: &str) -> Vec<(i32, Arc<Watched>)> {
        let seats = lock(&self.0);
        let of_topic = seats.range((Arc::from(topic), i32::MIN)..);
        let of_topic = of_topic.take_while(|((other, _), _)| **other == *topic);
        let working = of_topic.filter_map(|((_, partition), seat)| {
            let task = seat.working.clone()?;
            Some((*partition, task))
        });
        working.collect()
    }

    /// What this process knows of a partition: its state now, or the last one it had.
    pub(crate) fn known(&self, place: &Place) -> Option<(Arc<Watched>, Option<Instant>)> {
        let seats = lock(&self.0);
        let seat = seats.get(place)?;
        let working = seat.working.as_ref().filter(|task| task.is_at_work());
        let working = working.map(|task| (Arc::clone(task), None));
        working.or_else(|| {
            let lost = seat.lost.clone()?;
            Some((lost.task, Some(lost.since)))
        })
    }
}
