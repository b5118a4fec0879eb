//! Records events under the right ids, and decides what is sent when.
//!
//! Pure: time comes in with every call, and everything else through [`World`].

use crate::{
    delivery::{Answer, Delivery},
    event::Event,
    json::Object,
    options::Options,
    queue::{Batch, END, Queue},
    scan::join,
    session::Session,
    uuid::{self, RANDOM_BYTES},
};

/// What is said about the program that sends.
const SDK: &str = concat!("footfall-sdk/", env!("CARGO_PKG_VERSION"));

/// The name of the visitor's id in storage.
pub const VISITOR: &str = "visitor";

/// The name of the session in storage.
pub const SESSION: &str = "session";

/// What the tracker needs from where it runs.
pub trait World {
    /// Random bytes that nobody can guess.
    fn random_bytes(&mut self) -> [u8; RANDOM_BYTES];
    /// What was stored under a name.
    fn stored(&mut self, name: &str) -> Option<String>;
    /// Stores something under a name; whether that worked.
    fn store(&mut self, name: &str, value: &str) -> bool;
    /// The site may change an event before it is recorded, or refuse it.
    fn approve(&mut self, event: &str) -> Option<String>;
}

/// Records the events of one load.
#[derive(Debug)]
pub struct Tracker {
    options: Options,
    load: String,
    visitor: String,
    session: Option<Session>,
    user: String,
    /// `granted` after an explicit opt-in.
    consent: &'static str,
    context: String,
    /// What the events that are recorded now share.
    envelope: String,
    seq: u64,
    queue: Queue,
    delivery: Delivery,
    lost: usize,
}

impl Tracker {
    /// Starts one load. `context` is JSON and goes with every batch.
    #[must_use]
    pub fn new(
        options: Options,
        granted: bool,
        context: String,
        now: u64,
        world: &mut impl World,
    ) -> Self {
        let mut tracker = Self {
            load: id(now, world),
            visitor: String::new(),
            session: None,
            user: String::new(),
            consent: if granted { "granted" } else { "" },
            context,
            envelope: String::new(),
            seq: 0,
            queue: Queue::new(options.queue_bytes),
            delivery: Delivery::default(),
            lost: 0,
            options,
        };
        if !tracker.options.cookieless {
            tracker.visitor = match world.stored(VISITOR) {
                Some(visitor) if visitor.len() == 36 => visitor,
                _ => new_id(VISITOR, now, world),
            };
        }
        tracker
    }

    /// The settings.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The id of this load.
    #[must_use]
    pub fn load(&self) -> &str {
        &self.load
    }

    /// Records an event. `now` may be later than the event's own time.
    pub fn record(&mut self, event: &Event<'_>, now: u64, world: &mut impl World) {
        if self.delivery.is_stopped() {
            return;
        }
        self.touch(now, world);
        let json = event.to_json(&id(now, world), self.seq);
        let Some(json) = world.approve(&json) else {
            return;
        };
        self.seq += 1;
        self.delivery.wait_from(now);
        self.lost += self.queue.push(&self.envelope, &json);
    }

    /// From now on events belong to this user.
    pub fn identify(&mut self, user: &str) {
        user.clone_into(&mut self.user);
        self.seal();
    }

    /// From now on events are recorded with the visitor's explicit consent.
    pub fn grant(&mut self) {
        self.consent = "granted";
        self.seal();
    }

    /// From now on events belong to a new visitor, in a new session.
    pub fn reset(&mut self, now: u64, world: &mut impl World) {
        self.user.clear();
        if !self.options.cookieless {
            self.visitor = new_id(VISITOR, now, world);
            self.start_session(now, world);
        }
        self.seal();
    }

    /// When the next batch is due, unless something else happens first.
    #[must_use]
    pub fn due(&self, now: u64) -> Option<u64> {
        self.delivery.due(&self.queue, &self.options, now)
    }

    /// The next batch as a request's body, if one is due. An answer must follow.
    pub fn send(&mut self, now: u64, world: &mut impl World) -> Option<String> {
        if self.due(now)? > now {
            return None;
        }
        self.save(world);
        let batch = self.take()?;
        let body = self.body(&batch, now);
        self.delivery.sent(batch, now);
        Some(body)
    }

