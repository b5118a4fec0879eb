//! Records that Kafka's client has given back, and that no spill takes: they wait in memory, and are sent again.

use super::{Fate, Lane, Pace, Pending, Token, flight::Origin};
use crate::{
    metrics::Dropped,
    outgoing::{Message, Outgoing, Topic},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// The most records that are sent again at a time.
const RUN: usize = 512;

/// See the module. Tokens count up, so records are sent again in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// To be sent with others. Newer records wait behind them, so that each key keeps its order.
    together: BTreeSet<Token>,
    /// To be sent in batches of their own.
    alone: BTreeSet<Token>,
    /// On their way.
    sent: BTreeMap<Token, Pace>,
    /// Not before.
    at: Option<Instant>,
}

/// A record to be sent again.
#[derive(Debug)]
pub(crate) struct Resend {
    pub(crate) token: Token,
    request: Arc<Outgoing>,
    pub(crate) pace: Pace,
}

impl Resend {
    pub(crate) fn message(&self) -> Option<Message<'_>> {
        self.request.message(self.token.index())
    }
}

impl Again {
    /// Whether newer records have to wait behind some of these.
    pub(super) fn is_ahead(&self) -> bool {
        !self.together.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.together.is_empty() && self.alone.is_empty() && self.sent.is_empty()
    }

    /// A record waits.
    pub(super) fn add(&mut self, token: Token, pace: Pace) {
        match pace {
            Pace::Together => self.together.insert(token),
            Pace::Alone => self.alone.insert(token),
        };
    }

    /// Nothing is sent again before `at`.
    pub(super) fn pause(&mut self, at: Instant) {
        self.at = Some(at);
    }

    /// A record that was on its way is no longer; says how it was sent.
    pub(super) fn back(&mut self, token: Token) -> Pace {
        self.sent.remove(&token).unwrap_or(Pace::Together)
    }

    /// The next ones, about `bytes` of them.
    fn next(&mut self) -> Option<(Token, Pace)> {
        let alone = self.alone.pop_first().map(|token| (token, Pace::Alone));
        let together = || {
            self.together
                .pop_first()
                .map(|token| (token, Pace::Together))
        };
        let (token, pace) = alone.or_else(together)?;
        self.sent.insert(token, pace);
        Some((token, pace))
    }
}

impl Pending {
    /// What is to be sent again now, about `bytes` of it. It is on its way from now on, each record where `lane` says.
    pub(crate) fn again(
        &mut self,
        bytes: usize,
        lane: impl Fn(&Message<'_>) -> Lane,
        now: Instant,
    ) -> Vec<Resend> {
        let mut run = Vec::new();
        let mut size = 0;
        let waits = self.finished
            || self.again.at.is_some_and(|at| now < at)
            || (self.probing && self.is_one_sent_again());
        if waits {
            return run;
        }
        while run.len() < RUN
            && size < bytes
            && let Some((token, pace)) = self.again.next()
        {
            let Some(flight) = self.flights.get_mut(&token.flight()) else {
                continue;
            };
            let Origin::Live { request, .. } = &flight.origin else {
                continue;
            };
            let request = request.clone();
            let Some(message) = request.message(token.index()) else {
                continue;
            };
            let lane = lane(&message);
            flight.redirect(token.index(), lane);
            self.lanes.enter(lane, message.bytes(), false, now);
            size += message.bytes();
            run.push(Resend {
                token,
                request,
                pace,
            });
        }
        run
    }

    /// Whether a record that is sent again is on its way to a partition that is not known to take nothing.
    fn is_one_sent_again(&self) -> bool {
        self.again.sent.keys().any(|token| {
            let flight = self.flights.get(&token.flight());
            let lane = flight.and_then(|flight| flight.lane(token.index()));
            lane.is_some_and(|lane| lane != Lane::Rejected && !self.lanes.is_stuck(lane))
        })
    }

    /// Gives up what waits to be sent again and is older than Kafka's client would have kept it.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Fate> {
        let Some(limit) = self.rules.message_timeout else {
            return Vec::new();
        };
        let flights = &self.flights;
        let is_old = |token: &Token| {
            flights
                .get(&token.flight())
                .is_none_or(|flight| now.saturating_duration_since(flight.started) >= limit)
        };
        // The oldest come first.
        let [together, alone] = [&self.again.together, &self.again.alone]
            .map(|waiting| waiting.iter().copied().take_while(is_old));
        let old: Vec<_> = together.chain(alone).collect();
        self.give_up(&old, Dropped::DeliveryFailed)
    }

    /// Gives up what waits to be sent again: the gateway stops.
    pub(crate) fn abandon(&mut self) -> Vec<Fate> {
        let waiting = self.again.together.iter().chain(&self.again.alone);
        let all: Vec<_> = waiting.copied().collect();
        self.give_up(&all, Dropped::Shutdown)
    }

    fn give_up(&mut self, tokens: &[Token], reason: Dropped) -> Vec<Fate> {
        let mut fates = Vec::with_capacity(tokens.len());
        for token in tokens {
            self.again.together.remove(token);
            self.again.alone.remove(token);
            let message = self.message_bytes(*token);
            if let Some(bytes) = message {
                let landed = self.land(*token, bytes, true);
                let topic = landed.map_or(Topic::Events, |landed| landed.topic);
                fates.push(Fate::Dropped(topic, reason));
            }
        }
        fates
    }

    fn message_bytes(&self, token: Token) -> Option<usize> {
        match &self.flights.get(&token.flight())?.origin {
            Origin::Live { request, .. } => Some(request.message(token.index())?.bytes()),
            Origin::Replay { .. } => None,
        }
    }
}

/// How long until records that were given back are sent again.
pub(super) const RETRY: Duration = Duration::from_secs(1);
