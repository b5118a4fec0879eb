//! The thread that sends again what waits, in memory or in the spill, and that notices when Kafka no longer takes what it
//! is given.

use super::{KafkaSink, spread::Route};
use crate::{
    clock,
    outgoing::{Message, Topic},
    pending::{Lane, MAX_RECORDS, Pace, Replay, Token},
    sink::Sink as _,
    spill::{
        Folder,
        frame::{self, Item},
        log::{Due, Source},
        segment::HEADER,
    },
};
use std::{io, sync::Arc, time::Duration};

/// At most so many bytes at a time, and then a pause: about 50 MB a second, which leaves a processor to live traffic.
const STEP: usize = 256 << 10;
const PAUSE: Duration = Duration::from_millis(5);
const IDLE: Duration = Duration::from_millis(20);
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Replayer {
    sink: KafkaSink,
    /// `None`: there is no spill.
    folder: Option<Arc<Folder>>,
    read: Read,
    /// Counts up with every step.
    turn: u32,
}

/// What was read and not sent yet.
#[derive(Default)]
struct Read {
    /// The source's first ordinal, and whether it is a file.
    source: Option<(u64, bool)>,
    bytes: Arc<Vec<u8>>,
    /// Up to here they have been looked at.
    at: usize,
    /// Where in the file they end.
    file_at: u64,
    /// All ordinals below have been passed.
    next: u64,
}

impl Read {
    /// Whether nothing more of the source is to be read before the records that are due should come.
    fn has_all_of(&self, due: &Due) -> bool {
        let is_used_up = self.at == self.bytes.len();
        match due.source {
            Source::File { len } => !is_used_up || self.file_at >= len,
            Source::Memory(_) => true,
        }
    }
}

/// A record of the spill that goes to Kafka.
struct Going<'a> {
    ordinal: u64,
    message: Message<'a>,
    route: Route,
}

impl Replayer {
    pub(super) fn new(sink: KafkaSink, folder: Option<Arc<Folder>>) -> Self {
        Self {
            sink,
            folder,
            read: Read::default(),
            turn: 0,
        }
    }

    /// Works until the sink is stopped.
    pub(super) fn run(mut self) {
        while !self.sink.shared.is_stopped() {
            std::thread::sleep(self.turn());
        }
    }

    /// One step; says how long to pause.
    fn turn(&mut self) -> Duration {
        self.turn = self.turn.wrapping_add(1);
        self.watch();
        self.send_shortened();
        let resent = self.send_again();
        match self.folder.clone().map(|folder| self.replay(&folder)) {
            Some(Err(error)) => {
                tracing::error!(%error, "the spill cannot be read");
                RETRY
            }
            Some(Ok(true)) => PAUSE,
            _ if resent => PAUSE,
            Some(Ok(false)) | None => IDLE,
        }
    }

