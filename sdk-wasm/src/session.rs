//! A session: what one visitor does without a long break.

use crate::{
    json::push_number,
    scan::{number, split},
};

/// A break this long ends a session.
const IDLE_MS: u64 = 30 * 60_000;

/// No session lasts longer.
const LONGEST_MS: u64 = 24 * 60 * 60_000;

/// A session, as it is kept in storage and shared by tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// A UUID.
    pub id: String,
    /// When it started, in milliseconds since the Unix epoch.
    pub started: u64,
    /// When something was last recorded in it.
    pub active: u64,
    /// The campaign that it came from, on one line, or nothing.
    pub campaign: String,
}

impl Session {
    /// Starts one.
    #[must_use]
    pub fn new(id: String, now: u64) -> Self {
        Self {
            id,
            started: now,
            active: now,
            campaign: String::new(),
        }
    }

    /// Whether it is over: 30 minutes after the last event, or 24 hours after the start. A clock
    /// that was set back ends it too.
    #[must_use]
    pub fn is_over(&self, now: u64) -> bool {
        let since = |then| now.checked_sub(then);
        since(self.active).is_none_or(|idle| idle >= IDLE_MS)
            || since(self.started).is_none_or(|age| age >= LONGEST_MS)
    }

    /// Reads what [`Session::to_text`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, times) = split(text, b' ').filter(|(id, _)| id.len() == 36)?;
        let (started, rest) = number(times)?;
        let (active, rest) = number(rest.strip_prefix(" ")?)?;
        Some(Self {
            id: id.to_owned(),
            started,
            active,
            campaign: rest.strip_prefix(" ").unwrap_or_default().to_owned(),
        })
    }

    /// For storage.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.id.clone();
        for number in [self.started, self.active] {
            text.push_str(" ");
            push_number(&mut text, number);
        }
        text.push_str(" ");
        text.push_str(&self.campaign);
        text
    }
}

/// Whether a session is one of the share that is recorded: the same answer wherever it is asked.
#[must_use]
pub fn is_sampled(id: &str, share: f64) -> bool {
    let mut drawn: u32 = 0;
    for digit in id.bytes().filter_map(|byte| char::from(byte).to_digit(16)) {
        drawn = drawn << 4 | digit;
    }
    f64::from(drawn) < share * 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: u64 = 60_000;

    fn session(started: u64, active: u64) -> Session {
        let id = "0199d0a4-0000-7000-8000-000000000000".to_owned();
        Session {
            active,
            ..Session::new(id, started)
        }
    }

    #[test]
    fn a_session_ends_after_thirty_idle_minutes() {
        let session = session(1_000, 2_000);
        assert!(!session.is_over(2_000 + 30 * MINUTE - 1));
        assert!(session.is_over(2_000 + 30 * MINUTE));
    }

    #[test]
    fn a_session_ends_after_a_day_however_busy() {
        let day = 24 * 60 * MINUTE;
        assert!(!session(1_000, day).is_over(1_000 + day - 1));
        assert!(session(1_000, day).is_over(1_000 + day));
    }

    #[test]
    fn a_clock_that_was_set_back_ends_a_session() {
        assert!(session(1_000, 2_000).is_over(1_500));
    }

    #[test]
    fn what_is_no_session_is_not_read() {
        for text in ["", "x 1 2", "0199d0a4-0000-7000-8000-000000000000 1"] {
            assert_eq!(Session::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_digits_of_an_id_draw_the_lot() {
        let id = |end| std::format!("0199d0a4-0000-7000-8000-0000{end}");
        assert!(is_sampled(&id("7fffffff"), 0.5));
        assert!(!is_sampled(&id("80000000"), 0.5));
        assert!(is_sampled(&id("ffffffff"), 1.0));
        assert!(!is_sampled(&id("00000000"), 0.0));
    }

    proptest! {
        #[test]
        fn every_session_comes_back_from_storage(
            started in 0..10_u64.pow(19), active in 0..10_u64.pow(19), campaign in ".*",
        ) {
            let session = Session { campaign, ..session(started, active) };
            prop_assert_eq!(Session::parse(&session.to_text()), Some(session));
        }
    }
}
