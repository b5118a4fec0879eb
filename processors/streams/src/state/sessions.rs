//! Windows that end when their key falls silent.

use super::{Changed, ClosedBy, Commit, Key, Retraction, Said, Size, WindowResult, idle::Idle};
use crate::{
    Accumulator, Definition, Emit, Function, Input, Window, Windows,
    aggregate::{Place, Sample},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
    time::Duration,
};

/// The sessions of one stream in one partition.
///
/// A session takes every record of its key that is no further than the gap from one that it has; two
/// that meet become one. It is known by its first record, so whatever moves that, or the end, makes
/// a result that was said before untrue: that one is retracted.
#[derive(Debug)]
pub(super) struct Sessions {
    windows: Windows,
    gap: i64,
    emit: Emit,
    idle: Idle,
    functions: Vec<Function>,
    keys: HashMap<Key, BTreeMap<i64, Session>>,
    /// Each session by its newest record, its key and its start: the order in which they close.
    by_newest: BTreeSet<(i64, Key, i64)>,
    stream_time: Option<i64>,
    size: Size,
    /// The wall clock has closed all there are.
    is_quiet: bool,
    /// Start and key of sessions that have changed since the last commit.
    changed: BTreeSet<(i64, Key)>,
    /// Those that have gone since the last commit, and are still in the changelog.
    gone: BTreeSet<(i64, Key)>,
    /// Results that were due before the next commit.
    due: Vec<WindowResult>,
    /// Results that are not true any more.
    retractions: Vec<Retraction>,
}

#[derive(Clone, Debug)]
struct Session {
    /// The event time of its newest record.
    newest: i64,
    accumulators: Vec<Accumulator>,
    /// Whether it is in the changelog.
    is_saved: bool,
    /// What it takes there, with its key.
    bytes: u32,
    /// The wall clock has closed it. It stays, without what it held, to refuse what comes later.
    is_closed: bool,
    /// Windows that results were said of and that are not retracted yet.
    said: Vec<Window>,
}

/// A session as it is in the changelog.
#[derive(Debug)]
pub(crate) struct SavedSession {
    pub(crate) newest: i64,
    /// None when the wall clock has closed it.
    pub(crate) accumulators: Option<Vec<Accumulator>>,
    /// Of its record, with the key.
    pub(crate) bytes: u32,
}

impl Sessions {
    pub(super) fn new(definition: &Definition, gap: i64, functions: Vec<Function>) -> Self {
        Self {
            windows: definition.windows.clone(),
            gap,
            emit: definition.emit,
            idle: Idle::new(definition.idle_timeout),
            functions,
            keys: HashMap::new(),
            by_newest: BTreeSet::new(),
            stream_time: None,
            size: Size::default(),
            is_quiet: false,
            changed: BTreeSet::new(),
            gone: BTreeSet::new(),
            due: Vec::new(),
            retractions: Vec::new(),
        }
    }

    pub(super) fn stream_time(&self) -> Option<i64> {
        self.stream_time
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Takes a record; returns the session that refuses it because it has closed.
    pub(super) fn add(&mut self, key: &[u8], place: Place, inputs: &[Input]) -> Vec<Window> {
        self.idle.record();
        let near = self.near(key, place.time);
        if let Some(refusing) = self.refusing(key, place.time, &near) {
            return vec![refusing];
        }
        let key: Key = match self.keys.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None => key.into(),
        };
        self.is_quiet = false;
        let (start, mut session) = self.merge(&key, place.time, &near);
        for (index, accumulator) in session.accumulators.iter_mut().enumerate() {
            let input = inputs.get(index).unwrap_or(&Input::Missing);
            accumulator.add(Sample { input, place });
        }
        self.changed.insert((start, Arc::clone(&key)));
        self.put(key, start, session);
        Vec::new()
    }

    /// The wall clock has gone on. Returns whether that has closed sessions.
    pub(super) fn tick(&mut self, clock: Duration) -> bool {
        if !self.idle.is_due(clock) || std::mem::replace(&mut self.is_quiet, true) {
            return false;
        }
        let mut has_closed = false;
        for (newest, key, start) in self.by_newest.clone() {
            let window = self.window(start, newest);
            let is_changed = self.changed.contains(&(start, Arc::clone(&key)));
            let sessions = self.keys.get_mut(&key);
            let Some(session) = sessions.and_then(|sessions| sessions.get_mut(&start)) else {
                continue;
            };
            if session.is_closed {
                continue;
            }
            let mut closed = session.clone();
            session.is_closed = true;
            session.said.clear();
            session.accumulators.clear();
            self.changed.insert((start, Arc::clone(&key)));
            self.say_last(&key, window, &mut closed, is_changed, ClosedBy::Idle);
            has_closed = true;
        }
        has_closed
    }

