use super::*;
use proptest::prelude::*;

fn event(number: usize) -> String {
    std::format!(r#"{{"seq":{number}}}"#)
}

fn queue_of(envelope: &str, numbers: std::ops::Range<usize>) -> Queue {
    let mut queue = Queue::new(10_000);
    for number in numbers {
        queue.push(envelope, &event(number), &mut Ledger::default());
    }
    queue
}

fn filled(count: usize) -> Queue {
    queue_of("a", 0..count)
}

/// The numbers of the events that wait.
fn numbers(queue: &Queue) -> Vec<usize> {
    let lines = queue.waiting.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|event| event[7..event.len() - 2].parse().unwrap())
        .collect()
}

fn counted(reason: Reason, count: usize) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.add(reason, count);
    ledger
}

#[test]
fn a_batch_ends_at_its_count() {
    let mut queue = filled(3);
    let batch = queue.take(2, 1_000).unwrap();
    assert_eq!(batch.events, "{\"seq\":0},\n{\"seq\":1},\n");
    assert_eq!(batch.count, 2);
    assert_eq!(queue.take(2, 1_000).unwrap().events, "{\"seq\":2},\n");
    assert_eq!(queue.take(2, 1_000), None);
}

#[test]
fn a_batch_ends_at_its_bytes_but_holds_one_event_at_least() {
    let mut queue = filled(3);
    assert_eq!(queue.take(9, 22).unwrap().count, 2);
    assert_eq!(queue.take(9, 1).unwrap().count, 1);
}

#[test]
fn a_batch_ends_where_the_envelope_changes() {
    let mut queue = filled(2);
    queue.push("b", &event(2), &mut Ledger::default());
    assert!(queue.has_full_batch(9, 1_000));
    assert_eq!(queue.take(9, 1_000).unwrap().envelope, "a");
    assert_eq!(queue.take(9, 1_000).unwrap().envelope, "b");
}

#[test]
fn a_full_queue_drops_and_counts_its_oldest_events() {
    // Two envelopes of 3 bytes in storage, and events of 11.
    let mut queue = Queue::new(28);
    let mut ledger = Ledger::default();
    queue.push("a", &event(0), &mut ledger);
    queue.push("a", &event(1), &mut ledger);
    assert!(ledger.is_empty());
    queue.push("b", &event(2), &mut ledger);
    assert_eq!(ledger, counted(Reason::QueueFull, 1));
    assert_eq!(numbers(&queue), [1, 2]);
    assert_eq!(queue.to_text(&Ledger::default()).len(), 28);
}

#[test]
fn an_event_larger_than_the_queue_is_too_large_and_costs_no_other() {
    let mut queue = Queue::new(14);
    let mut ledger = Ledger::default();
    queue.push("a", &event(1), &mut ledger);
    queue.push("a", &event(10), &mut ledger);
    assert_eq!(ledger, counted(Reason::TooLarge, 1));
    assert_eq!(numbers(&queue), [1]);
}

#[test]
fn a_batch_that_was_put_back_is_the_next_one() {
    let mut queue = filled(3);
    let batch = queue.take(1, 1_000).unwrap();
    queue.put_back(&batch);
    assert_eq!(queue.take(1, 1_000), Some(batch));
}

#[test]
fn what_was_handed_over_goes_when_the_server_takes_more_and_waits_again_when_not() {
    for (taken, expected) in [(true, vec![2]), (false, vec![0, 1, 2])] {
        let mut queue = filled(3);
        let sent = queue.take(2, 1_000).unwrap();
        queue.keep_sent(&sent);
        assert_eq!(queue.len(), 1);
        queue.judge_sent(taken);
        assert_eq!(numbers(&queue), expected);
        assert!(queue.sent.is_empty());
    }
}

#[test]
fn no_event_goes_under_the_envelope_of_another_load() {
    let mut queue = queue_of("mine", 0..1);
    queue.take(9, 1_000);
    queue.restore("=other\n{\"seq\":1},\n", &mut Ledger::default());
    queue.push("mine", &event(2), &mut Ledger::default());
    assert_eq!(queue.take(9, 1_000).unwrap().envelope, "other");
    assert_eq!(queue.take(9, 1_000).unwrap().envelope, "mine");
}

