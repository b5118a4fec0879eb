use super::{Lane, MAX_RECORDS, Pace};
use crate::{
    outgoing::{Outgoing, Topic},
    spill::Log,
};
use std::{sync::Arc, time::Instant};
use tokio::sync::oneshot;

/// Records that were sent together: those of a request, or some from the spill.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) started: Instant,
    pub(super) origin: Origin,
    /// Where each record goes.
    lanes: Vec<Lane>,
    /// How many are accepted events.
    pub(super) events: usize,
    events_left: usize,
    left: usize,
    /// A bit for each record that has met its end.
    settled: [u64; MAX_RECORDS / 64],
}

#[derive(Debug)]
pub(super) enum Origin {
    Live {
        request: Arc<Outgoing>,
        /// The ordinal of the first record's copy in the spill.
        copy: Option<u64>,
        /// Wants to know whether Kafka has taken all events.
        waiter: Option<oneshot::Sender<bool>>,
    },
    Replay {
        /// The ordinal of each record.
        ordinals: Vec<u64>,
        pace: Pace,
    },
}

impl Flight {
    pub(super) fn new(lanes: Vec<Lane>, started: Instant, origin: Origin) -> Self {
        let events = lanes.iter().filter(|lane| **lane != Lane::Rejected).count();
        Self {
            started,
            origin,
            left: lanes.len(),
            lanes,
            events,
            events_left: events,
            settled: [0; MAX_RECORDS / 64],
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Where a record goes that has not met its end; `None` when it has, or there is none.
    pub(super) fn lane(&self, index: usize) -> Option<Lane> {
        let lane = self.lanes.get(index)?;
        (!self.is_settled(index)).then_some(*lane)
    }

    /// A record that was given back takes another way.
    pub(super) fn redirect(&mut self, index: usize, lane: Lane) {
        if let Some(place) = self.lanes.get_mut(index) {
            *place = lane;
        }
    }

    pub(super) fn is_replay(&self) -> bool {
        matches!(self.origin, Origin::Replay { .. })
    }

    /// A record has met its end.
    pub(super) fn settle(&mut self, index: usize, topic: Topic) {
        self.settled[index / 64] |= 1 << (index % 64);
        self.left -= 1;
        self.events_left -= usize::from(topic == Topic::Events);
    }

    fn is_settled(&self, index: usize) -> bool {
        self.settled[index / 64] & 1 << (index % 64) != 0
    }

    /// Tells who waits: when an event has failed, or when all of them have arrived.
    pub(super) fn tell(&mut self, failed: bool) {
        let over = self.events_left == 0;
        if let Origin::Live { waiter, .. } = &mut self.origin
            && (failed || over)
            && let Some(waiter) = waiter.take()
        {
            // Whoever waited may be gone: `ack_timeout` is over, or the connection is.
            let _heard = waiter.send(!failed);
        }
    }

    /// Copies the records of a request to the log, once.
    pub(super) fn copy_to(&mut self, log: &mut Log) {
        let settled = self.settled;
        let Origin::Live { request, copy, .. } = &mut self.origin else {
            return;
        };
        if copy.is_some() {
            return;
        }
        let ordinals: Vec<_> = request
            .messages()
            .map(|message| log.copy(&message))
            .collect();
        for (index, ordinal) in ordinals.iter().enumerate() {
            if settled[index / 64] & 1 << (index % 64) != 0 {
                log.copy_done(*ordinal);
            }
        }
        *copy = ordinals.first().copied();
    }
}
