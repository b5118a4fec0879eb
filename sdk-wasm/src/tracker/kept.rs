//! What is kept for when this page is gone.

use super::Tracker;
use crate::ledger::Reason;

impl Tracker {
    /// All that has not arrived, on its way or not, as text for storage with room for so many bytes:
    /// the oldest events stay out. `for_good` counts them, because this page will not send them.
    pub fn unsent(&mut self, room: usize, for_good: bool) -> String {
        let mut all = self.queue.clone();
        if let Some(batch) = self.delivery.in_flight() {
            all.put_back(batch);
        }
        let gone = all.shrink(room);
        if for_good {
            let reason = match room {
                0 => Reason::StorageLost,
                _ => Reason::QueueFull,
            };
            self.ledger.add(reason, gone);
        }
        all.to_text(&self.ledger)
    }

    /// Takes over what another page could not send.
    pub fn adopt(&mut self, text: &str, now: u64) {
        self.queue.restore(text, &mut self.ledger);
        if !self.queue.is_empty() {
            self.delivery.wait_from(now);
        }
    }

    /// What this page has stored is another one's, also what is on its way: its answer changes
    /// nothing here.
    pub fn forget(&mut self) {
        self.queue.clear();
        self.ledger.clear();
        self.delivery.forget();
    }
}

#[cfg(test)]
mod tests {
    use crate::tracker::tests::{Memory, NOW, answer, leave, numbers, read, record, tracker};

    #[test]
    fn what_was_handed_over_is_sent_again_if_the_next_answer_is_a_failure() {
        for (status, queued) in [(202, 0), (503, 2)] {
            let mut world = Memory::default();
            let mut tracker = tracker(&[], &mut world);
            record(&mut tracker, "a", NOW, &mut world);
            assert_eq!(leave(&mut tracker, NOW, &mut world), [[0]]);
            let kept = tracker.unsent(10_000, true);
            assert!(kept.starts_with("?\n="), "{kept}");
            let mut next = self::tracker(&[], &mut world);
            next.adopt(&kept, NOW);
            assert_eq!(next.due(NOW), None, "nothing but what was handed over");
            record(&mut next, "b", NOW, &mut world);
            next.send(NOW + 1_000, &mut world).unwrap();
            next.answered(answer(status), NOW + 1_000, &mut world);
            assert_eq!(read(&next.status())["queued"], queued, "{status}");
            assert_eq!(read(&next.status())["lost"], 0);
        }
    }

    #[test]
    fn an_unanswered_batch_is_kept_for_the_next_page() {
        let mut world = Memory::default();
        let mut tracker = tracker(&[], &mut world);
        record(&mut tracker, "a", NOW, &mut world);
        tracker.send(NOW + 1_000, &mut world).unwrap();
        record(&mut tracker, "b", NOW + 1_000, &mut world);
        leave(&mut tracker, NOW + 1_000, &mut world);
        let kept = tracker.unsent(10_000, true);
        let mut next = self::tracker(&[], &mut world);
        next.adopt(&kept, NOW + 2_000);
        assert_eq!(numbers(&next.send(NOW + 3_000, &mut world).unwrap()), [0]);
    }

    #[test]
    fn a_late_answer_brings_nothing_back_that_was_given_away() {
        for status in [0, 202, 413, 503] {
            let mut world = Memory::default();
            let mut tracker = tracker(&[], &mut world);
            record(&mut tracker, "a", NOW, &mut world);
            tracker.send(NOW + 1_000, &mut world).unwrap();
            record(&mut tracker, "b", NOW + 1_000, &mut world);
            tracker.unsent(10_000, true);
            tracker.forget();
            tracker.answered(answer(status), NOW + 2_000, &mut world);
            assert_eq!(read(&tracker.status())["queued"], 0, "{status}");
            assert_eq!(tracker.unsent(10_000, true), "", "{status}");
            assert_eq!(tracker.due(NOW + 9_000_000), None, "{status}");
        }
    }

    #[test]
    fn a_page_that_comes_back_sends_what_it_gave_away_once_it_has_taken_it_over_again() {
        let mut world = Memory::default();
        let mut tracker = tracker(&[], &mut world);
        record(&mut tracker, "a", NOW, &mut world);
        let given = tracker.unsent(10_000, true);
        tracker.forget();
        record(&mut tracker, "b", NOW + 1_000, &mut world);
        tracker.adopt(&given, NOW + 2_000);
        for number in [0, 1] {
            let now = NOW + 9_000 * (number + 1);
            let sent = tracker.send(now, &mut world).unwrap();
            assert_eq!(numbers(&sent), [number]);
            tracker.answered(answer(202), now, &mut world);
        }
        assert_eq!(tracker.send(NOW + 99_000, &mut world), None);
    }

    #[test]
    fn leaving_hands_over_what_was_not_sent_and_the_next_page_sends_it_as_it_was() {
        let mut world = Memory::default();
        let mut left = tracker(&[], &mut world);
        record(&mut left, "a", NOW, &mut world);
        left.leave(NOW, &mut world, &mut |_| false);
        let kept = left.unsent(10_000, true);
        let mut next = tracker(&[], &mut world);
        next.adopt(&kept, NOW);
        record(&mut next, "b", NOW, &mut world);
        let body = read(&next.send(NOW, &mut world).unwrap());
        assert_eq!(body["load"], left.load());
        assert_eq!(body["events"].as_array().map(Vec::len), Some(1));
        next.answered(answer(202), NOW, &mut world);
        let body = read(&next.send(NOW + 3_000, &mut world).unwrap());
        assert_eq!(body["load"], next.load());
    }
}
