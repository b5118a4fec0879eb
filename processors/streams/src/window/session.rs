use super::{Error, Kind, Span, Windows};

/// Windows that last for as long as records of a key come, not yet checked.
#[derive(Clone, Copy, Debug)]
#[must_use = "windows are complete when their grace is said"]
pub struct SessionWindows {
    gap: Span,
}

impl SessionWindows {
    /// A session ends when no record has come for longer than `gap`. As a window, it begins with its
    /// first record and ends so long after its last one.
    pub const fn with_gap(gap: Span) -> Self {
        Self { gap }
    }

    /// As [`TimeWindows::grace`](super::TimeWindows::grace).
    ///
    /// # Errors
    /// When the gap is not above 0, or the grace is negative.
    pub fn grace(self, grace: Span) -> Result<Windows, Error> {
        let gap = self.gap.as_millis();
        if gap <= 0 {
            return Err(Error::SessionGap { gap });
        }
        Windows::checked(Kind::Sessions { gap }, grace)
    }
}
