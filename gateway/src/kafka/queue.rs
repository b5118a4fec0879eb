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
    /// Whether the newest request was refused.
    refused: bool,
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
            state.refused = true;
            return Err(Unavailable::Full);
        }
        state.refused = false;
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

    /// Whether a request has a good chance: the newest one was let in, or half of the queue is free.
    pub(super) fn has_room(&self) -> bool {
        let State {
            depth,
            refused,
            closed,
        } = *self.lock();
        let half_free = depth.bytes <= self.max_bytes / 2 && depth.records <= self.max_records / 2;
        let full = depth.bytes >= self.max_bytes || depth.records >= self.max_records;
        !closed && !full && (!refused || half_free)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole once it is written, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;
    use proptest::prelude::*;

    const NOTHING: Depth = Depth {
        events: 0,
        records: 0,
        bytes: 0,
    };

    #[test]
    fn a_request_is_let_in_whole_or_not_at_all() {
        let request = outgoing(3, 1);
        let queue = Queue::new(request.bytes() * 2 - 1);
        assert_eq!(queue.enter(&request), Ok(()));
        let before = queue.depth();
        assert_eq!((before.events, before.records), (3, 4));
        assert_eq!(queue.enter(&request), Err(Unavailable::Full));
        assert_eq!(queue.depth(), before);
    }

    #[test]
    fn after_a_refusal_there_is_no_room_until_half_is_free() {
        let request = outgoing(2, 0);
        let queue = Queue::new(request.bytes() * 2 - 1);
        queue.enter(&request).unwrap();
        assert!(queue.has_room());
        queue.enter(&request).unwrap_err();
        assert!(!queue.has_room());
        request
            .messages()
            .for_each(|message| queue.leave(Weight::of(&message)));
        assert!(queue.has_room());
        assert_eq!(queue.depth(), NOTHING);
    }

    #[test]
    fn a_request_that_never_fits_does_not_make_the_queue_full() {
        let queue = Queue::new(10);
        queue.enter(&outgoing(1, 0)).unwrap_err();
        assert!(queue.has_room());
    }

    #[test]
    fn a_closed_queue_lets_nothing_in() {
        let queue = Queue::new(1 << 20);
        queue.close();
        assert_eq!(queue.enter(&outgoing(1, 0)), Err(Unavailable::Closed));
        assert!(!queue.has_room());
    }

    proptest! {
        #[test]
        fn whatever_enters_and_leaves_the_bound_holds(
            sizes in prop::collection::vec((0_usize..5, 0_usize..5), 1..40),
        ) {
            let queue = Queue::new(4000);
            let mut inside = Vec::new();
            for (accepted, rejected) in sizes {
                let request = outgoing(accepted, rejected);
                if queue.enter(&request).is_ok() {
                    inside.push(request);
                }
                prop_assert!(queue.depth().bytes <= 4000);
            }
            for request in &inside {
                request.messages().for_each(|message| queue.leave(Weight::of(&message)));
            }
            prop_assert_eq!(queue.depth(), NOTHING);
        }
    }
}
