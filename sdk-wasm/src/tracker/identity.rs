//! Who events belong to: visitor, session and user, which tabs share.

use super::{Tracker, World};
use crate::{
    json::Object,
    session::{Session, is_sampled},
};

/// What is said about the program that sends.
pub(super) const SDK: &str = concat!("footfall-sdk/", env!("CARGO_PKG_VERSION"));

/// The name of the visitor's id in storage.
const VISITOR: &str = "visitor";

/// The name of the session in storage.
const SESSION: &str = "session";

impl Tracker {
    /// From now on events belong to this user.
    pub fn identify(&mut self, user: String) {
        self.user = user;
        self.seal();
    }

    /// From now on events are recorded with the visitor's explicit consent.
    pub fn grant(&mut self) {
        self.consent = "granted";
        self.seal();
    }

    /// A campaign has led here: another one than the session's starts a new session.
    pub fn campaign(&mut self, campaign: String, now: u64, world: &mut impl World) {
        if self.options.cookieless {
            return;
        }
        self.touch(now, world);
        if let Some(session) = &mut self.session
            && session.campaign != campaign
        {
            *session = Session::new(world.id(), now);
            session.campaign = campaign;
            self.begin_session(world);
        }
    }

    /// From now on events belong to a new visitor, in a new session.
    pub fn reset(&mut self, now: u64, world: &mut impl World) {
        self.user.clear();
        if !self.options.cookieless {
            self.start_visitor(world);
            self.session = Some(Session::new(world.id(), now));
            self.begin_session(world);
        } else {
            self.seal();
        }
    }

    /// Another tab may have started another visitor or session: the last one holds for all tabs.
    /// Two tabs that start at once, on empty storage, move what they have not sent yet.
    pub fn join(&mut self, now: u64, world: &mut impl World) {
        if self.options.cookieless || self.session.is_none() {
            return;
        }
        let before = self.envelope.clone();
        if let Some(visitor) = stored_visitor(world) {
            self.visitor = visitor;
        }
        // Of its own session this tab knows the last event better than storage does.
        if let Some(session) = stored_session(now, world)
            && self
                .session
                .as_ref()
                .is_some_and(|own| own.id != session.id)
        {
            self.session = Some(session);
        }
        self.seal();
        if self.fresh {
            self.queue.rename(&before, &self.envelope);
        }
    }

    /// Takes over what other tabs have written, and writes down that the session goes on.
    pub(super) fn share(&mut self, now: u64, world: &mut impl World) {
        self.join(now, world);
        self.fresh = false;
        self.save(world);
    }

    /// Continues the session, or starts one; another tab may have done that already.
    pub(super) fn touch(&mut self, now: u64, world: &mut impl World) {
        if self.options.cookieless {
            if self.envelope.is_empty() {
                self.seal();
            }
            return;
        }
        let is_live = |session: &Session| !session.is_over(now);
        if !self.session.as_ref().is_some_and(is_live) {
            self.session = stored_session(now, world);
            if self.session.is_some() {
                self.seal();
            } else {
                self.session = Some(Session::new(world.id(), now));
                self.begin_session(world);
            }
        }
        if let Some(session) = &mut self.session {
            session.active = now;
        }
    }

    pub(super) fn start_visitor(&mut self, world: &mut impl World) {
        self.visitor = world.id();
        world.store(VISITOR, &self.visitor);
        self.fresh = true;
    }

    /// The session is a new one.
    fn begin_session(&mut self, world: &mut impl World) {
        self.save(world);
        self.seal();
        self.fresh = true;
    }

    fn save(&self, world: &mut impl World) {
        if let Some(session) = &self.session {
            world.store(SESSION, &session.to_text());
        }
    }

    /// Writes down what the next events share.
    pub(super) fn seal(&mut self) {
        let session = self.session.as_ref().map_or("", |session| &session.id);
        let sampled_by = if session.is_empty() {
            &self.load
        } else {
            session
        };
        self.sampled = is_sampled(sampled_by, self.options.sample);
        let mut envelope = Object::default();
        envelope
            .text("sdk", SDK)
            .text("visitor", &self.visitor)
            .text("session", session)
            .text("load", &self.load)
            .text("user", &self.user)
            .text("consent", self.consent)
            .json("context", &self.context);
        self.envelope = envelope.members().to_owned();
    }
}

pub(super) fn stored_visitor(world: &mut impl World) -> Option<String> {
    world.stored(VISITOR).filter(|id| id.len() == 36)
}

fn stored_session(now: u64, world: &mut impl World) -> Option<Session> {
    let session = Session::parse(&world.stored(SESSION)?)?;
    (!session.is_over(now)).then_some(session)
}

#[cfg(test)]
mod tests;
