//! Where a request goes: to Kafka, to the spill, or back to its sender.

use super::{
    BYTES_PER_FRAME, Pending,
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

impl Pending {
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

    /// Takes a request back of which nothing was sent.
    pub(crate) fn take_back(&mut self, flight: usize, request: &Outgoing) {
        if self.flights.remove(&flight).is_some() {
            self.depth.events -= request.events();
            self.depth.records -= request.records();
            self.depth.bytes -= request.bytes();
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
