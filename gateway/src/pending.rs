//! Everything that was accepted and has not met its end: what is on its way to Kafka, and what lies in the spill.
//! Decides where a request goes and what becomes of each record; does no I/O and reads no clock.

mod flight;
#[cfg(test)]
mod tests;

use crate::{
    metrics::Dropped,
    outgoing::{Message, Outgoing, Topic},
    sink::{Receipt, Unavailable},
    spill::{Log, log::Due},
};
use flight::{Flight, Origin};
use footfall_protocol::batch::MAX_EVENTS;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// A record costs the client about this much beside its key and value; it bounds the number of records.
const BYTES_PER_RECORD: usize = 256;
/// A record costs the log at most this much beside its key, its value and its `traceparent`.
const BYTES_PER_FRAME: usize = 64;
/// The most records in a flight, so that a place in one fits into a token.
pub(crate) const MAX_RECORDS: usize = 512;
const _: () = assert!(MAX_EVENTS <= MAX_RECORDS);
/// The most bytes of replayed records on their way at once: live ones queue behind them.
const REPLAY_WINDOW: usize = 1 << 20;
/// How long until records that failed are tried again.
const REPLAY_RETRY: Duration = Duration::from_secs(1);

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

/// Names a record on its way; it travels through librdkafka in a pointer's place, so it costs no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(usize);

impl Token {
    pub(crate) fn new(flight: usize, index: usize) -> Self {
        Self(flight * MAX_RECORDS + index)
    }

    pub(crate) fn pack(self) -> usize {
        self.0
    }

    pub(crate) fn unpack(packed: usize) -> Self {
        Self(packed)
    }

    fn flight(self) -> usize {
        self.0 / MAX_RECORDS
    }

    fn index(self) -> usize {
        self.0 % MAX_RECORDS
    }
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

/// Where a request that was taken goes.
#[derive(Debug)]
pub(crate) enum Taken {
    /// To Kafka: the caller sends it.
    Send {
        flight: usize,
        request: Arc<Outgoing>,
        receipt: Receipt,
    },
    /// It lies in the spill.
    Spilled { events: usize },
}

/// Why Kafka's client did not deliver a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The record itself is at fault, e.g. its length: it will never be taken.
    OfRecord,
    /// The gateway is stopping and took it back.
    Purged,
    /// Anything else.
    Other,
}

/// How records are replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// In batches, which Kafka takes or refuses whole.
    Together,
    /// Each in a batch of its own, so that it is known which one is at fault.
    Alone,
}

