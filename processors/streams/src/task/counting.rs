use crate::{
    Definition, Extracted, Size, State, Unusable, Window,
    aggregate::Place,
    changelog,
    join::Joins,
    reject,
    repartition::{self, Regrouped},
    route,
    seen::Seen,
    shape::{self, Shape},
    state::{Progress, Said, of_record},
    table::RowsFound,
};
use bytes::{Bytes, BytesMut};
use footfall_task::{Effects, Kind, Outgoing, Partition, Record, RestoreError, Timestamp};
use std::sync::Arc;

/// So many bytes of what is written share one piece of memory, and are freed together.
const PIECE: usize = 16 << 10;

/// Key and value of a record in a changelog.
type Change = (Bytes, Option<Bytes>);

/// One stream's windows in one partition.
#[derive(Debug)]
pub(super) struct Counting {
    pub(super) definition: Arc<Definition>,
    pub(super) changelog: Arc<str>,
    joins: Joins,
    /// Written to the changelog before anything else.
    shape: Shape,
    is_shape_saved: bool,
    /// What changelogs from before shapes have instead.
    windows_and_aggregates: String,
    /// The digest of how records are read.
    reading: u64,
    /// What of the state could not be read: of another definition it need not be.
    unread: Option<RestoreError>,
    pub(super) state: State,
    seen: Option<Seen>,
    saved_stream_time: Option<i64>,
}

impl Counting {
    /// `progress` is that of the source partitions, if there are several behind this one.
    pub(super) fn new(
        group: &str,
        definition: &Arc<Definition>,
        joins: Joins,
        progress: Option<Progress>,
    ) -> Self {
        let state = State::new(definition);
        Self {
            changelog: definition.changelog(group),
            joins,
            shape: definition.shape(),
            is_shape_saved: false,
            windows_and_aggregates: definition.windows_and_aggregates(),
            reading: definition.reading().digest(),
            unread: None,
            state: match progress {
                Some(progress) => state.behind(progress),
                None => state,
            },
            seen: definition
                .dedupe
                .map(|within| Seen::new(within, &definition.windows)),
            saved_stream_time: None,
            definition: Arc::clone(definition),
        }
    }

    pub(super) fn restore(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), RestoreError> {
        if key == shape::KEY {
            self.is_shape_saved = value.is_some();
            return value.map_or(Ok(()), |saved| self.shape.check(saved));
        }
        let seen = self.seen.as_mut();
        let shape = &self.windows_and_aggregates;
        match changelog::restore(&mut self.state, seen, shape, key, value) {
            Ok(()) => {}
            // It is said better why than by bytes.
            Err(error) if key == changelog::CLOCK_KEY => self.unread = Some(error),
            Err(error) => self.unread = self.unread.take().or(Some(error)),
        }
        self.saved_stream_time = self.state.stream_time();
        Ok(())
    }

    /// All of it has been read.
    pub(super) fn restored(&mut self) -> Result<(), RestoreError> {
        self.unread.take().map_or(Ok(()), Err)
    }

    pub(super) fn process(&mut self, record: &Record<'_>, now: Timestamp, effects: &mut Effects) {
        let definition = Arc::clone(&self.definition);
        let extract = &definition.extract;
        if !definition.rekeyed {
            let extract = |record: &Record<'_>| extract.extract(record);
            return self.count((record, Some(now)), None, extract, effects);
        }
        match repartition::unwrap(record, self.joins.count()) {
            // Those of the version before do not say how they were read.
            Some(Regrouped {
                source,
                reading: Some(reading),
                ..
            }) if reading != self.reading => {
                let why = Unusable::undecodable(
                    "expected a record that was re-keyed by the stream as it is defined, found one from \
                     before `from`, `where`, `key`, `time` or a join was changed",
                );
                let Definition { name, dlq, .. } = &*definition;
                reject::unusable(name, dlq.as_ref(), &source, why, effects);
            }
            Some(Regrouped {
                source,
                rows,
                key,
                time,
                ..
            }) => {
                let complete = |record: &Record<'_>| extract.complete(record, key, time);
                self.count((&source, None), rows, complete, effects);
            }
            None => {
                let why = Unusable::undecodable(
                    "expected a record that this stream had re-keyed, found one of another origin",
                );
                reject::unusable(
                    &self.definition.name,
                    self.definition.dlq.as_ref(),
                    record,
                    why,
                    effects,
                );
            }
        }
    }

