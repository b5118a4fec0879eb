//! Troubles that do not hold up all of the work, for as long as they last.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What is not as it should be, by cause.
#[derive(Debug, Default)]
pub(super) struct Troubles(BTreeMap<String, Trouble>);

#[derive(Debug)]
struct Trouble {
    reason: String,
    /// Unless it is met again, it is over then.
    until: Instant,
}

impl Troubles {
    /// Whether it is news.
    pub(super) fn meet(&mut self, cause: String, reason: String, until: Instant) -> bool {
        let trouble = Trouble { reason, until };
        self.0.insert(cause, trouble).is_none()
    }

    /// Forgets those that are over, and says what they were.
    pub(super) fn take_old(&mut self, now: Instant) -> Vec<String> {
        let is_old = |_: &String, trouble: &mut Trouble| trouble.until <= now;
        let old = self.0.extract_if(.., is_old);
        old.map(|(_, trouble)| trouble.reason).collect()
    }

    /// One that lasts.
    pub(super) fn first(&self, now: Instant) -> Option<&String> {
        let mut lasting = self.0.values().filter(|trouble| trouble.until > now);
        lasting.next().map(|trouble| &trouble.reason)
    }
}

/// The end of a time from now.
pub(super) fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const LONG: Duration = Duration::from_secs(15);

    #[test]
    fn a_trouble_is_news_once_until_it_has_been_over() {
        let (mut troubles, begin) = (Troubles::default(), clock::now());
        let meet =
            |troubles: &mut Troubles, now| troubles.meet("c".into(), "r".into(), after(now, LONG));
        assert!(meet(&mut troubles, begin));
        let later = begin + Duration::from_secs(10);
        assert!(!meet(&mut troubles, later));
        assert_eq!(troubles.take_old(begin + LONG), Vec::<String>::new());
        assert_eq!(troubles.first(begin + LONG), Some(&"r".to_owned()));
        assert_eq!(troubles.first(later + LONG), None);
        assert_eq!(troubles.take_old(later + LONG), ["r"]);
        assert!(meet(&mut troubles, later + LONG));
    }
}
