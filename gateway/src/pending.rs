//! Everything that was accepted and has not met its end: what is on its way to Kafka, and what lies in the spill.
//! Decides where a request goes and what becomes of each record; does no I/O and reads no clock.

mod again;
mod flight;
mod lanes;
mod replay;
mod settling;
mod taking;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use lanes::Lane;
pub(crate) use replay::{Pace, Replay};
pub(crate) use settling::{Failure, Fate, Over, Returned};
pub(crate) use taking::Taken;
pub(crate) use token::{MAX_RECORDS, Token};

use crate::{outgoing::Topic, spill::Log};
use again::Again;
use flight::Flight;
use lanes::Lanes;
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
    /// When a partition has acknowledged nothing for so long, it is as good as away.
    pub(crate) patience: Duration,
    /// For how long a record is tried, where no spill takes it; `None`: for as long as the gateway runs.
    pub(crate) message_timeout: Option<Duration>,
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
    lanes: Lanes,
    /// How many partitions the topic of accepted events has; 0: not known yet.
    partitions: usize,
    again: Again,
    log: Option<Log>,
    /// Flights below this one have been copied to the spill, as far as they had to be.
    copied: usize,
    /// Kafka is away: requests go to the spill.
    outage: bool,
    /// Kafka was away, or has given a record back, and has taken nothing since. What is sent again then goes a run at a
    /// time: were one given back while a later one is taken, keys would lose their order.
    probing: bool,
    /// Nothing is sent any more.
    finished: bool,
    /// Why Kafka takes no records of a topic, though it is there: accepted events, rejected ones.
    trouble: [Option<String>; 2],
    /// Whether the newest request was refused.
    refused: bool,
    closed: bool,
    /// Nothing is replayed any more.
    halted: bool,
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
            lanes: Lanes::default(),
            partitions: 0,
            again: Again::default(),
            copied: 0,
            probing: false,
            finished: false,
            trouble: [None, None],
            // Until Kafka has been reached nobody knows whether it is there.
            outage: log.is_some(),
            log,
            refused: false,
            closed: false,
            halted: false,
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

    /// Why Kafka takes no records of a topic, though it is there.
    pub(crate) fn trouble(&self, topic: Topic) -> Option<&str> {
        self.trouble[index_of(topic)].as_deref()
    }

    /// The topic is there again.
    pub(crate) fn forget_trouble(&mut self, topic: Topic) {
        self.trouble[index_of(topic)] = None;
    }

    /// The partitions of accepted events that take nothing.
    pub(crate) fn stuck_partitions(&self) -> Vec<i32> {
        self.lanes.stuck_partitions().flatten().collect()
    }

    /// Whether requests may go to the spill.
    fn spills(&self) -> bool {
        self.log.is_some() && !self.rules.delivered
    }

    /// Looks whether Kafka takes what it is given. What it no longer takes is copied to the spill. `partitions`: how many
    /// there are; 0: not known yet.
    pub(crate) fn watch(&mut self, reachable: bool, partitions: usize, now: Instant) {
        self.partitions = partitions;
        let turned = self.lanes.watch(self.rules.patience, now);
        if turned.freed
            && let Some(log) = &mut self.log
        {
            log.release();
        }
        self.outage = !reachable || (self.spills() && self.is_behind());
        self.probing |= self.outage;
        if !self.spills() {
            return;
        }
        if self.outage || turned.stuck {
            self.copy_all();
        } else {
            self.copy_old(now);
        }
    }

    /// Copies what has been on its way for too long, so that a crash does not lose it.
    fn copy_old(&mut self, now: Instant) {
        let Some(log) = &mut self.log else {
            return;
        };
        for (id, flight) in self.flights.range_mut(self.copied..) {
            if now.saturating_duration_since(flight.started) <= self.rules.patience {
                break;
            }
            flight.copy_to(log);
            self.copied = id + 1;
        }
    }

    /// Whether what an earlier run has left is still being read: everything new waits behind it.
    fn is_behind(&self) -> bool {
        self.log.as_ref().is_some_and(Log::is_behind)
    }

    /// Whether nothing more can be sent for now: all has arrived, or waits for what takes nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.outage || (self.again.is_empty() && self.lanes.moving().records == 0)
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
        self.copied = self.next_flight;
    }

    /// Takes nothing more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Sends nothing more from the spill.
    pub(crate) fn halt(&mut self) {
        self.halted = true;
    }

    /// Sends nothing any more, and copies what is on its way to the spill, so that it can be taken back from Kafka's client.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
        if self.spills() {
            self.copy_all();
        }
    }
}

fn index_of(topic: Topic) -> usize {
    match topic {
        Topic::Events => 0,
        Topic::Rejected => 1,
    }
}