/// What is to be replayed next.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) due: Due,
    /// In bytes.
    pub(crate) budget: usize,
    pub(crate) pace: Pace,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Kafka has it.
    Produced {
        topic: Topic,
        replayed: bool,
    },
    /// It lies in the spill now.
    Spilled(Topic),
    /// It lies in the spill as before.
    Kept,
    Dropped(Topic, Dropped),
    /// Its end was told before.
    Unknown,
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

    /// Decides where a request goes, all of it.
    ///
    /// # Errors
    /// When there is no room for it, or the gateway is stopping.
    pub(crate) fn take(&mut self, request: Outgoing, now: Instant) -> Result<Taken, Unavailable> {
        if self.closed {
            return Err(Unavailable::Closed);
        }
        let fits = self.fits(&request);
        let spilled = match &mut self.log {
            Some(log)
                if !self.rules.delivered && (self.outage || !fits || is_behind(log, &request)) =>
            {
                log.has_room(request.bytes() + request.records() * BYTES_PER_FRAME)
                    .then(|| {
                        request.messages().for_each(|message| log.append(&message));
                        Taken::Spilled {
                            events: request.events(),
                        }
                    })
            }
            _ => fits.then(|| self.take_off(request, now)),
        };
        self.refused = spilled.is_none();
        spilled.ok_or(Unavailable::Full)
    }

    fn fits(&self, request: &Outgoing) -> bool {
        let bytes = self.depth.bytes.saturating_add(request.bytes());
        bytes <= self.rules.queue_bytes
            && self.depth.records + request.records() <= self.max_records()
    }

    fn max_records(&self) -> usize {
        (self.rules.queue_bytes / BYTES_PER_RECORD).max(MAX_EVENTS)
    }

    fn take_off(&mut self, request: Outgoing, now: Instant) -> Taken {
        self.depth.events += request.events();
        self.depth.records += request.records();
        self.depth.bytes += request.bytes();
        let request = Arc::new(request);
        let (waiter, receipt) = if self.rules.delivered && request.records() > 0 {
            let (tell, heard) = oneshot::channel();
            (Some(tell), Receipt::pending(heard))
        } else {
            (None, Receipt::taken())
        };
        let copied = self.log.is_some() && !self.rules.delivered;
        let origin = Origin::Live {
            request: copied.then(|| request.clone()),
            copy: None,
            waiter,
        };
        let flight = self.launch(Flight::new(
            request.records(),
            request.events(),
            now,
            origin,
        ));
        Taken::Send {
            flight,
            request,
            receipt,
        }
    }

    fn launch(&mut self, flight: Flight) -> usize {
        let id = self.next_flight;
        self.next_flight += 1;
        if !flight.is_over() {
            self.flights.insert(id, flight);
        }
        id
    }

    /// Takes a request back of which nothing was sent.
    pub(crate) fn take_back(&mut self, flight: usize, request: &Outgoing) {
        if self.flights.remove(&flight).is_some() {
            self.depth.events -= request.events();
            self.depth.records -= request.records();
            self.depth.bytes -= request.bytes();
        }
    }

    /// Kafka has a record. Says when its flight began, if it was the last of it.
    pub(crate) fn delivered(
        &mut self,
        token: Token,
        key: Option<&[u8]>,
        bytes: usize,
    ) -> (Fate, Option<Instant>) {
        let Some(landed) = self.land(token, bytes, false) else {
            return (Fate::Unknown, None);
        };
        let topic = landed.topic;
        let replayed = match (landed.place, &mut self.log) {
            (Place::Replayed(ordinal, _), Some(log)) => {
                log.done(ordinal, topic, key);
                true
            }
            (Place::Copied(ordinal), Some(log)) => {
                log.copy_done(ordinal);
                false
            }
            _ => false,
        };
        (Fate::Produced { topic, replayed }, landed.over_since)
    }

    /// Kafka's client gives a record back.
    pub(crate) fn failed(
        &mut self,
        token: Token,
        message: &Message<'_>,
        failure: Failure,
        now: Instant,
    ) -> Fate {
        let bytes = message.bytes();
        let Some(landed) = self.land(token, bytes, true) else {
            return Fate::Unknown;
        };
        let topic = landed.topic;
        let spills = !self.rules.delivered;
        match (landed.place, &mut self.log) {
            (Place::Replayed(ordinal, pace), Some(log)) => {
                match (failure, pace) {
                    (Failure::OfRecord, Pace::Alone) => {
                        log.done(ordinal, topic, message.key);
                        return Fate::Dropped(topic, Dropped::DeliveryFailed);
                    }
                    (Failure::OfRecord, Pace::Together) => {
                        self.alone_until = self.alone_until.max(ordinal + 1);
                    }
                    (Failure::Purged | Failure::Other, _) => {
                        self.replay_at = Some(now + REPLAY_RETRY);
                    }
                }
                log.give_back(ordinal);
                Fate::Kept
            }
            (Place::Copied(ordinal), Some(log)) => {
                log.adopt(ordinal, topic, message.key);
                Fate::Spilled(topic)
            }
            (Place::Queue, Some(log)) if spills => {
                if !log.has_room(bytes + BYTES_PER_FRAME) {
                    return Fate::Dropped(topic, Dropped::SpillFull);
                }
                let message = Message { topic, ..*message };
                log.append(&message);
                Fate::Spilled(topic)
            }
            _ if failure == Failure::Purged => Fate::Dropped(topic, Dropped::Shutdown),
            _ => Fate::Dropped(topic, Dropped::DeliveryFailed),
        }
    }

    /// Notes that a record is no longer on its way.
    fn land(&mut self, token: Token, bytes: usize, failed: bool) -> Option<Landed> {
        let flight = self.flights.get_mut(&token.flight())?;
        let index = token.index();
        if !flight.settle(index) {
            return None;
        }
        self.depth.records -= 1;
        self.depth.bytes -= bytes;
        let topic = flight.topic(index);
        let place = match &flight.origin {
            Origin::Replay { first, pace } => {
                self.replaying = self.replaying.saturating_sub(bytes);
                Place::Replayed(first + index as u64, *pace)
            }
            Origin::Live { copy, .. } => {
                self.depth.events -= usize::from(topic == Topic::Events);
                copy.map_or(Place::Queue, |first| Place::Copied(first + index as u64))
            }
        };
        let over = flight.is_over();
        flight.tell(failed, over);
        let over_since = over.then_some(flight.started);
        if over {
            self.flights.remove(&token.flight());
        }
        Some(Landed {
            topic,
            place,
            over_since,
        })
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

    fn copy_all(&mut self) {
        let Some(log) = &mut self.log else {
            return;
        };
        for flight in self.flights.values_mut() {
            flight.copy_to(log);
        }
    }

    /// What is to be replayed now, if anything.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Replay> {
        let budget = self.replay_budget(now);
        if budget == 0 {
            return None;
        }
        let mut due = self.log.as_mut()?.due()?;
        let pace = if due.from < self.alone_until {
            due.until = due.until.min(self.alone_until);
            Pace::Alone
        } else {
            Pace::Together
        };
        // Two ways at a time would lose the order of keys.
        if pace != self.pace && self.replaying > 0 {
            return None;
        }
        self.pace = pace;
        Some(Replay { due, budget, pace })
    }

    /// How many bytes may be replayed now.
    fn replay_budget(&self, now: Instant) -> usize {
        let waits = self.outage
            || self.halted
            || self.is_behind()
            || self.replay_at.is_some_and(|at| now < at);
        if waits {
            0
        } else {
            REPLAY_WINDOW.saturating_sub(self.replaying)
        }
    }

    /// Records of one topic, with ordinals from `first` on, are about to be sent again.
    pub(crate) fn replay(
        &mut self,
        first: u64,
        records: usize,
        topic: Topic,
        bytes: usize,
        pace: Pace,
        now: Instant,
    ) -> usize {
        if let Some(log) = &mut self.log {
            log.send(first, first + records as u64);
        }
        self.depth.records += records;
        self.depth.bytes += bytes;
        self.replaying += bytes;
        let events = if topic == Topic::Events { records } else { 0 };
        let origin = Origin::Replay { first, pace };
        self.launch(Flight::new(records, events, now, origin))
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

    /// Whether a request has a good chance: the newest one was taken, or half of the room is free.
    pub(crate) fn has_room(&self) -> bool {
        let half = self.rules.queue_bytes / 2;
        let half_free = match &self.log {
            Some(log) if !self.rules.delivered => log.has_room(half),
            _ => self.depth.bytes <= half && self.depth.records <= self.max_records() / 2,
        };
        !self.closed && !self.is_full() && (!self.refused || half_free)
    }

    /// Whether there is no room for anything.
    pub(crate) fn is_full(&self) -> bool {
        match &self.log {
            Some(log) if !self.rules.delivered => !log.has_room(1),
            _ => {
                self.depth.bytes >= self.rules.queue_bytes
                    || self.depth.records >= self.max_records()
            }
        }
    }
}

/// Whether an older event with a key of this request waits in the log.
fn is_behind(log: &Log, request: &Outgoing) -> bool {
    log.events() > 0
        && request.messages().any(|message| {
            message.topic == Topic::Events && message.key.is_some_and(|key| log.has_key(key))
        })
}

struct Landed {
    topic: Topic,
    place: Place,
    /// When its flight began, if this was its last record.
    over_since: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Place {
    Queue,
    Copied(u64),
    Replayed(u64, Pace),
}
