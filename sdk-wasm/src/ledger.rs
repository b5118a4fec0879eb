//! Counts the events that will not be delivered, by reason.

use crate::{
    json::{Object, push_number},
    scan::number,
};

/// Why an event is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The queue was full, and this event was its oldest.
    QueueFull,
    /// No request may be as large as this event.
    TooLarge,
    /// The server refused it.
    Rejected,
    /// Storage could not take it, or has spoilt it.
    StorageLost,
    /// It waited longer than the site allows.
    Expired,
    /// The SDK itself failed; this counts failures, for nobody knows how many events they cost.
    Trap,
}

/// What the contract calls them.
const NAMES: [&str; 6] = [
    "queue_full",
    "too_large",
    "rejected",
    "storage_lost",
    "expired",
    "trap",
];

/// The counts that no `lost` event has told yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    counts: [u64; NAMES.len()],
    /// How many events were lost in all, told or not.
    total: u64,
}

impl Ledger {
    /// Counts events.
    pub fn add(&mut self, reason: Reason, events: usize) {
        let events = events as u64;
        self.total += events;
        if let Some(count) = self.counts.get_mut(reason as usize) {
            *count += events;
        }
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// How many events this load has lost.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The counts as the properties of a `lost` event.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Object::default();
        for (name, count) in NAMES.into_iter().zip(self.counts) {
            if count > 0 {
                json.number(name, count);
            }
        }
        json.finish()
    }

    /// What was told need not be told again.
    pub fn clear(&mut self) {
        self.counts = Default::default();
    }

    /// The counts for storage: numbers with a space before each.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for count in self.counts {
            text.push_str(" ");
            push_number(&mut text, count);
        }
        text
    }

    /// Adds what another load has written by [`Ledger::to_text`] and could not tell.
    pub fn read(&mut self, mut text: &str) {
        for count in &mut self.counts {
            if let Some((told, rest)) = text.strip_prefix(" ").and_then(number) {
                *count = count.saturating_add(told);
                text = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_are_told_by_the_names_of_the_contract() {
        let mut ledger = Ledger::default();
        for (count, reason) in [
            (1, Reason::QueueFull),
            (2, Reason::TooLarge),
            (3, Reason::Rejected),
            (4, Reason::StorageLost),
            (5, Reason::Expired),
            (6, Reason::Trap),
        ] {
            ledger.add(reason, count);
        }
        let told =
            r#"{"queue_full":1,"too_large":2,"rejected":3,"storage_lost":4,"expired":5,"trap":6}"#;
        assert_eq!(ledger.to_json(), told);
        assert_eq!(ledger.total(), 21);
    }

    #[test]
    fn only_what_happened_is_told_and_only_once() {
        let mut ledger = Ledger::default();
        ledger.add(Reason::Expired, 2);
        assert_eq!(ledger.to_json(), r#"{"expired":2}"#);
        ledger.clear();
        assert!(ledger.is_empty());
        assert_eq!(ledger.total(), 2);
    }

    #[test]
    fn what_another_load_lost_is_told_but_is_not_of_this_load() {
        let mut ledger = Ledger::default();
        ledger.add(Reason::QueueFull, 1);
        ledger.read(" 2 0 0 0 0 1");
        assert_eq!(ledger.to_json(), r#"{"queue_full":3,"trap":1}"#);
        assert_eq!(ledger.total(), 1);
    }

    proptest! {
        #[test]
        fn counts_come_back_from_storage(counts in prop::array::uniform6(0..10_u64.pow(19))) {
            let ledger = Ledger { counts, total: 0 };
            let mut read = Ledger::default();
            read.read(&ledger.to_text());
            prop_assert_eq!(read, ledger);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>()) {
            Ledger::default().read(&text);
        }
    }
}