    /// About how much a commit would say and change, at most.
    pub(super) fn waiting(&self) -> usize {
        // Of each session a result, a retraction and a change.
        self.due.len() + self.retractions.len() + 3 * self.changed.len() + self.gone.len()
    }

    /// Takes what has changed since the last call. Says what is due, and shows each session that is
    /// new or other than before; `change` returns the bytes of its record.
    pub(super) fn commit(
        &mut self,
        mut say: impl FnMut(Said<'_>),
        mut change: impl FnMut(i64, &[u8], &Changed<'_>) -> u32,
    ) -> Commit {
        let mut results = std::mem::take(&mut self.due);
        for (start, key) in std::mem::take(&mut self.changed) {
            let sessions = self.keys.get_mut(&key);
            let Some(session) = sessions.and_then(|sessions| sessions.get_mut(&start)) else {
                continue;
            };
            session.is_saved = true;
            if self.emit.says_updates() && !session.is_closed {
                let end = session.newest.saturating_add(self.gap);
                let window = Window { start, end };
                session.retract(&key, window, &mut self.retractions);
                results.push(session.result(&key, window, None));
                session.said.push(window);
            }
            let accumulators = (!session.is_closed).then_some(&*session.accumulators);
            let newest = session.newest;
            let changed = Changed::Session {
                newest,
                accumulators,
            };
            let bytes = change(start, &key, &changed);
            self.size.change(&mut session.bytes, bytes);
        }
        for retraction in self.retractions.drain(..) {
            say(Said::Retraction(&retraction));
        }
        for result in &results {
            say(Said::Result(result));
        }
        Commit {
            gone: std::mem::take(&mut self.gone).into_iter().collect(),
            idle_closed: None,
        }
    }

    /// The sessions that still take records and start in `starts`, by start, then key.
    pub(super) fn open(&self, starts: &Range<i64>, key: Option<&[u8]>) -> Vec<WindowResult> {
        let mut found = Vec::new();
        for (owner, sessions) in &self.keys {
            if key.is_some_and(|key| *key != **owner) {
                continue;
            }
            for (&start, session) in sessions.range(starts.start..starts.end.max(starts.start)) {
                if !session.is_closed {
                    let window = self.window(start, session.newest);
                    found.push(session.result(owner, window, None));
                }
            }
        }
        found.sort_by(|a, b| (a.window.start, &a.key).cmp(&(b.window.start, &b.key)));
        found
    }

    /// Everything counts as changed since the last commit.
    pub(super) fn refill(&mut self) {
        let all = self.by_newest.iter();
        self.changed = all
            .map(|(_, key, start)| (*start, Arc::clone(key)))
            .collect();
        self.gone.clear();
    }

    /// Puts back a session of an earlier life.
    pub(super) fn restore(&mut self, start: i64, key: &[u8], saved: Option<SavedSession>) {
        let key: Key = key.into();
        self.take(&key, start);
        let Some(SavedSession {
            newest,
            accumulators,
            bytes,
        }) = saved
        else {
            return;
        };
        let is_closed = accumulators.is_none();
        // What was saved had been said in the same commit.
        let has_said = self.emit.says_updates() && !is_closed;
        let session = Session {
            said: has_said
                .then(|| self.window(start, newest))
                .into_iter()
                .collect(),
            newest,
            accumulators: accumulators.unwrap_or_default(),
            is_saved: true,
            bytes,
            is_closed,
        };
        self.put(key, start, session);
    }

    pub(super) fn restore_stream_time(&mut self, time: i64) {
        self.stream_time = Some(time);
    }

    /// Moves stream time on to a later one, and closes the sessions that it has passed.
    pub(super) fn advance(&mut self, now: i64) {
        self.stream_time = Some(now);
        while let Some((newest, key, start)) = self.by_newest.first().cloned()
            && self.windows.is_closed(self.window(start, newest), now)
        {
            let is_changed = self.changed.contains(&(start, Arc::clone(&key)));
            let Some(mut session) = self.remove(&key, start) else {
                break;
            };
            if !session.is_closed {
                let window = self.window(start, newest);
                self.say_last(&key, window, &mut session, is_changed, ClosedBy::Time);
            }
        }
    }

    fn window(&self, start: i64, newest: i64) -> Window {
        Window {
            start,
            end: newest.saturating_add(self.gap),
        }
    }

    /// The starts of the sessions that a record would be in.
    fn near(&self, key: &[u8], time: i64) -> Vec<i64> {
        let Some(sessions) = self.keys.get(key) else {
            return Vec::new();
        };
        // They do not overlap, so the one that starts last also has the newest record.
        let before = sessions.range(..=time.saturating_add(self.gap)).rev();
        let near =
            before.take_while(|(_, session)| session.newest >= time.saturating_sub(self.gap));
        near.map(|(start, _)| *start).collect()
    }

    fn refusing(&self, key: &[u8], time: i64, near: &[i64]) -> Option<Window> {
        let sessions = self.keys.get(key);
        let closed = near.iter().find_map(|start| {
            let session = sessions?.get(start)?;
            let window = self.window(*start, session.newest);
            session.is_closed.then_some(window)
        });
        let alone = self.window(time, time);
        let is_over = |now| near.is_empty() && self.windows.is_closed(alone, now);
        closed.or_else(|| self.stream_time.is_some_and(is_over).then_some(alone))
    }

    /// Makes one of the sessions that a record is in.
    fn merge(&mut self, key: &Key, time: i64, near: &[i64]) -> (i64, Session) {
        let start = near.iter().copied().fold(time, i64::min);
        let functions = self.functions.iter();
        let mut merged = Session {
            newest: time,
            accumulators: functions.map(Function::start).collect(),
            is_saved: false,
            bytes: 0,
            is_closed: false,
            said: Vec::new(),
        };
        for near in near {
            let Some(session) = self.remove(key, *near) else {
                continue;
            };
            merged.newest = merged.newest.max(session.newest);
            merged.said.extend(session.said);
            let accumulators = merged.accumulators.iter_mut();
            for (accumulator, other) in accumulators.zip(&session.accumulators) {
                accumulator.merge(other);
            }
        }
        merged.is_saved = self.gone.remove(&(start, Arc::clone(key)));
        (start, merged)
    }

    fn say_last(
        &mut self,
        key: &Key,
        window: Window,
        session: &mut Session,
        is_changed: bool,
        closed_by: ClosedBy,
    ) {
        let is_final = self.emit.says_finals();
        if is_final || is_changed {
            session.retract(key, window, &mut self.retractions);
            let closed_by = is_final.then_some(closed_by);
            self.due.push(session.result(key, window, closed_by));
        }
    }

    /// Takes a session out of the state, and later out of the changelog.
    fn remove(&mut self, key: &Key, start: i64) -> Option<Session> {
        let session = self.take(key, start)?;
        let place = (start, Arc::clone(key));
        self.changed.remove(&place);
        if session.is_saved {
            self.gone.insert(place);
        }
        Some(session)
    }

    fn take(&mut self, key: &Key, start: i64) -> Option<Session> {
        let sessions = self.keys.get_mut(key)?;
        let session = sessions.remove(&start)?;
        if sessions.is_empty() {
            self.keys.remove(key);
        }
        self.by_newest
            .remove(&(session.newest, Arc::clone(key), start));
        self.size.bytes -= u64::from(session.bytes);
        self.size.entries -= 1;
        Some(session)
    }

    fn put(&mut self, key: Key, start: i64, session: Session) {
        self.by_newest
            .insert((session.newest, Arc::clone(&key), start));
        self.size.bytes += u64::from(session.bytes);
        self.size.entries += 1;
        self.keys.entry(key).or_default().insert(start, session);
    }
}

impl Session {
    fn result(&self, key: &Key, window: Window, closed_by: Option<ClosedBy>) -> WindowResult {
        WindowResult {
            window,
            key: Arc::clone(key),
            newest: self.newest,
            values: self.accumulators.clone(),
            closed_by,
        }
    }
    /// Takes back what was said of it under another window than it has now.
    fn retract(&mut self, key: &Key, window: Window, retractions: &mut Vec<Retraction>) {
        let said = std::mem::take(&mut self.said).into_iter();
        retractions.extend(said.filter(|said| *said != window).map(|said| Retraction {
            window: said,
            key: Arc::clone(key),
            newest: self.newest,
        }));
    }
}
