//! What would otherwise be said again and again is said at most once in ten seconds.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_secs(10);
/// Causes beyond that are taken for one.
const CAUSES: usize = 256;

/// Remembers what was said when.
#[derive(Debug, Default)]
pub(crate) struct Rarely(BTreeMap<String, Said>);

#[derive(Debug)]
struct Said {
    at: Instant,
    kept_back: u64,
}

impl Rarely {
    /// Whether something may be said because of this cause at `now`; and how often it was not, since
    /// it was said last.
    pub(crate) fn may_say(&mut self, cause: &str, now: Instant) -> Option<u64> {
        let is_known = self.0.contains_key(cause) || self.0.len() < CAUSES;
        let cause = if is_known { cause } else { "" };
        let Some(said) = self.0.get_mut(cause) else {
            let said = Said {
                at: now,
                kept_back: 0,
            };
            self.0.insert(cause.to_owned(), said);
            return Some(0);
        };
        if now.saturating_duration_since(said.at) < PAUSE {
            said.kept_back += 1;
            return None;
        }
        said.at = now;
        Some(std::mem::take(&mut said.kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn each_cause_is_said_once_in_ten_seconds_with_how_often_it_was_not() {
        let begin = clock::now();
        let mut rarely = Rarely::default();
        let mut say = |cause, after| rarely.may_say(cause, begin + Duration::from_millis(after));
        assert_eq!(say("a", 0), Some(0));
        assert_eq!(say("a", 1), None);
        assert_eq!(say("b", 2), Some(0));
        assert_eq!(say("a", 9_999), None);
        assert_eq!(say("a", 10_000), Some(2));
        assert_eq!(say("a", 10_001), None);
    }
}
