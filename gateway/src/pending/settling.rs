//! What becomes of a record that Kafka has taken, or that its client gives back.

use super::{BYTES_PER_FRAME, Lane, Pace, Pending, Token, again, flight::Origin, index_of};
use crate::{
    metrics::Dropped,
    outgoing::{Message, Topic},
};
use std::time::Instant;

/// Why Kafka's client did not deliver a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The record itself is at fault, e.g. its length: it will never be taken.
    OfRecord,
    /// The record is at fault, or another one in its batch.
    OfBatch,
    /// It has waited for as long as `message.timeout.ms` allows.
    TimedOut,
    /// The gateway is stopping and took it back.
    Purged,
    /// Anything else, such as a topic that is missing: it may be taken later.
    Other,
}

/// A flight of which nothing is on its way any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    /// When it began.
    pub(crate) since: Instant,
    /// How many events came with it; none, where they came from the spill.
    pub(crate) events: usize,
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

impl Pending {
    /// Kafka has a record. Tells of its flight, if it was the last of it.
    pub(crate) fn delivered(
        &mut self,
        token: Token,
        key: Option<&[u8]>,
        bytes: usize,
    ) -> (Fate, Option<Over>) {
        let Some(Sent { lane, .. }) = self.leave(token, bytes) else {
            return (Fate::Unknown, None);
        };
        let Some(landed) = self.land(token, bytes, false) else {
            return (Fate::Unknown, None);
        };
        let topic = lane.topic();
        self.trouble[index_of(topic)] = None;
        if topic == Topic::Events {
            self.probing = false;
        }
        let replayed = match (landed.place, &mut self.log) {
            (Place::Replayed(ordinal), Some(log)) => {
                log.done(ordinal, topic, key);
                true
            }
            (Place::Copied(ordinal), Some(log)) => {
                log.copy_done(ordinal);
                false
            }
            _ => false,
        };
        (Fate::Produced { topic, replayed }, landed.over)
    }

    /// Kafka's client gives a record back, or does not take it; `reason` says why, in words.
    pub(crate) fn failed(
        &mut self,
        token: Token,
        record: Returned<'_>,
        failure: Failure,
        reason: &str,
        now: Instant,
    ) -> Fate {
        let Some(Sent { lane, pace }) = self.leave(token, record.bytes) else {
            return Fate::Unknown;
        };
        let failure = if failure == Failure::OfBatch && pace == Pace::Alone {
            Failure::OfRecord
        } else {
            failure
        };
        let topic = lane.topic();
        if failure == Failure::Other {
            self.trouble[index_of(topic)].get_or_insert_with(|| reason.to_owned());
            self.probing |= topic == Topic::Events;
        }
        let flight = self.flights.get_mut(&token.flight());
        let is_live = flight.is_some_and(|flight| !flight.is_replay());
        if is_live && !self.spills() {
            return self.failed_without_spill(token, topic, record.bytes, failure, now);
        }
        self.failed_with_spill(token, topic, record, failure, now)
    }

    /// What is at fault itself is given up, and so is a rejected event's record whatever the reason; the rest waits in
    /// memory and is sent again.
    fn failed_without_spill(
        &mut self,
        token: Token,
        topic: Topic,
        bytes: usize,
        failure: Failure,
        now: Instant,
    ) -> Fate {
        let reason = match (failure, topic) {
            (Failure::OfBatch, _) => {
                self.again.add(token, Pace::Alone);
                return Fate::Kept;
            }
            (Failure::Other, Topic::Events) => {
                self.again.add(token, Pace::Together);
                self.again.pause(now + again::RETRY);
                return Fate::Kept;
            }
            (Failure::Purged, _) => Dropped::Shutdown,
            (Failure::OfRecord | Failure::TimedOut | Failure::Other, _) => Dropped::DeliveryFailed,
        };
        self.land(token, bytes, topic == Topic::Events);
        Fate::Dropped(topic, reason)
    }

