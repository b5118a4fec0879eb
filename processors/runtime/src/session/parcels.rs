//! What is on its way to Kafka, by the partition that it comes from.

use crate::writer::{Care, Failure, Item};
use footfall_task::{Cause, Effects, Kind, Offset, Send};
use std::sync::Arc;

/// What is being written, and where the records end that it came from.
#[derive(Default)]
pub(super) struct Underway(pub(super) Vec<Portion>);

/// That of one partition.
pub(super) struct Portion {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// The first record that it came from, and how many those are.
    pub(super) begin: Option<Offset>,
    pub(super) count: usize,
    pub(super) next: Option<Offset>,
    pub(super) parcels: Vec<Parcel>,
    pub(super) counted: Vec<(Arc<str>, Kind)>,
}

/// One record to write.
pub(super) struct Parcel {
    pub(super) send: Send,
    pub(super) care: Care,
    is_written: bool,
}

/// Where a parcel is: its portion, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) portion: usize,
    pub(super) parcel: usize,
}

/// What is written before what, where there is no transaction around all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Results, for they may be refused because of any record that is in them.
    Results,
    /// What comes of one record alone.
    Records,
    /// Changes of state, so that a result whose window is gone from the state has been said.
    Changes,
}

impl Stage {
    pub(super) const ALL: [Self; 3] = [Self::Results, Self::Records, Self::Changes];

    fn of(send: &Send) -> Self {
        match (send.kind, send.cause) {
            (Kind::Change, _) => Self::Changes,
            (Kind::Output, Cause::Recent | Cause::Time) => Self::Results,
            (
                Kind::Output
                | Kind::Late
                | Kind::Ahead
                | Kind::Duplicate
                | Kind::DeadLetter(_)
                | Kind::Repartition,
                _,
            ) => Self::Records,
        }
    }
}

impl Parcel {
    pub(super) fn of(send: Send) -> Self {
        Self {
            send,
            care: Care::None,
            is_written: false,
        }
    }
}

impl Portion {
    pub(super) fn is_of(&self, topic: &str, partition: i32) -> bool {
        self.topic == topic && self.partition == partition
    }

    /// What was written, or is to be written by somebody else.
    pub(super) fn into_effects(self) -> Effects {
        Effects {
            sends: self.parcels.into_iter().map(|parcel| parcel.send).collect(),
            counted: self.counted,
        }
    }

    /// Puts what stands for a parcel in its place.
    pub(super) fn replace(&mut self, parcel: usize, effects: Effects) {
        let sends = effects.sends.into_iter().map(Parcel::of);
        self.parcels.splice(parcel..=parcel, sends);
        self.counted.extend(effects.counted);
    }
}

impl Underway {
    /// What is not written yet, in order, of one stage or of all.
    pub(super) fn items(&self, stage: Option<Stage>) -> (Vec<Item<'_>>, Vec<Spot>) {
        let mut items = Vec::new();
        let mut spots = Vec::new();
        for (portion, held) in self.0.iter().enumerate() {
            for (
                parcel,
                Parcel {
                    send,
                    care,
                    is_written,
                },
            ) in held.parcels.iter().enumerate()
            {
                if !is_written && stage.is_none_or(|stage| Stage::of(send) == stage) {
                    items.push(Item {
                        record: &send.record,
                        care: *care,
                    });
                    spots.push(Spot { portion, parcel });
                }
            }
        }
        (items, spots)
    }

    /// Remembers that all of these are written but those that failed.
    pub(super) fn mark(&mut self, spots: &[Spot], failures: &[Failure]) {
        let mut written = vec![true; spots.len()];
        for failure in failures {
            written[failure.index] = false;
        }
        for (spot, is_written) in spots.iter().zip(written) {
            self.0[spot.portion].parcels[spot.parcel].is_written = is_written;
        }
    }

    /// The offsets that the group does not know yet. What the clock has brought about goes with the
    /// last one, so that the group can refuse it from who has lost the partition.
    pub(super) fn offsets(&self) -> impl Iterator<Item = (&str, i32, Offset)> {
        let portions = self.0.iter();
        portions
            .filter_map(|portion| Some((portion.topic.as_str(), portion.partition, portion.next?)))
    }

    /// Where reading goes on in each partition.
    pub(super) fn places(&self) -> Vec<Place> {
        let portions = self.0.iter();
        let places = portions.map(|portion| Place {
            topic: portion.topic.clone(),
            partition: portion.partition,
            next: portion.next,
        });
        places.collect()
    }
}

/// Up to where the records of a partition are done.
pub(super) struct Place {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) next: Option<Offset>,
}
