//! Which windows a record belongs to, when they close, and the panes that they are made of.

mod calendar;
mod session;
mod span;

pub use calendar::{Calendar, CalendarWindows};
pub use session::SessionWindows;
pub use span::{Span, hours, millis, minutes, seconds};

use std::{fmt, sync::Arc};

/// Windows of one size that begin at the multiples of an advance, not yet checked.
#[derive(Clone, Copy, Debug)]
#[must_use = "windows are complete when their grace is said"]
pub struct TimeWindows {
    size: Span,
    advance: Span,
    offset: Span,
}

impl TimeWindows {
    /// Tumbling windows: one begins where another ends.
    pub const fn of(size: Span) -> Self {
        Self {
            size,
            advance: size,
            offset: millis(0),
        }
    }

    /// Hopping windows: one begins every `advance`, so a record belongs to size / advance of them.
    pub const fn advance_by(self, advance: Span) -> Self {
        Self { advance, ..self }
    }

    /// Lets windows begin so long after the multiples of the advance, e.g. days at six o'clock.
    pub const fn offset_by(self, offset: Span) -> Self {
        Self { offset, ..self }
    }

    /// How long after a window's end records may still come for it. There is no default: too short
    /// loses records, too long delays final results.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn grace(self, grace: Span) -> Result<Windows, Error> {
        let (size, advance) = (self.size.as_millis(), self.advance.as_millis());
        if size <= 0 {
            return Err(Error::Size { size });
        }
        if advance <= 0 {
            return Err(Error::Advance { advance });
        }
        if advance > size {
            return Err(Error::Gap { size, advance });
        }
        let steps = Steps {
            size,
            advance,
            offset: self.offset.as_millis().rem_euclid(advance),
        };
        Windows::checked(Kind::Steps(steps), grace)
    }
}

/// Why windows cannot be as they were asked for. All lengths are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No time would be in the windows.
    #[error("expected a window size above 0 ms, found {size} ms")]
    Size { size: i64 },
    /// The windows would not move on.
    #[error("expected an advance above 0 ms, found {advance} ms")]
    Advance { advance: i64 },
    /// Records between two windows would be in none.
    #[error("expected an advance up to the window size of {size} ms, found {advance} ms")]
    Gap { size: i64, advance: i64 },
    /// No two records would be in one session.
    #[error("expected a session gap above 0 ms, found {gap} ms")]
    SessionGap { gap: i64 },
    /// Windows would close before they end.
    #[error("expected a grace of 0 ms or more, found {grace} ms")]
    Grace { grace: i64 },
}

/// Checked windows.
#[derive(Clone, Debug)]
pub struct Windows {
    kind: Kind,
    grace: i64,
}

#[derive(Clone, Debug)]
enum Kind {
    Steps(Steps),
    Calendar(Arc<dyn Calendar>),
    Sessions { gap: i64 },
}

/// Windows of one length, one every advance. All in milliseconds, the offset less than an advance.
#[derive(Clone, Copy, Debug)]
struct Steps {
    size: i64,
    advance: i64,
    offset: i64,
}

/// One window: from `start` to before `end`, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    /// Its first millisecond.
    pub start: i64,
    /// The first millisecond after it.
    pub end: i64,
}

impl Windows {
    fn checked(kind: Kind, grace: Span) -> Result<Self, Error> {
        let grace = grace.as_millis();
        if grace < 0 {
            return Err(Error::Grace { grace });
        }
        Ok(Self { kind, grace })
    }

    /// How long one window is; in a calendar, the longest; of sessions, that of a single record.
    #[must_use]
    pub fn size(&self) -> Span {
        match &self.kind {
            Kind::Sessions { gap } => millis(*gap),
            Kind::Steps(steps) => millis(steps.size),
            Kind::Calendar(calendar) => calendar.longest(),
        }
    }

    /// The time between two beginnings; in a calendar, the longest; of sessions, the least.
    #[must_use]
    pub fn advance(&self) -> Span {
        match &self.kind {
            Kind::Sessions { gap } => millis(*gap),
            Kind::Steps(steps) => millis(steps.advance),
            Kind::Calendar(calendar) => calendar.longest(),
        }
    }

    /// How many windows hold one instant at most.
    pub(crate) fn overlapping(&self) -> usize {
        let (size, advance) = (self.size().as_millis(), self.advance().as_millis());
        // Sizes and advances are above zero.
        usize::try_from((size - 1) / advance + 1).unwrap_or(usize::MAX)
    }

    /// How long after its end a window takes records.
    #[must_use]
    pub const fn grace(&self) -> Span {
        millis(self.grace)
    }

    /// How long after the multiples of the advance windows begin.
    #[must_use]
    pub const fn offset(&self) -> Span {
        match &self.kind {
            Kind::Steps(steps) => millis(steps.offset),
            Kind::Calendar(_) | Kind::Sessions { .. } => millis(0),
        }
    }