    /// Without `now`, the record's time was compared with the wall clock before.
    fn count(
        &mut self,
        (source, now): (&Record<'_>, Option<Timestamp>),
        rows: Option<RowsFound>,
        extract: impl FnOnce(&Record<'_>) -> Result<Option<Extracted>, Unusable>,
        effects: &mut Effects,
    ) {
        let found = match self.joins.through(source, rows, extract) {
            Ok(Some((found, _))) => found,
            Ok(None) => return,
            Err(why) => {
                let Definition { name, dlq, .. } = &*self.definition;
                return reject::unusable(name, dlq.as_ref(), source, why, effects);
            }
        };
        if let Some(now) = now
            && self.definition.is_ahead(found.time, now)
        {
            return reject::ahead(&self.definition, source, (found.time, now), effects);
        }
        let time = found.time.0;
        let place = Place {
            time,
            offset: source.offset.0,
            partition: source.partition.0,
        };
        if let (Some(seen), Some(id)) = (&mut self.seen, &found.id)
            && seen.is_duplicate(id, time)
        {
            return effects.count(&self.definition.name, Kind::Duplicate);
        }
        let refusing = match self.forgotten(&found) {
            Some(window) => vec![window],
            None => {
                self.reach(source, time);
                self.state.add(&found.key, place, &found.inputs)
            }
        };
        if !refusing.is_empty() {
            let stream_time = self.state.stream_time().unwrap_or(time);
            // A window that the wall clock has closed may be after the stream time.
            let late_by_ms = stream_time.saturating_sub(time).max(0);
            reject::late(&self.definition, source, &refusing, late_by_ms, effects);
        }
    }

    /// Stream time goes on to what a record's source partition has reached with it.
    fn reach(&mut self, source: &Record<'_>, time: i64) {
        let progress = self.state.progress();
        let origin = progress
            .is_some_and(Progress::has_routes)
            .then(|| route::origin(source))
            .flatten();
        let places = [(source.topic, source.partition.0)];
        self.state.reach(places.into_iter().chain(origin), time);
    }

    /// The session that a record would have been, if it is so old that its id may be forgotten: an
    /// open session may reach further back than ids are kept, and could count it a second time.
    fn forgotten(&self, found: &Extracted) -> Option<Window> {
        let gap = self.definition.windows.session_gap()?.as_millis();
        let (Some(_), Some(_)) = (&self.seen, &found.id) else {
            return None;
        };
        let start = found.time.0;
        let end = start.saturating_add(gap);
        let window = Window { start, end };
        let is_closed = self
            .definition
            .windows
            .is_closed(window, self.state.stream_time()?);
        is_closed.then_some(window)
    }

    /// The changelog holds nothing of this any more.
    pub(super) fn refill(&mut self) {
        self.state.refill();
        if let Some(seen) = &mut self.seen {
            seen.refill();
        }
        self.saved_stream_time = None;
        self.is_shape_saved = false;
    }

    pub(super) fn waiting(&self) -> usize {
        self.state.waiting() + self.seen.as_ref().map_or(0, Seen::waiting)
    }

    pub(super) fn size(&self) -> Size {
        let seen = self.seen.as_ref().map(Seen::size);
        self.state.size().plus(seen.unwrap_or_default())
    }

    pub(super) fn commit(&mut self, partition: Partition, effects: &mut Effects) {
        let definition = &self.definition;
        let stream_time = self.state.stream_time();
        let mut changes = Changes::new();
        let push_key = match definition.windows.session_gap() {
            None => changelog::push_pane_key,
            Some(_) => changelog::push_session_key,
        };
        let mut results = BytesMut::with_capacity(PIECE);
        let say = |said: Said<'_>| {
            let record = match said {
                Said::Retraction(retraction) => definition.retraction(retraction),
                Said::Result(result) => definition.record(result, &mut results),
            };
            effects.send(&definition.name, Kind::Output, record);
        };
        let commit = self.state.commit(say, |start, key, changed| {
            let key = changes.cut(|bytes| push_key(bytes, start, key));
            let value = changes.cut(|bytes| changelog::push_value(bytes, changed));
            let bytes = of_record(&key, &value);
            changes.all.push((key, Some(value)));
            bytes
        });
        for (start, key) in commit.gone {
            let key = changes.cut(|bytes| push_key(bytes, start, &key));
            changes.all.push((key, None));
        }
        let mut changes = changes.all;
        if !self.is_shape_saved {
            let value = self.shape.value().into();
            changes.insert(0, (Bytes::from_static(shape::KEY), Some(value)));
            self.is_shape_saved = true;
        }
        if let Some(starts) = commit.idle_closed {
            let value = changelog::idle_value(&starts).into();
            changes.push((Bytes::from_static(changelog::IDLE_KEY), Some(value)));
        }
        changes.extend(self.seen_changes(stream_time));
        // Without a stream time there is nothing to save, unless source partitions hold it back.
        let has_progressed = self.state.has_progressed();
        if self.saved_stream_time != stream_time || has_progressed {
            let reached = self.state.progress().map(Progress::reached);
            let reached = reached.unwrap_or_default();
            let shape = &self.windows_and_aggregates;
            let value = changelog::clock_value(stream_time, shape, reached).into();
            changes.push((Bytes::from_static(changelog::CLOCK_KEY), Some(value)));
            self.saved_stream_time = stream_time;
        }
        for (key, value) in changes {
            let record = Outgoing {
                topic: Arc::clone(&self.changelog),
                partition: Some(partition),
                // Not event time: brokers roll and delete by it, and a changelog must outlive that.
                timestamp: None,
                key: Some(key),
                value,
                headers: Vec::new(),
            };
            effects.send(&self.definition.name, Kind::Change, record);
        }
    }

    fn seen_changes(&mut self, stream_time: Option<i64>) -> Vec<Change> {
        let Some(seen) = &mut self.seen else {
            return Vec::new();
        };
        if let Some(time) = stream_time {
            seen.forget(time);
        }
        let changed = seen.changed().into_iter();
        changed
            .map(|(id, time)| {
                let value = time.map(changelog::seen_value);
                (changelog::seen_key(&id).into(), value.map(Bytes::from))
            })
            .collect()
    }
}

/// Changes of state, cut off pieces of memory that many share.
struct Changes {
    all: Vec<Change>,
    written: BytesMut,
    being_written: Vec<u8>,
}

impl Changes {
    fn new() -> Self {
        Self {
            all: Vec::new(),
            written: BytesMut::with_capacity(PIECE),
            being_written: Vec::new(),
        }
    }

    fn cut(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        self.being_written.clear();
        write(&mut self.being_written);
        self.written.extend_from_slice(&self.being_written);
        self.written.split().freeze()
    }
}