    /// Sends a step's bytes from the spill. Says whether there was anything to be sent.
    fn replay(&mut self, folder: &Folder) -> io::Result<bool> {
        let (mut sent, mut found) = (0, false);
        // What waits may lie scattered among what is done with.
        for _ in 0..MAX_RECORDS {
            let replay = self.sink.shared.pending().due(clock::monotonic());
            let Some(Replay { due, budget, pace }) = replay else {
                break;
            };
            found = true;
            match self.load(&due, folder) {
                Ok(()) => sent += self.send(&due, budget.min(STEP - sent), pace),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.lose(due.from, due.until);
                }
                Err(error) => return Err(error),
            }
            if sent >= STEP {
                break;
            }
        }
        Ok(found)
    }

    fn watch(&self) {
        let KafkaSink { shared, spread, .. } = &self.sink;
        let mut pending = shared.pending();
        pending.watch(
            shared.reach.is_up(),
            spread.partitions(),
            clock::monotonic(),
        );
        let stuck = pending.stuck_partitions();
        drop(pending);
        if spread.set_stuck(&stuck) && !stuck.is_empty() {
            tracing::warn!(
                partitions = ?stuck,
                "kafka acknowledges nothing in these partitions: their events wait"
            );
        }
    }

    /// Rejected events' records that were too long for Kafka, without the event.
    fn send_shortened(&self) {
        let shortened = std::mem::take(&mut *self.sink.shared.shortened());
        for record in shortened {
            if self.sink.take(record).is_err() {
                self.sink.shared.metrics.rejected_lost(1);
            }
        }
    }

    /// What Kafka's client has given back. Says whether there was any.
    fn send_again(&self) -> bool {
        let KafkaSink { shared, spread, .. } = &self.sink;
        let now = clock::monotonic();
        let mut pending = shared.pending();
        let expired = pending.expire(now);
        let lane = |message: &Message<'_>| spread.route(message, self.turn).lane;
        let run = pending.again(STEP, lane, now);
        drop(pending);
        shared.give_up(expired);
        let records = run.iter().filter_map(|resend| {
            let message = resend.message()?;
            let route = spread.route(&message, self.turn);
            Some((resend.token, message, route, resend.pace))
        });
        self.sink.send_all(records, false);
        !run.is_empty()
    }

    /// Has the bytes of the source at hand.
    fn load(&mut self, due: &Due, folder: &Folder) -> io::Result<()> {
        let head = u64::try_from(HEADER).unwrap_or(u64::MAX);
        let source = (due.first, matches!(due.source, Source::File { .. }));
        if self.read.source != Some(source) || due.from < self.read.next {
            self.read = Read {
                source: Some(source),
                file_at: head,
                ..Read::default()
            };
            if let Source::Memory(frames) = &due.source {
                self.read.bytes = frames.clone();
            }
        }
        let is_used_up = self.read.at == self.read.bytes.len();
        if let Source::File { len } = due.source
            && is_used_up
            && len > self.read.file_at
        {
            self.read.bytes = Arc::new(folder.read(due.first, self.read.file_at, len)?);
            self.read.at = 0;
            self.read.file_at = len;
        }
        Ok(())
    }

    /// Sends a run of records, as far as the budget goes. One record always goes. Those whose partition takes nothing are
    /// passed over. Says how many bytes were sent.
    fn send(&mut self, due: &Due, budget: usize, pace: Pace) -> usize {
        let bytes = self.read.bytes.clone();
        let mut run: Vec<Going<'_>> = Vec::new();
        let mut next = due.from;
        let mut size = 0;
        for item in frame::read(&bytes[self.read.at..]) {
            let frame = match item {
                Item::Frame(frame) => frame,
                Item::Damage(len) => {
                    self.read.at += len;
                    continue;
                }
            };
            if frame.ordinal >= due.from {
                let weight = frame.len;
                let ends = frame.ordinal >= due.until
                    || run.len() == MAX_RECORDS
                    || (!run.is_empty() && size + weight > budget);
                if ends {
                    break;
                }
                // What should be before it could not be read.
                self.lose(next, frame.ordinal);
                next = frame.ordinal + 1;
                let route = self.sink.spread.route(&frame.message, self.turn);
                if !self.pass_over(frame.ordinal, &frame.message, route.lane) {
                    size += weight;
                    run.push(Going {
                        ordinal: frame.ordinal,
                        message: frame.message,
                        route,
                    });
                }
            }
            self.read.at += frame.len;
            self.read.next = frame.ordinal + 1;
        }
        if next == due.from && self.read.has_all_of(due) {
            self.lose(due.from, due.until);
        }
        self.take_off(&run, pace);
        size
    }

    /// Whether a record has to wait because its partition takes nothing. That of a rejected event is given up then: it
    /// must not fill the spill.
    fn pass_over(&self, ordinal: u64, message: &Message<'_>, lane: Lane) -> bool {
        let shared = &self.sink.shared;
        let mut pending = shared.pending();
        if !pending.is_held(lane) {
            return false;
        }
        if let Some(log) = pending.log_mut() {
            match message.topic {
                Topic::Events => log.hold(ordinal),
                Topic::Rejected => {
                    log.done(ordinal, Topic::Rejected, message.key);
                    shared.metrics.rejected_lost(1);
                }
            }
        }
        true
    }

    fn take_off(&self, run: &[Going<'_>], pace: Pace) {
        if run.is_empty() {
            return;
        }
        let records: Vec<_> = run
            .iter()
            .map(|going| (going.ordinal, going.message.bytes(), going.route.lane))
            .collect();
        let shared = &self.sink.shared;
        let flight = shared.pending().replay(&records, pace, clock::monotonic());
        let records = run.iter().enumerate().map(|(index, going)| {
            let token = Token::new(flight, index);
            (token, going.message, going.route, pace)
        });
        self.sink.send_all(records, true);
    }

    fn lose(&self, from: u64, until: u64) {
        if from < until
            && let Some(log) = self.sink.shared.pending().log_mut()
        {
            tracing::warn!(records = until - from, "records in the spill are damaged");
            log.lose(from, until);
        }
    }
}