    /// The calendar whose periods they are, if they are.
    #[must_use]
    pub fn calendar(&self) -> Option<&dyn Calendar> {
        match &self.kind {
            Kind::Calendar(calendar) => Some(&**calendar),
            Kind::Steps(_) | Kind::Sessions { .. } => None,
        }
    }

    /// How long a key must be silent for its session to end, if they are sessions.
    #[must_use]
    pub const fn session_gap(&self) -> Option<Span> {
        match &self.kind {
            Kind::Sessions { gap } => Some(millis(*gap)),
            Kind::Steps(_) | Kind::Calendar(_) => None,
        }
    }

    /// The window that begins at `start`, at which one must begin.
    pub(crate) fn at(&self, start: i64) -> Window {
        match &self.kind {
            Kind::Steps(steps) => steps.at(start),
            Kind::Calendar(calendar) => calendar.period(start),
            Kind::Sessions { gap } => alone(start, *gap),
        }
    }

    /// The windows that an event time of 0 or later belongs to, by start: as Kafka Streams'
    /// `TimeWindows.windowsFor` has them, so none begins before the epoch. With an offset or a
    /// calendar, the one that the epoch is in does. Of sessions, that of a record without others.
    pub fn containing(&self, time: i64) -> impl DoubleEndedIterator<Item = Window> + use<> {
        let (steps, period) = match &self.kind {
            Kind::Steps(steps) => (Some(steps.containing(time)), None),
            Kind::Calendar(calendar) => (None, Some(calendar.period(time))),
            Kind::Sessions { gap } => (None, Some(alone(time, *gap))),
        };
        steps.into_iter().flatten().chain(period)
    }

    /// Whether a window takes no more records at this stream time.
    #[must_use]
    pub const fn is_closed(&self, window: Window, stream_time: i64) -> bool {
        window.end.saturating_add(self.grace) <= stream_time
    }

    /// The start of the pane that an event time lies in.
    ///
    /// Windows begin once every advance and end the rest of size / advance later than others begin.
    /// Panes are cut at both, at most two for each advance, so that every window is made of whole
    /// panes, whether or not its size is a multiple of its advance. A calendar's are its periods.
    pub(crate) fn pane(&self, time: i64) -> i64 {
        match &self.kind {
            Kind::Steps(steps) => {
                let begin = steps.last_start(time);
                let cut = begin.saturating_add(steps.size % steps.advance);
                if time < cut { begin } else { cut }
            }
            Kind::Calendar(calendar) => calendar.period(time).start,
            Kind::Sessions { .. } => time,
        }
    }

    /// The last window that a pane belongs to: when it has closed, the pane is of no more use.
    pub(crate) fn last_of_pane(&self, pane: i64) -> Window {
        match &self.kind {
            Kind::Steps(steps) => steps.at(steps.last_start(pane)),
            Kind::Calendar(calendar) => calendar.period(pane),
            Kind::Sessions { gap } => alone(pane, *gap),
        }
    }

    /// A number that changes whenever a window has closed as stream time goes on.
    pub(crate) fn closed_by(&self, stream_time: i64) -> i64 {
        let ended = stream_time.saturating_sub(self.grace);
        match &self.kind {
            Kind::Steps(steps) => steps.index(ended.saturating_sub(steps.size)),
            Kind::Calendar(calendar) => calendar.period(ended).start,
            Kind::Sessions { .. } => ended,
        }
    }
}

const fn alone(time: i64, gap: i64) -> Window {
    Window {
        start: time,
        end: time.saturating_add(gap),
    }
}

impl Steps {
    const fn at(self, start: i64) -> Window {
        Window {
            start,
            end: start.saturating_add(self.size),
        }
    }

    /// How many beginnings there are from the first one after the epoch up to this time.
    const fn index(self, time: i64) -> i64 {
        time.saturating_sub(self.offset).div_euclid(self.advance)
    }

    /// The newest beginning up to this time.
    const fn last_start(self, time: i64) -> i64 {
        self.start(self.index(time))
    }

    const fn start(self, index: i64) -> i64 {
        index * self.advance + self.offset
    }

    fn containing(self, time: i64) -> impl DoubleEndedIterator<Item = Window> {
        let first = self.index(time.saturating_sub(self.size)) + 1;
        let earliest = if self.offset == 0 { 0 } else { -1 };
        let indices = first.max(earliest)..=self.index(time);
        indices.map(move |index| self.at(self.start(index)))
    }
}

/// What they are, in words. State of others is refused, so this must not change.
impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Steps(Steps {
                size,
                advance,
                offset,
            }) => {
                write!(f, "windows of {size} ms every {advance} ms")?;
                if *offset > 0 {
                    write!(f, " from {offset} ms on")?;
                }
            }
            Kind::Calendar(calendar) => write!(f, "{}", calendar.name())?,
            Kind::Sessions { gap } => write!(f, "sessions with a gap of {gap} ms")?,
        }
        write!(f, " with a grace of {} ms", self.grace)
    }
}

#[cfg(test)]
mod tests;
