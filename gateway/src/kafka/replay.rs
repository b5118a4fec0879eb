//! The thread that brings the spill to Kafka, and that notices when Kafka no longer takes what it is given.

use super::KafkaSink;
use crate::{
    clock,
    outgoing::Message,
    pending::{MAX_RECORDS, Pace, Replay, Token},
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
    folder: Arc<Folder>,
    read: Read,
}

/// What was read and not sent yet.
#[derive(Default)]
struct Read {
    /// The source's first ordinal.
    first: Option<u64>,
    bytes: Arc<Vec<u8>>,
    /// Up to here they have been looked at.
    at: usize,
    /// Where in the file they end.
    file_at: u64,
    /// All ordinals below have been passed.
    next: u64,
}

impl Replayer {
    pub(super) fn new(sink: KafkaSink, folder: Arc<Folder>) -> Self {
        Self {
            sink,
            folder,
            read: Read::default(),
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
        let now = clock::monotonic();
        let is_up = self.sink.shared.reach.is_up();
        let mut pending = self.sink.shared.pending();
        pending.watch(is_up, now);
        let replay = pending.due(now);
        drop(pending);
        let Some(Replay { due, budget, pace }) = replay else {
            return IDLE;
        };
        match self.load(&due) {
            Ok(()) => self.send(&due, budget.min(STEP), pace),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.lose(due.from, due.until),
            Err(error) => {
                tracing::error!(%error, "the spill cannot be read");
                return RETRY;
            }
        }
        PAUSE
    }

    /// Has the bytes of the source at hand.
    fn load(&mut self, due: &Due) -> io::Result<()> {
        let head = u64::try_from(HEADER).unwrap_or(u64::MAX);
        if self.read.first != Some(due.first) || due.from < self.read.next {
            self.read = Read {
                first: Some(due.first),
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
            self.read.bytes = Arc::new(self.folder.read(due.first, self.read.file_at, len)?);
            self.read.at = 0;
            self.read.file_at = len;
        }
        Ok(())
    }

    /// Sends a run of records of one topic, as far as the budget goes. One record always goes.
    fn send(&mut self, due: &Due, budget: usize, pace: Pace) {
        let bytes = self.read.bytes.clone();
        let mut run: Vec<Message<'_>> = Vec::new();
        let (mut first, mut next, mut size) = (due.from, due.from, 0);
        for item in frame::read(&bytes[self.read.at..]) {
            let frame = match item {
                Item::Frame(frame) => frame,
                Item::Damage(len) => {
                    self.read.at += len;
                    continue;
                }
            };
            if frame.ordinal >= due.from {
                if run.is_empty() && frame.ordinal < due.until {
                    (first, next) = (frame.ordinal, frame.ordinal);
                }
                let weight = frame.len;
                let ends = frame.ordinal >= due.until
                    || frame.ordinal != next
                    || run
                        .first()
                        .is_some_and(|first| first.topic != frame.message.topic)
                    || run.len() == MAX_RECORDS
                    || (!run.is_empty() && size + weight > budget);
                if ends {
                    break;
                }
                next += 1;
                size += weight;
                run.push(frame.message);
            }
            self.read.at += frame.len;
            self.read.next = frame.ordinal + 1;
        }
        // What is before the first frame that could be read is lost; without one, all of it.
        self.lose(due.from, if run.is_empty() { due.until } else { first });
        self.take_off(first, &run, pace);
    }

    fn take_off(&self, first: u64, run: &[Message<'_>], pace: Pace) {
        let Some(topic) = run.first().map(|message| message.topic) else {
            return;
        };
        let bytes = run.iter().map(Message::bytes).sum();
        let now = clock::monotonic();
        let flight = self
            .sink
            .shared
            .pending()
            .replay(first, run.len(), topic, bytes, pace, now);
        for (index, message) in run.iter().enumerate() {
            let token = Token::new(flight, index);
            if let Err(error) = self.sink.send(token, message, Some(pace)) {
                self.sink.shared.failed(token, message, &error);
            }
        }
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
