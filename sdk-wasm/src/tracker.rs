//! Records events under the right ids, and decides what is sent when.
//!
//! Pure: time comes in with every call, and everything else through [`World`].

mod identity;
mod kept;
mod sending;

use crate::{
    delivery::Delivery,
    json::{Object, push_number},
    ledger::Ledger,
    options::Options,
    queue::Queue,
    scan::join,
    session::Session,
};

/// What the tracker needs from where it runs.
pub trait World {
    /// A new UUID, of version 7.
    fn id(&mut self) -> String;
    /// What was stored under a name.
    fn stored(&mut self, name: &str) -> Option<String>;
    /// Stores something under a name; whether that worked.
    fn store(&mut self, name: &str, value: &str) -> bool;
}

/// Records the events of one load.
#[derive(Debug)]
pub struct Tracker {
    options: Options,
    load: String,
    visitor: String,
    session: Option<Session>,
    /// Whether visitor or session are new, and nobody has been told of them.
    fresh: bool,
    /// Whether the session is one of the share that is recorded.
    sampled: bool,
    user: String,
    /// `granted` after an explicit opt-in.
    consent: &'static str,
    context: String,
    /// What the events that are recorded now share.
    envelope: String,
    seq: u64,
    queue: Queue,
    delivery: Delivery,
    ledger: Ledger,
    /// How many events there were when the page was left last.
    left_at: Option<u64>,
}

impl Tracker {
    /// Starts one load. `context` is JSON and goes with every batch.
    #[must_use]
    pub fn new(options: Options, granted: bool, context: String, world: &mut impl World) -> Self {
        let mut tracker = Self {
            load: world.id(),
            visitor: String::new(),
            session: None,
            fresh: false,
            sampled: true,
            user: String::new(),
            consent: if granted { "granted" } else { "" },
            context,
            envelope: String::new(),
            seq: 0,
            queue: Queue::new(options.queue_bytes),
            delivery: Delivery::default(),
            ledger: Ledger::default(),
            left_at: None,
            options,
        };
        if !tracker.options.cookieless {
            match identity::stored_visitor(world) {
                Some(visitor) => tracker.visitor = visitor,
                None => tracker.start_visitor(world),
            }
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

    /// Records an event: a JSON object without `id` and `seq`. `now` may be later than its time.
    pub fn record(&mut self, event: &str, now: u64, world: &mut impl World) {
        let Some(members) = event.strip_prefix("{") else {
            return;
        };
        if self.delivery.is_stopped() {
            return;
        }
        self.touch(now, world);
        if !self.sampled {
            return;
        }
        let mut json = join(&["{\"id\":\"", &world.id(), "\",\"seq\":"]);
        push_number(&mut json, self.seq);
        json.push_str(",");
        json.push_str(members);
        self.seq += 1;
        self.delivery.wait_from(now);
        self.queue.push(&self.envelope, &json, &mut self.ledger);
    }

    /// What is said about the browser from now on, as JSON.
    pub fn describe(&mut self, context: String) {
        self.context = context;
        self.seal();
    }

    /// How many events this load has lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.ledger.total()
    }

    /// The counts of lost events that are not told yet, as JSON.
    #[must_use]
    pub fn untold(&self) -> String {
        self.ledger.to_json()
    }

    /// What `status()` tells, as JSON.
    #[must_use]
    pub fn status(&self) -> String {
        let reason = if self.delivery.is_stopped() {
            "stopped"
        } else if self.sampled {
            "recording"
        } else {
            "sampled_out"
        };
        let recording = reason == "recording";
        let session = self.session.as_ref().map_or("", |session| &session.id);
        let sending = self.delivery.in_flight().map_or(0, |batch| batch.count);
        let queued = self.queue.len() + sending;
        let mut status = Object::default();
        status
            .json("recording", if recording { "true" } else { "false" })
            .text("reason", reason)
            .text("visitor", &self.visitor)
            .text("session", session)
            .number("queued", queued as u64)
            .number("lost", self.lost());
        status.finish()
    }
}

#[cfg(test)]
mod tests;
