use super::{MAX_RECORDS, Pace};
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
    records: usize,
    /// Accepted events come first.
    pub(super) events: usize,
    left: usize,
    /// A bit for each record that is no longer on its way.
    settled: [u64; MAX_RECORDS / 64],
}

#[derive(Debug)]
pub(super) enum Origin {
    Live {
        /// The records, as long as a copy of them may be needed.
        request: Option<Arc<Outgoing>>,
        /// The ordinal of the first record's copy in the spill.
        copy: Option<u64>,
        /// Wants to know whether Kafka has taken all of them.
        waiter: Option<oneshot::Sender<bool>>,
    },
    Replay {
        /// The ordinal of the first record.
        first: u64,
        pace: Pace,
    },
}

impl Flight {
    pub(super) fn new(records: usize, events: usize, started: Instant, origin: Origin) -> Self {
        Self {
            started,
            origin,
            records,
            events,
            left: records,
            settled: [0; MAX_RECORDS / 64],
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    pub(super) fn topic(&self, index: usize) -> Topic {
        if index < self.events {
            Topic::Events
        } else {
            Topic::Rejected
        }
    }

    /// A record is no longer on its way; false when that is known, or there is none.
    pub(super) fn settle(&mut self, index: usize) -> bool {
        if index >= self.records || self.is_settled(index) {
            return false;
        }
        self.settled[index / 64] |= 1 << (index % 64);
        self.left -= 1;
        true
    }

    fn is_settled(&self, index: usize) -> bool {
        self.settled[index / 64] & 1 << (index % 64) != 0
    }

    /// Tells who waits: at the first failure, or when all is over.
    pub(super) fn tell(&mut self, failed: bool, over: bool) {
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
        let (records, settled) = (self.records, self.settled);
        let Origin::Live { request, copy, .. } = &mut self.origin else {
            return;
        };
        let Some(request) = request.take() else {
            return;
        };
        let ordinals: Vec<_> = request
            .messages()
            .map(|message| log.copy(&message))
            .collect();
        debug_assert_eq!(ordinals.len(), records);
        for (index, ordinal) in ordinals.iter().enumerate() {
            if settled[index / 64] & 1 << (index % 64) != 0 {
                log.copy_done(*ordinal);
            }
        }
        *copy = ordinals.first().copied();
    }
}
