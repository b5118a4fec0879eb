use super::*;
use proptest::prelude::*;

fn event(number: usize) -> String {
    std::format!(r#"{{"seq":{number}}}"#)
}

fn filled(count: usize) -> Queue {
    let mut queue = Queue::new(10_000);
    for number in 0..count {
        queue.push("a", &event(number));
    }
    queue
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
    queue.push("b", &event(2));
    assert!(queue.has_full_batch(9, 1_000));
    assert_eq!(queue.take(9, 1_000).unwrap().envelope, "a");
    assert_eq!(queue.take(9, 1_000).unwrap().envelope, "b");
}

#[test]
fn a_full_queue_drops_its_oldest_events() {
    let mut queue = Queue::new(24);
    assert_eq!(queue.push("a", &event(0)), 0);
    assert_eq!(queue.push("a", &event(1)), 0);
    assert_eq!(queue.push("b", &event(2)), 1);
    assert_eq!(queue.take(9, 1_000).unwrap().events, "{\"seq\":1},\n");
}

#[test]
fn an_event_larger_than_the_queue_is_dropped() {
    let mut queue = Queue::new(8);
    assert_eq!(queue.push("a", &event(0)), 1);
    assert!(queue.is_empty());
}

#[test]
fn a_batch_that_was_put_back_is_the_next_one() {
    let mut queue = filled(3);
    let batch = queue.take(1, 1_000).unwrap();
    queue.put_back(batch.clone());
    assert_eq!(queue.take(1, 1_000), Some(batch));
}

#[test]
fn what_storage_spoiled_is_skipped() {
    let mut queue = Queue::new(1_000);
    queue.restore("{\"seq\":0},\n=e\n{\"seq\":1},\n{\"seq\":\n\n{\"seq\":3}");
    assert_eq!(queue.len(), 1);
}

proptest! {
    #[test]
    fn bytes_and_order_hold_whatever_happens(
        limit in 0usize..200,
        steps in prop::collection::vec((0u8..3, 1usize..40, 0u8..3), 0..60),
    ) {
        let mut queue = Queue::new(limit);
        let mut number = 0;
        for (step, size, envelope) in steps {
            match step {
                0 => {
                    queue.push(&envelope.to_string(), &event(number));
                    number += 1;
                }
                1 => drop(queue.take(size, size * 10)),
                _ => {
                    if let Some(batch) = queue.take(size, 50) {
                        queue.put_back(batch);
                    }
                }
            }
            let all: String = queue.batches.iter().map(|batch| batch.events.as_str()).collect();
            prop_assert!(all.len() == queue.bytes && queue.bytes <= limit);
            let numbers: Vec<usize> = all
                .lines()
                .map(|event| event[7..event.len() - 2].parse().unwrap())
                .collect();
            prop_assert_eq!(numbers.len(), queue.len());
            prop_assert!(numbers.is_sorted());
        }
        let mut restored = Queue::new(limit);
        prop_assert_eq!(restored.restore(&queue.to_text()), 0);
        prop_assert_eq!(restored.to_text(), queue.to_text());
    }
}
