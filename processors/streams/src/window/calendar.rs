use super::{Error, Kind, Span, Window, Windows};
use std::{fmt, sync::Arc};

/// Periods of people's time, such as the days of a time zone; they may differ in length. One begins
/// where another ends, and every instant is in one.
pub trait Calendar: fmt::Debug + Send + Sync {
    /// What the periods are, e.g. `days in Asia/Seoul`. State of other ones is refused.
    fn name(&self) -> String;

    /// The period that this instant is in, in milliseconds since the Unix epoch.
    fn period(&self, time: i64) -> Window;

    /// How long a period is at most.
    fn longest(&self) -> Span;
}

/// Windows that are the periods of a calendar, not yet checked.
#[derive(Clone, Debug)]
#[must_use = "windows are complete when their grace is said"]
pub struct CalendarWindows {
    calendar: Arc<dyn Calendar>,
}

impl CalendarWindows {
    /// One window for each period.
    pub fn of(calendar: impl Calendar + 'static) -> Self {
        Self {
            calendar: Arc::new(calendar),
        }
    }

    /// As [`TimeWindows::grace`](super::TimeWindows::grace).
    ///
    /// # Errors
    /// When it is negative.
    pub fn grace(self, grace: Span) -> Result<Windows, Error> {
        Windows::checked(Kind::Calendar(self.calendar), grace)
    }
}
