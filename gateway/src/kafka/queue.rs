use super::Weight;
use crate::{
    outgoing::{Outgoing, Topic},
    sink::Unavailable,
};
use footfall_protocol::batch::MAX_EVENTS;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A record costs the client about this much beside its key and value; it bounds the number of records.
const BYTES_PER_RECORD: usize = 256;

/// Counts what waits for Kafka, and lets in whole requests only.
#[derive(Debug)]
pub(super) struct Queue {
    max_bytes: usize,
    max_records: usize,
    state: Mutex<State>,
}

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Depth {
    /// Accepted events.
    pub(super) events: usize,
    /// Records of both topics.
    pub(super) records: usize,
    /// Bytes of their keys and values.
    pub(super) bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    depth: Depth,
    closed: bool,
}

impl Queue {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            max_records: (max_bytes / BYTES_PER_RECORD).max(MAX_EVENTS),
            state: Mutex::default(),
        }
    }

    /// Lets a request in, or refuses all of it.
    pub(super) fn enter(&self, outgoing: &Outgoing) -> Result<(), Unavailable> {
        let mut state = self.lock();
        if state.closed {
            return Err(Unavailable::Closed);
        }
        let after = Depth {
            events: state.depth.events + outgoing.events(),
            records: state.depth.records + outgoing.records(),
            bytes: state.depth.bytes + outgoing.bytes(),
        };
        if after.bytes > self.max_bytes || after.records > self.max_records {
            return Err(Unavailable::Full);
        }
        state.depth = after;
        Ok(())
    }

    /// Takes a request back of which nothing was sent.
    pub(super) fn leave_all(&self, outgoing: &Outgoing) {
        let mut state = self.lock();
        state.depth.events -= outgoing.events();
        state.depth.records -= outgoing.records();
        state.depth.bytes -= outgoing.bytes();
    }

    /// One record no longer waits.
    pub(super) fn leave(&self, weight: Weight) {
        let mut state = self.lock();
        state.depth.events -= usize::from(weight.topic == Topic::Events);
        state.depth.records -= 1;
        state.depth.bytes -= weight.bytes;
    }

    /// Lets nothing in from now on.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    pub(super) fn depth(&self) -> Depth {
        self.lock().depth
    }

    /// Whether there is room at all.
    pub(super) fn has_room(&self) -> bool {
        let state = self.lock();
        !state.closed
            && state.depth.bytes < self.max_bytes
            && state.depth.records < self.max_records
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole once it is written, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
