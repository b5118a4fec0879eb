//! Which windows a record belongs to, when they close, and the panes that they are made of.

use std::time::Duration;

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span(i64);

/// A length of `count` milliseconds.
#[must_use]
pub const fn millis(count: i64) -> Span {
    Span(count)
}

/// A length of `count` seconds.
#[must_use]
pub const fn seconds(count: i64) -> Span {
    Span(count.saturating_mul(1_000))
}

/// A length of `count` minutes.
#[must_use]
pub const fn minutes(count: i64) -> Span {
    Span(count.saturating_mul(60_000))
}

/// A length of `count` hours.
#[must_use]
pub const fn hours(count: i64) -> Span {
    Span(count.saturating_mul(3_600_000))
}

impl Span {
    /// Its milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The same as the standard library has it; nothing for less than nothing.
    #[must_use]
    pub fn as_duration(self) -> Duration {
        Duration::from_millis(u64::try_from(self.0).unwrap_or_default())
    }
}

/// Windows of one size that begin at the multiples of an advance, not yet checked.
#[derive(Clone, Copy, Debug)]
#[must_use = "windows are complete when their grace is said"]
pub struct TimeWindows {
    size: Span,
    advance: Span,
}

impl TimeWindows {
    /// Tumbling windows: one begins where another ends.
    pub const fn of(size: Span) -> Self {
        Self {
            size,
            advance: size,
        }
    }

    /// Hopping windows: one begins every `advance`, so a record belongs to size / advance of them.
    pub const fn advance_by(self, advance: Span) -> Self {
        Self { advance, ..self }
    }

    /// How long after a window's end records may still come for it. There is no default: too short
    /// loses records, too long delays final results.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn grace(self, grace: Span) -> Result<Windows, Error> {
        let (size, advance) = (self.size.0, self.advance.0);
        if size <= 0 {
            return Err(Error::Size { size });
        }
        if advance <= 0 {
            return Err(Error::Advance { advance });
        }
        if advance > size {
            return Err(Error::Gap { size, advance });
        }
        if grace.0 < 0 {
            return Err(Error::Grace { grace: grace.0 });
        }
        Ok(Windows {
            size,
            advance,
            grace: grace.0,
        })
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
    /// Windows would close before they end.
    #[error("expected a grace of 0 ms or more, found {grace} ms")]
    Grace { grace: i64 },
}

/// Checked windows, aligned to the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    size: i64,
    advance: i64,
    grace: i64,
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
    /// How long one window is.
    #[must_use]
    pub const fn size(&self) -> Span {
        Span(self.size)
    }

    /// The time between two beginnings.
    #[must_use]
    pub const fn advance(&self) -> Span {
        Span(self.advance)
    }

    /// How long after its end a window takes records.
    #[must_use]
    pub const fn grace(&self) -> Span {
        Span(self.grace)
    }

    /// The window that begins at `start`, which must be a multiple of the advance.
    pub(crate) const fn at(&self, start: i64) -> Window {
        Window {
            start,
            end: start.saturating_add(self.size),
        }
    }

    /// The windows that an event time of 0 or later belongs to, by start: as Kafka Streams'
    /// `TimeWindows.windowsFor` has them, so none begins before the epoch.
    pub fn containing(&self, time: i64) -> impl DoubleEndedIterator<Item = Window> + use<> {
        let windows = *self;
        let first = time
            .saturating_sub(self.size)
            .saturating_add(self.advance)
            .max(0)
            / self.advance;
        let last = time.div_euclid(self.advance);
        (first..=last).map(move |index| windows.at(index * windows.advance))
    }

    /// Whether a window takes no more records at this stream time.
    #[must_use]
    pub const fn is_closed(&self, window: Window, stream_time: i64) -> bool {
        window.end.saturating_add(self.grace) <= stream_time
    }

    /// The start of the pane that an event time lies in.
    ///
    /// Windows begin at multiples of the advance and end at such multiples plus the rest of
    /// size / advance. Panes are cut at both, at most two for each advance, so that every window is
    /// made of whole panes, whether or not its size is a multiple of its advance.
    pub(crate) const fn pane(&self, time: i64) -> i64 {
        let begin = time.div_euclid(self.advance) * self.advance;
        let cut = begin.saturating_add(self.size % self.advance);
        if time < cut { begin } else { cut }
    }

    /// The last window that a pane belongs to: when it has closed, the pane is of no more use.
    pub(crate) const fn last_of_pane(&self, pane: i64) -> Window {
        self.at(pane.div_euclid(self.advance) * self.advance)
    }

    /// How many windows, counted from the first there can be, have closed at this stream time.
    pub(crate) const fn closed_by(&self, stream_time: i64) -> i64 {
        stream_time
            .saturating_sub(self.size)
            .saturating_sub(self.grace)
            .div_euclid(self.advance)
    }
}

#[cfg(test)]
mod tests;
