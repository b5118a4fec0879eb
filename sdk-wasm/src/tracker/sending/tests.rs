use super::*;
use crate::tracker::tests::{Memory, NOW, answer, leave, numbers, read, record, tracker};

#[test]
fn the_first_batch_goes_within_a_second_and_later_ones_by_their_age() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    assert_eq!(tracker.due(NOW), Some(NOW + 1_000));
    assert_eq!(tracker.send(NOW + 999, &mut world), None);
    assert!(tracker.send(NOW + 1_000, &mut world).is_some());
    tracker.answered(answer(202), NOW + 1_100, &mut world);
    assert_eq!(tracker.due(NOW + 1_100), None);
    record(&mut tracker, "b", NOW + 5_000, &mut world);
    assert_eq!(tracker.due(NOW + 5_000), Some(NOW + 8_000));
}

#[test]
fn flushing_and_coming_back_with_nothing_to_send_hurry_no_later_event() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    tracker.flush();
    tracker.adopt("", NOW);
    record(&mut tracker, "a", NOW + 60_000, &mut world);
    assert_eq!(tracker.due(NOW + 60_000), Some(NOW + 61_000));
}

#[test]
fn a_full_batch_is_due_at_once() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[("batchCount", "2")], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    record(&mut tracker, "b", NOW, &mut world);
    assert_eq!(tracker.due(NOW), Some(NOW));
}

#[test]
fn one_batch_is_on_its_way_at_a_time() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[("batchCount", "1")], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    record(&mut tracker, "b", NOW, &mut world);
    assert_eq!(numbers(&tracker.send(NOW, &mut world).unwrap()), [0]);
    assert_eq!(tracker.due(NOW), None);
    tracker.answered(answer(202), NOW, &mut world);
    assert_eq!(numbers(&tracker.send(NOW, &mut world).unwrap()), [1]);
}

#[test]
fn a_failed_batch_is_tried_again_after_the_backoff_and_not_before() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    let first = read(&tracker.send(NOW + 1_000, &mut world).unwrap());
    tracker.answered(answer(503), NOW + 1_000, &mut world);
    assert_eq!(tracker.due(NOW + 1_000), Some(NOW + 1_500));
    let again = read(&tracker.send(NOW + 1_500, &mut world).unwrap());
    assert_eq!(again["events"], first["events"]);
    assert_eq!(again["sent_at"], NOW + 1_500);
}

#[test]
fn leaving_sends_during_a_backoff_and_keeps_a_copy() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    tracker.send(NOW + 1_000, &mut world).unwrap();
    tracker.answered(answer(0), NOW + 1_000, &mut world);
    assert_eq!(leave(&mut tracker, NOW + 1_001, &mut world), [[0]]);
    let kept = tracker.unsent(10_000, true);
    assert!(
        kept.starts_with("=") && kept.contains("\"seq\":0"),
        "{kept}"
    );
}

#[test]
fn leaving_twice_hands_over_only_what_is_new() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    tracker.delivery.wait.fail(NOW, 1.0, None);
    record(&mut tracker, "a", NOW, &mut world);
    assert_eq!(leave(&mut tracker, NOW, &mut world), [[0]]);
    assert!(leave(&mut tracker, NOW, &mut world).is_empty());
    record(&mut tracker, "b", NOW, &mut world);
    assert_eq!(leave(&mut tracker, NOW, &mut world), [[0], [1]]);
}

#[test]
fn nothing_is_sent_while_the_server_asked_for_time() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    tracker.send(NOW + 1_000, &mut world).unwrap();
    let asked = Answer {
        asked_ms: Some(60_000),
        ..answer(429)
    };
    tracker.answered(asked, NOW + 1_000, &mut world);
    tracker.flush();
    assert_eq!(tracker.due(NOW + 2_000), Some(NOW + 61_000));
    assert!(leave(&mut tracker, NOW + 2_000, &mut world).is_empty());
    let kept = tracker.unsent(10_000, true);
    assert!(kept.contains("\"seq\":0"), "{kept}");
}

#[test]
fn an_unknown_write_key_stops_this_load() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    tracker.send(NOW + 1_000, &mut world).unwrap();
    record(&mut tracker, "b", NOW + 1_000, &mut world);
    tracker.answered(answer(401), NOW + 1_000, &mut world);
    record(&mut tracker, "c", NOW + 1_000, &mut world);
    assert_eq!(tracker.due(NOW + 9_000), None);
    let status = read(&tracker.status());
    assert_eq!(status["reason"], "stopped");
    assert_eq!(status["lost"], 2);
    assert_eq!(status["queued"], 0);
}

#[test]
fn what_the_server_refuses_is_lost_and_counted() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    tracker.send(NOW + 1_000, &mut world).unwrap();
    tracker.answered(answer(400), NOW + 1_000, &mut world);
    assert_eq!(read(&tracker.status())["lost"], 1);
    assert_eq!(tracker.due(NOW + 1_000), None);
}
