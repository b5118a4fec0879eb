//! Everything that was accepted and has not met its end: what is on its way to Kafka, and what lies in the spill.
//! Decides where a request goes and what becomes of each record; does no I/O and reads no clock.

mod flight;
mod replay;
mod settling;
mod taking;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use replay::{Pace, Replay};
pub(crate) use settling::{Failure, Fate, Over};
pub(crate) use taking::Taken;
pub(crate) use token::{MAX_RECORDS, Token};

use crate::spill::Log;
use flight::Flight;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A record costs the log at most this much beside its key, its value and its `traceparent`.
const BYTES_PER_FRAME: usize = 64;

/// What bounds it, and how it behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The most bytes of keys and values on their way to Kafka.
    pub(crate) queue_bytes: usize,
    /// Answers wait for Kafka's acknowledgement; nothing goes to the spill.
    pub(crate) delivered: bool,
    /// When the oldest record has been on its way for so long, Kafka is as good as away.
    pub(crate) patience: Duration,
}

/// What waits for Kafka in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Accepted events that the spill does not answer for.
    pub(crate) events: usize,
    /// Records of both topics, replayed ones too.
    pub(crate) records: usize,
    /// Bytes of their keys and values.
    pub(crate) bytes: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Pending {
    rules: Rules,
    flights: BTreeMap<usize, Flight>,
    next_flight: usize,
    depth: Depth,
    log: Option<Log>,
    /// Kafka is away, or as good as away: requests go to the spill.
    outage: bool,
    /// Whether the newest request was refused.
    refused: bool,
    closed: bool,
    /// Nothing is replayed any more.
    halted: bool,
    replaying: usize,
    replay_at: Option<Instant>,
    /// How what is being replayed was sent.
    pace: Pace,
    /// Below this ordinal a batch was refused: its records go alone.
    alone_until: u64,
}

impl Pending {
    pub(crate) fn new(rules: Rules, log: Option<Log>) -> Self {
        Self {
            rules,
            flights: BTreeMap::new(),
            next_flight: 0,
            depth: Depth::default(),
            // Until Kafka has been reached nobody knows whether it is there.
            outage: log.is_some(),
            log,
            refused: false,
            closed: false,
            halted: false,
            replaying: 0,
            replay_at: None,
            pace: Pace::Together,
            alone_until: 0,
        }
    }

    pub(crate) fn depth(&self) -> Depth {
        self.depth
    }

    pub(crate) fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    pub(crate) fn log_mut(&mut self) -> Option<&mut Log> {
        self.log.as_mut()
    }

    /// Looks whether Kafka takes what it is given. When it no longer does, what is on its way is copied to the spill.
    pub(crate) fn watch(&mut self, reachable: bool, now: Instant) {
        if self.log.is_none() || self.rules.delivered {
            self.outage = !reachable;
            return;
        }
        let oldest = self
            .flights
            .first_key_value()
            .map(|(_, flight)| flight.started);
        let is_stuck =
            oldest.is_some_and(|since| now.saturating_duration_since(since) > self.rules.patience);
        self.outage = !reachable || is_stuck || self.is_behind();
        if self.outage {
            self.copy_all();
        }
    }

    /// Whether what an earlier run has left is still being read: everything new waits behind it.
    fn is_behind(&self) -> bool {
        self.log.as_ref().is_some_and(Log::is_behind)
    }

    /// Whether requests go to the spill.
    pub(crate) fn is_outage(&self) -> bool {
        self.outage
    }

    fn launch(&mut self, flight: Flight) -> usize {
        let id = self.next_flight;
        self.next_flight += 1;
        if !flight.is_over() {
            self.flights.insert(id, flight);
        }
        id
    }

    fn copy_all(&mut self) {
        let Some(log) = &mut self.log else {
            return;
        };
        for flight in self.flights.values_mut() {
            flight.copy_to(log);
        }
    }

    /// Takes nothing more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Sends nothing more from the spill.
    pub(crate) fn halt(&mut self) {
        self.halted = true;
    }

    /// Copies what is on its way to the spill, so that it can be taken back from Kafka's client.
    pub(crate) fn rescue(&mut self) {
        if !self.rules.delivered {
            self.copy_all();
        }
    }
}