    /// All that waits is due now, even during a backoff, but not while the server asked for time.
    pub fn flush(&mut self, now: u64) {
        if !self.queue.is_empty() {
            self.delivery.hurry(now);
        }
    }

    /// What became of the last batch that was sent.
    pub fn answered(&mut self, answer: Answer, now: u64) {
        self.lost += self.delivery.answered(answer, now, &mut self.queue);
    }

    /// The page may be gone in a moment: hands batches to `beacon` until it takes no more. Returns
    /// what must be stored for the next page.
    pub fn leave(
        &mut self,
        now: u64,
        world: &mut impl World,
        beacon: &mut dyn FnMut(&str) -> bool,
    ) -> String {
        self.save(world);
        // Nobody reads a beacon's answer. When the last try failed, this one may fail too, so the
        // next page sends it again, under the same ids.
        self.delivery.recall(&mut self.queue);
        let mut kept = String::new();
        if self.delivery.is_failing() {
            kept = self.queue.to_text();
        }
        if self.delivery.may_send(now) {
            while let Some(batch) = self.take() {
                if !beacon(&self.body(&batch, now)) {
                    self.lost += self.queue.put_back(batch);
                    break;
                }
            }
        }
        if kept.is_empty() {
            kept = self.queue.to_text();
        }
        self.queue = Queue::new(self.options.queue_bytes);
        kept
    }

    /// Takes over what another page, or this one when it was left, could not send.
    pub fn adopt(&mut self, text: &str, now: u64) {
        self.lost += self.queue.restore(text);
        if !self.queue.is_empty() {
            self.delivery.wait_from(now);
        }
    }

    /// Whether a request is on its way.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        self.delivery.is_sending()
    }

    /// What `status()` tells, as JSON.
    #[must_use]
    pub fn status(&self) -> String {
        let stopped = self.delivery.is_stopped();
        let session = self.session.as_ref().map_or("", |session| &session.id);
        let queued = self.queue.len() + self.delivery.sending();
        let mut status = Object::default();
        status
            .json("recording", if stopped { "false" } else { "true" })
            .text("reason", if stopped { "stopped" } else { "recording" })
            .text("visitor", &self.visitor)
            .text("session", session)
            .number("queued", queued as u64)
            .number("lost", self.lost as u64);
        status.finish()
    }

    fn take(&mut self) -> Option<Batch> {
        self.queue
            .take(self.options.batch_count, self.options.batch_bytes)
    }

    /// Continues the session, or starts one; another tab may have done that already.
    fn touch(&mut self, now: u64, world: &mut impl World) {
        if self.options.cookieless {
            if self.envelope.is_empty() {
                self.seal();
            }
            return;
        }
        let is_live = |session: &Session| !session.is_over(now);
        if !self.session.as_ref().is_some_and(is_live) {
            let stored = world.stored(SESSION);
            self.session = stored
                .and_then(|text| Session::parse(&text))
                .filter(is_live);
            if self.session.is_none() {
                self.start_session(now, world);
            }
            self.seal();
        }
        if let Some(session) = &mut self.session {
            session.active = now;
        }
    }

    fn start_session(&mut self, now: u64, world: &mut impl World) {
        self.session = Some(Session::new(id(now, world), now));
        self.save(world);
    }

    fn save(&self, world: &mut impl World) {
        if let Some(session) = &self.session {
            world.store(SESSION, &session.to_text());
        }
    }

    /// Writes down what the next events share.
    fn seal(&mut self) {
        let session = self.session.as_ref().map_or("", |session| &session.id);
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

    fn body(&self, batch: &Batch, now: u64) -> String {
        let events = batch.events.strip_suffix(END).unwrap_or("");
        let mut body = Object::default();
        body.text("write_key", &self.options.write_key)
            .number("sent_at", now)
            .all(&batch.envelope)
            .json("events", &join(&["[", events, "]"]));
        body.finish()
    }
}

fn id(now: u64, world: &mut impl World) -> String {
    uuid::v7(now, world.random_bytes())
}

fn new_id(name: &str, now: u64, world: &mut impl World) -> String {
    let id = id(now, world);
    world.store(name, &id);
    id
}

#[cfg(test)]
mod tests;
