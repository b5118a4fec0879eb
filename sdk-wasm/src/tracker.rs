//! Records events under the right ids, and decides what is sent when.
//!
//! Pure: time comes in with every call, and everything else through [`World`].

use crate::{
    delivery::{Answer, Delivery},
    json::{Object, push_number},
    ledger::{Ledger, Reason},
    options::Options,
    queue::{Batch, END, Queue},
    retry::{Verdict, judge},
    scan::join,
    session::{Session, is_sampled},
};

/// What is said about the program that sends.
const SDK: &str = concat!("footfall-sdk/", env!("CARGO_PKG_VERSION"));

/// The most events that a gateway takes at once.
const MOST_EVENTS: usize = 500;

/// What the browser keeps for the page's end shares 64 KiB with whatever else the page has it keep.
const SNAPSHOT_BYTES: usize = 48 << 10;

/// The name of the visitor's id in storage.
pub const VISITOR: &str = "visitor";

/// The name of the session in storage.
pub const SESSION: &str = "session";

/// The name of what all tabs wait for in storage.
pub const WAIT: &str = "wait";

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
            match stored_visitor(world) {
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

    /// From now on events belong to this user.
    pub fn identify(&mut self, user: String) {
        self.user = user;
        self.seal();
    }

    /// What is said about the browser from now on, as JSON.
    pub fn describe(&mut self, context: String) {
        self.context = context;
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

    /// From now on events are recorded with the visitor's explicit consent.
    pub fn grant(&mut self) {
        self.consent = "granted";
        self.seal();
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

    /// When the next batch is due, unless something else happens first.
    #[must_use]
    pub fn due(&self, now: u64) -> Option<u64> {
        self.delivery.due(&self.queue, &self.options, now)
    }

    /// The next batch as a request's body, if one is due. An answer must follow.
    pub fn send(&mut self, now: u64, world: &mut impl World) -> Option<String> {
        self.refresh(now, world);
        let oldest = now.saturating_sub(self.options.max_age as u64);
        self.queue.expire(oldest, &mut self.ledger);
        if self.queue.is_empty() {
            self.delivery.rest();
        }
        if self.due(now)? > now {
            return None;
        }
        self.share(now, world);
        let batch = self.delivery.take(&mut self.queue, &self.options)?;
        let body = self.body(&batch, now);
        self.delivery.sent(batch, now);
        Some(body)
    }

    /// All that waits is due now, even during a backoff, but not while the server asked for time.
    pub fn flush(&mut self) {
        if !self.queue.is_empty() {
            self.delivery.hurry();
        }
    }

    /// Another tab may have heard of the server.
    pub fn refresh(&mut self, now: u64, world: &mut impl World) {
        if let Some(text) = world.stored(WAIT) {
            self.delivery.wait.read(&text, now);
        }
    }

    /// What became of the last batch that was sent. What was lost is told once the server takes
    /// something, for only then will the telling arrive.
    pub fn answered(&mut self, answer: Answer, now: u64, world: &mut impl World) {
        let before = self.delivery.wait.clone();
        let (queue, ledger) = (&mut self.queue, &mut self.ledger);
        self.delivery.answered(answer, now, queue, ledger);
        if self.delivery.wait != before {
            world.store(WAIT, &self.delivery.wait.to_text());
        }
        if judge(answer.status) == Verdict::Taken && !self.ledger.is_empty() {
            let mut lost = Object::default();
            lost.text("type", "lost")
                .number("time", now)
                .json("properties", &self.ledger.to_json());
            self.ledger.clear();
            self.record(&lost.finish(), now, world);
        }
    }

    /// The page may be gone in a moment: hands batches to `beacon` until it takes no more.
    pub fn leave(
        &mut self,
        now: u64,
        world: &mut impl World,
        beacon: &mut dyn FnMut(&str) -> bool,
    ) {
        self.share(now, world);
        self.refresh(now, world);
        // Leaving is announced twice; only what came after the first time is news.
        if self.left_at.replace(self.seq) == Some(self.seq) || !self.delivery.may_hurry(now) {
            return;
        }
        // Nobody reads a beacon's answer. When a failure is near, this one may fail too, so it is
        // sent again, under the same ids.
        let calm = self.delivery.wait.is_calm(now);
        while let Some(batch) = self.delivery.take(&mut self.queue, &self.options) {
            if !beacon(&self.body(&batch, now)) {
                self.queue.put_back(&batch);
                break;
            }
            self.queue.keep_sent(&batch);
        }
        if !calm {
            self.queue.judge_sent(false);
        }
    }

    /// What the browser may send if the page ends without a word: one request, while nothing fails.
    #[must_use]
    pub fn snapshot(&self, now: u64) -> String {
        if self.delivery.wait.is_failing() || !self.delivery.may_hurry(now) {
            return String::new();
        }
        let batch = self.queue.clone().take(MOST_EVENTS, SNAPSHOT_BYTES);
        batch.map_or_else(String::new, |batch| self.body(&batch, now))
    }

    /// All that has not arrived, on its way or not, as text for storage with room for so many bytes:
    /// the oldest events stay out. `for_good` counts them, because this page will not send them.
    pub fn unsent(&mut self, room: usize, for_good: bool) -> String {
        let mut all = self.queue.clone();
        if let Some(batch) = self.delivery.in_flight() {
            all.put_back(batch);
        }
        let gone = all.shrink(room);
        if for_good {
            let reason = match room {
                0 => Reason::StorageLost,
                _ => Reason::QueueFull,
            };
            self.ledger.add(reason, gone);
        }
        all.to_text(&self.ledger)
    }

    /// Takes over what another page could not send.
    pub fn adopt(&mut self, text: &str, now: u64) {
        self.queue.restore(text, &mut self.ledger);
        if !self.queue.is_empty() {
            self.delivery.wait_from(now);
        }
    }

    /// Another page has taken over what this one had stored.
    pub fn forget(&mut self) {
        self.queue.clear();
        self.ledger.clear();
        self.delivery.rest();
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

    fn start_visitor(&mut self, world: &mut impl World) {
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

    /// Takes over what other tabs have written, and writes down that the session goes on.
    fn share(&mut self, now: u64, world: &mut impl World) {
        self.join(now, world);
        self.fresh = false;
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

fn stored_visitor(world: &mut impl World) -> Option<String> {
    world.stored(VISITOR).filter(|id| id.len() == 36)
}

fn stored_session(now: u64, world: &mut impl World) -> Option<Session> {
    let session = Session::parse(&world.stored(SESSION)?)?;
    (!session.is_over(now)).then_some(session)
}

#[cfg(test)]
mod tests;