    fn failed_with_spill(
        &mut self,
        token: Token,
        topic: Topic,
        record: Returned<'_>,
        failure: Failure,
        now: Instant,
    ) -> Fate {
        let outage = self.outage;
        let flight = self.flights.get(&token.flight());
        let request = flight.and_then(|flight| match &flight.origin {
            Origin::Live { request, .. } => Some(request.clone()),
            Origin::Replay { .. } => None,
        });
        let Some(landed) = self.land(token, record.bytes, topic == Topic::Events) else {
            return Fate::Unknown;
        };
        let Some(log) = &mut self.log else {
            return Fate::Dropped(topic, Dropped::DeliveryFailed);
        };
        // A topic of rejected events that takes nothing must not fill the spill.
        let is_refused = topic == Topic::Rejected && failure == Failure::Other && !outage;
        if failure == Failure::OfRecord || is_refused {
            match landed.place {
                Place::Replayed(ordinal) => log.done(ordinal, topic, record.key),
                Place::Copied(ordinal) => log.copy_done(ordinal),
                Place::Queue => {}
            }
            return Fate::Dropped(topic, Dropped::DeliveryFailed);
        }
        match landed.place {
            Place::Replayed(ordinal) => {
                if failure == Failure::OfBatch {
                    self.alone_until = self.alone_until.max(ordinal + 1);
                } else {
                    self.replay_at = Some(now + again::RETRY);
                }
                log.give_back(ordinal);
                Fate::Kept
            }
            Place::Copied(ordinal) => {
                log.adopt(ordinal, topic, record.key);
                Fate::Spilled(topic)
            }
            Place::Queue => {
                let message = request.as_deref();
                let Some(message) = message.and_then(|request| request.message(token.index()))
                else {
                    return Fate::Dropped(topic, Dropped::DeliveryFailed);
                };
                if !log.has_room(record.bytes + BYTES_PER_FRAME) {
                    return Fate::Dropped(topic, Dropped::SpillFull);
                }
                log.append(&message);
                Fate::Spilled(topic)
            }
        }
    }

    /// Notes that a record is no longer on its way; `None` when its end was told before.
    fn leave(&mut self, token: Token, bytes: usize) -> Option<Sent> {
        let flight = self.flights.get(&token.flight())?;
        let lane = flight.lane(token.index())?;
        let pace = match flight.origin {
            Origin::Replay { pace, .. } => pace,
            Origin::Live { .. } => self.again.back(token),
        };
        self.lanes.leave(lane, bytes, flight.is_replay());
        Some(Sent { lane, pace })
    }

    /// Notes that a record of a flight has met its end.
    pub(super) fn land(&mut self, token: Token, bytes: usize, failed: bool) -> Option<Landed> {
        let flight = self.flights.get_mut(&token.flight())?;
        let index = token.index();
        let topic = flight.lane(index)?.topic();
        flight.settle(index, topic);
        self.depth.records -= 1;
        self.depth.bytes -= bytes;
        let (place, events) = match &flight.origin {
            Origin::Replay { ordinals, .. } => (Place::Replayed(*ordinals.get(index)?), 0),
            Origin::Live { copy, .. } => {
                self.depth.events -= usize::from(topic == Topic::Events);
                let place = copy.map_or(Place::Queue, |first| Place::Copied(first + index as u64));
                (place, flight.events)
            }
        };
        let is_over = flight.is_over();
        flight.tell(failed);
        let over = is_over.then_some(Over {
            since: flight.started,
            events,
        });
        if is_over {
            self.flights.remove(&token.flight());
        }
        Some(Landed { topic, place, over })
    }
}

/// What Kafka's client says of a record that it gives back. It reports no timestamp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Returned<'a> {
    pub(crate) key: Option<&'a [u8]>,
    /// Of key and value.
    pub(crate) bytes: usize,
}

impl<'a> From<&Message<'a>> for Returned<'a> {
    fn from(message: &Message<'a>) -> Self {
        Self {
            key: message.key,
            bytes: message.bytes(),
        }
    }
}

/// How a record was sent.
struct Sent {
    lane: Lane,
    pace: Pace,
}

/// What met its end.
pub(super) struct Landed {
    pub(super) topic: Topic,
    place: Place,
    /// Its flight, if this was its last record.
    over: Option<Over>,
}

#[derive(Clone, Copy)]
enum Place {
    Queue,
    Copied(u64),
    Replayed(u64),
}
