use std::{fmt, time::Duration};

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

/// As it is written in a file: in the greatest unit that leaves no rest, `5m` or `90s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "m"),
            (1_000, "s"),
        ];
        let mut units = units.into_iter();
        let unit = units.find(|(unit, _)| self.0 != 0 && self.0 % unit == 0);
        let (unit, name) = unit.unwrap_or((1, "ms"));
        write!(f, "{}{name}", self.0 / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_said_in_the_greatest_unit_that_leaves_no_rest() {
        let said = [
            millis(0),
            millis(1_500),
            seconds(90),
            minutes(5),
            hours(24),
            hours(25),
        ];
        let said = said.map(|span| span.to_string());
        assert_eq!(said, ["0ms", "1500ms", "90s", "5m", "1d", "25h"]);
    }
}