#[test]
fn an_envelope_without_events_is_passed_over() {
    let mut queue = Queue::new(1_000);
    queue.restore("=a\n=b\n{\"seq\":1},\n=c\n", &mut Ledger::default());
    assert_eq!(queue.take(9, 1_000).unwrap().envelope, "b");
    assert_eq!(queue.take(9, 1_000), None);
    assert!(queue.is_empty());
}

#[test]
fn what_was_handed_over_makes_room_first_and_is_not_counted() {
    let mut queue = filled(3);
    let sent = queue.take(2, 1_000).unwrap();
    queue.keep_sent(&sent);
    assert_eq!(queue.shrink(14), 0);
    assert_eq!(numbers(&queue), [2]);
}

#[test]
fn what_another_page_left_comes_first() {
    let mut queue = queue_of("b", 2..4);
    let left = queue_of("a", 0..2).to_text(&counted(Reason::Expired, 7));
    let mut ledger = Ledger::default();
    queue.restore(&left, &mut ledger);
    assert_eq!(numbers(&queue), [0, 1, 2, 3]);
    assert_eq!(ledger.to_json(), r#"{"expired":7}"#);
}

#[test]
fn lines_that_storage_has_spoilt_are_counted() {
    let mut queue = Queue::new(1_000);
    let mut ledger = Ledger::default();
    let text = "{\"seq\":0},\n=e\n{\"seq\":1},\n{\"seq\":\n{\"seq\":3}";
    queue.restore(text, &mut ledger);
    assert_eq!(numbers(&queue), [1]);
    assert_eq!(ledger, counted(Reason::StorageLost, 3));
}

#[test]
fn what_waited_too_long_is_dropped_and_counted() {
    let mut queue = Queue::new(1_000);
    let mut ledger = Ledger::default();
    for ms in [1_000, 2_000, 3_000] {
        let id = ::uuid::Builder::from_unix_timestamp_millis(ms, &[0; 10]).into_uuid();
        queue.push("a", &std::format!("{{\"id\":\"{id}\"}}"), &mut ledger);
    }
    queue.expire(3_000, &mut ledger);
    assert_eq!(queue.len(), 1);
    assert_eq!(ledger, counted(Reason::Expired, 2));
}

proptest! {
    #[test]
    fn bytes_and_order_hold_whatever_happens(
        limit in 0usize..200,
        steps in prop::collection::vec((0u8..3, 1usize..40, 0u8..3), 0..60),
    ) {
        let mut queue = Queue::new(limit);
        let mut ledger = Ledger::default();
        let (mut number, mut taken) = (0, 0);
        for (step, size, envelope) in steps {
            match step {
                0 => {
                    queue.push(&envelope.to_string(), &event(number), &mut ledger);
                    number += 1;
                }
                1 => taken += queue.take(size, size * 10).map_or(0, |batch| batch.count),
                _ => {
                    if let Some(batch) = queue.take(size, 50) {
                        queue.put_back(&batch);
                    }
                }
            }
            prop_assert!(queue.to_text(&Ledger::default()).len() <= limit);
            let numbers = numbers(&queue);
            prop_assert_eq!(numbers.len(), queue.len());
            prop_assert!(numbers.is_sorted());
            let lost = usize::try_from(ledger.total()).unwrap();
            prop_assert_eq!(numbers.len() + taken + lost, number);
            prop_assert_eq!(queue.has_full_batch(1, 1), number > taken + lost);
        }
        let mut restored = Queue::new(limit);
        let text = queue.to_text(&ledger);
        let mut read = Ledger::default();
        restored.restore(&text, &mut read);
        prop_assert_eq!(restored.to_text(&read), text);
    }

    #[test]
    fn any_text_is_restored_without_a_panic(text in "[!=?{},a\n 0-9]*") {
        let mut ledger = Ledger::default();
        let mut queue = Queue::new(100);
        queue.restore(&text, &mut ledger);
        prop_assert!(queue.bytes() <= 100);
    }
}
