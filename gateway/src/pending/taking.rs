//! Where a request goes: to Kafka, to the spill, or back to its sender.

use super::{
    BYTES_PER_FRAME, Depth, Lane, Pace, Pending, Token,
    flight::{Flight, Origin},
};
use crate::{
    outgoing::{Outgoing, Topic},
    sink::{Receipt, Unavailable},
    spill::Log,
};
use footfall_protocol::batch::MAX_EVENTS;
use std::{sync::Arc, time::Instant};
use tokio::sync::oneshot;

/// A record costs the client about this much beside its key and value; it bounds the number of records.
const BYTES_PER_RECORD: usize = 256;

/// The records of rejected events may have this part of the queue.
const REJECTED_SHARE: usize = 8;

/// Where a request that was taken goes.
#[derive(Debug)]
pub(crate) enum Taken {
    /// To Kafka: the caller sends it.
    Send {
        flight: usize,
        request: Arc<Outgoing>,
        receipt: Receipt,
    },
    /// It waits in memory behind others that are to be sent again.
    Waits { receipt: Receipt },
    /// It lies in the spill.
    Spilled { events: usize },
}

impl Pending {
    /// Leaves the records of rejected events out where too many of them wait already, and says how many those were: a topic
    /// that takes none must not fill the queue.
    pub(crate) fn trim(&self, request: &mut Outgoing) -> usize {
        let waiting = self.lanes.load_of(Lane::Rejected).bytes;
        let bytes = waiting + request.rejected_bytes();
        if waiting > 0 && bytes > self.rules.queue_bytes / REJECTED_SHARE {
            request.drop_rejected()
        } else {
            0
        }
    }

    /// Decides where a request goes, all of it. `lanes`: where each record would go.
    ///
    /// # Errors
    /// When there is no room for it, or the gateway is stopping.
    pub(crate) fn take(
        &mut self,
        request: Outgoing,
        mut lanes: Vec<Lane>,
        now: Instant,
    ) -> Result<Taken, Unavailable> {
        if self.closed {
            return Err(Unavailable::Closed);
        }
        lanes.truncate(request.records());
        let is_stuck = lanes
            .iter()
            .any(|lane| *lane != Lane::Rejected && self.lanes.is_stuck(*lane));
        let fits = self.fits(&request, is_stuck);
        let spills = self.spills();
        let taken = match &mut self.log {
            Some(log)
                if spills && (self.outage || is_stuck || !fits || is_behind(log, &request)) =>
            {
                log.has_room(request.bytes() + request.records() * BYTES_PER_FRAME)
                    .then(|| {
                        request.messages().for_each(|message| log.append(&message));
                        Taken::Spilled {
                            events: request.events(),
                        }
                    })
            }
            _ => fits.then(|| self.take_off(request, lanes, now)),
        };
        // One partition's refusal says nothing of the others.
        if taken.is_some() || !is_stuck || self.is_stuck() {
            self.refused = taken.is_none();
        }
        taken.ok_or(Unavailable::Full)
    }

    fn fits(&self, request: &Outgoing, is_stuck: bool) -> bool {
        let (mut bytes, mut records) = self.used();
        if is_stuck && self.has_others() {
            let stuck = self.lanes.stuck();
            bytes = stuck.bytes + self.rules.queue_bytes.div_ceil(2);
            records = stuck.records + self.max_records().div_ceil(2);
        }
        bytes.saturating_add(request.bytes()) <= self.rules.queue_bytes
            && records + request.records() <= self.max_records()
    }

    /// Bytes and records that count against the queue. What waits for partitions that take nothing counts up to a half of
    /// it, so that the others always have the other half.
    fn used(&self) -> (usize, usize) {
        let Depth { bytes, records, .. } = self.depth;
        if !self.has_others() {
            return (bytes, records);
        }
        let stuck = self.lanes.stuck();
        let of_bytes = stuck.bytes.saturating_sub(self.rules.queue_bytes / 2);
        let of_records = stuck.records.saturating_sub(self.max_records() / 2);
        (
            bytes.saturating_sub(of_bytes),
            records.saturating_sub(of_records),
        )
    }

    /// Whether some partitions take what they are given, while others may not.
    fn has_others(&self) -> bool {
        !self.outage && !self.is_stuck()
    }

    fn max_records(&self) -> usize {
        (self.rules.queue_bytes / BYTES_PER_RECORD).max(MAX_EVENTS)
    }

    fn take_off(&mut self, request: Outgoing, lanes: Vec<Lane>, now: Instant) -> Taken {
        self.depth.events += request.events();
        self.depth.records += request.records();
        self.depth.bytes += request.bytes();
        let request = Arc::new(request);
        let (waiter, receipt) = if self.rules.delivered && request.events() > 0 {
            let (tell, heard) = oneshot::channel();
            (Some(tell), Receipt::pending(heard))
        } else {
            (None, Receipt::taken())
        };
        let origin = Origin::Live {
            request: request.clone(),
            copy: None,
            waiter,
        };
        let waits = self.again.is_ahead();
        if !waits {
            for (lane, message) in lanes.iter().zip(request.messages()) {
                self.lanes.enter(*lane, message.bytes(), false, now);
            }
        }
        let flight = self.launch(Flight::new(lanes, now, origin));
        if waits {
            let tokens = (0..request.records()).map(|index| Token::new(flight, index));
            tokens.for_each(|token| self.again.add(token, Pace::Together));
            return Taken::Waits { receipt };
        }
        Taken::Send {
            flight,
            request,
            receipt,
        }
    }

    /// Whether a request has a good chance: the newest one was taken, or half of the room is free.
    pub(crate) fn has_room(&self) -> bool {
        let half = self.rules.queue_bytes / 2;
        let (bytes, records) = self.used();
        let half_free = match &self.log {
            Some(log) if self.spills() => log.has_room(half),
            _ => bytes <= half && records <= self.max_records() / 2,
        };
        !self.closed && !self.is_full() && (!self.refused || half_free)
    }

    /// Whether there is no room for anything.
    pub(crate) fn is_full(&self) -> bool {
        let (bytes, records) = self.used();
        let queue_full = bytes >= self.rules.queue_bytes || records >= self.max_records();
        match &self.log {
            Some(log) if self.spills() => {
                !log.has_room(1) && (self.outage || self.is_stuck() || queue_full)
            }
            _ => queue_full,
        }
    }

    /// Whether no partition takes anything.
    fn is_stuck(&self) -> bool {
        let stuck = self.lanes.stuck_partitions().count();
        stuck > 0 && stuck >= self.partitions
    }
}

/// Whether an older event with a key of this request waits in the log.
fn is_behind(log: &Log, request: &Outgoing) -> bool {
    log.events() > 0
        && request.messages().any(|message| {
            message.topic == Topic::Events && message.key.is_some_and(|key| log.has_key(key))
        })
}
