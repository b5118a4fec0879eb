//! What becomes of a record that Kafka has taken, or that its client gives back.

use super::{BYTES_PER_FRAME, Pace, Pending, Token, flight::Origin};
use crate::{
    metrics::Dropped,
    outgoing::{Message, Topic},
};
use std::time::{Duration, Instant};

/// How long until records that failed are tried again.
const REPLAY_RETRY: Duration = Duration::from_secs(1);

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
        (Fate::Produced { topic, replayed }, landed.over)
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
        let (place, events) = match &flight.origin {
            Origin::Replay { first, pace } => {
                self.replaying = self.replaying.saturating_sub(bytes);
                (Place::Replayed(first + index as u64, *pace), 0)
            }
            Origin::Live { copy, .. } => {
                self.depth.events -= usize::from(topic == Topic::Events);
                let place = copy.map_or(Place::Queue, |first| Place::Copied(first + index as u64));
                (place, flight.events)
            }
        };
        let is_over = flight.is_over();
        flight.tell(failed, is_over);
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

struct Landed {
    topic: Topic,
    place: Place,
    /// Its flight, if this was its last record.
    over: Option<Over>,
}

#[derive(Clone, Copy)]
enum Place {
    Queue,
    Copied(u64),
    Replayed(u64, Pace),
}
