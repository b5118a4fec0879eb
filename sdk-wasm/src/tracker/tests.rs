use super::*;
use crate::options::tests::Set;
use proptest::prelude::*;
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeMap};

const NOW: u64 = 1_764_000_000_000;
const MINUTE: u64 = 60_000;

/// A page in memory.
#[derive(Default)]
struct Memory {
    stored: RefCell<BTreeMap<String, String>>,
    ids: u32,
}

impl World for Memory {
    fn id(&mut self) -> String {
        self.ids += 1;
        let (ms, end) = (NOW >> 16, NOW & 0xffff);
        std::format!("{ms:08x}-{end:04x}-7000-8000-{:012x}", self.ids)
    }

    fn stored(&mut self, name: &str) -> Option<String> {
        self.stored.borrow().get(name).cloned()
    }

    fn store(&mut self, name: &str, value: &str) -> bool {
        let mut stored = self.stored.borrow_mut();
        stored.insert(name.to_owned(), value.to_owned());
        true
    }
}

fn tracker(set: &'static [(&'static str, &'static str)], world: &mut Memory) -> Tracker {
    let context = r#"{"locale":"ko-KR"}"#.to_owned();
    Tracker::new(Options::new(&Set(set)), false, context, world)
}

fn record(tracker: &mut Tracker, name: &str, now: u64, world: &mut Memory) {
    let event = serde_json::json!({ "type": "custom", "time": now, "name": name });
    tracker.record(&event.to_string(), now, world);
}

fn answer(status: u16) -> Answer {
    Answer {
        status,
        random: 0.5,
        ..Answer::default()
    }
}

/// The numbers of the events that are handed over when the page is left.
fn leave(tracker: &mut Tracker, now: u64, world: &mut Memory) -> Vec<Vec<u64>> {
    let mut batches = Vec::new();
    tracker.leave(now, world, &mut |body| {
        batches.push(numbers(body));
        true
    });
    batches
}

fn read(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

/// The numbers of a batch's events.
fn numbers(body: &str) -> Vec<u64> {
    let body = read(body);
    let events = body["events"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_batch_has_all_members_of_the_contract() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[("writeKey", "demo")], &mut world);
    tracker.grant();
    tracker.identify("u_42".to_owned());
    record(&mut tracker, "order_placed", NOW, &mut world);
    let body = read(&tracker.send(NOW + 1_000, &mut world).unwrap());
    assert_eq!(body["write_key"], "demo");
    assert_eq!(body["sent_at"], NOW + 1_000);
    assert_eq!(body["sdk"], SDK);
    assert_eq!(body["user"], "u_42");
    assert_eq!(body["consent"], "granted");
    assert_eq!(body["context"]["locale"], "ko-KR");
    assert_eq!(body["load"], tracker.load());
    for id in ["visitor", "session", "load"] {
        assert_eq!(body[id].as_str().map(str::len), Some(36), "{id}");
    }
    assert_eq!(body["events"][0]["name"], "order_placed");
}

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

#[test]
fn a_new_user_starts_a_new_batch() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    tracker.identify("u".to_owned());
    record(&mut tracker, "b", NOW, &mut world);
    let body = read(&tracker.send(NOW, &mut world).unwrap());
    assert_eq!(body.get("user"), None);
    tracker.answered(answer(202), NOW, &mut world);
    let body = read(&tracker.send(NOW + 3_000, &mut world).unwrap());
    assert_eq!(body["user"], "u");
}

#[test]
fn a_break_starts_a_new_session_but_not_a_new_visitor() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[("batchCount", "1")], &mut world);
    let mut sent = |tracker: &mut Tracker, now| {
        record(tracker, "a", now, &mut world);
        let body = read(&tracker.send(now, &mut world).unwrap());
        tracker.answered(answer(202), now, &mut world);
        (body["visitor"].clone(), body["session"].clone())
    };
    let first = sent(&mut tracker, NOW);
    let second = sent(&mut tracker, NOW + 29 * MINUTE);
    let third = sent(&mut tracker, NOW + 60 * MINUTE);
    assert_eq!(first, second);
    assert_eq!(first.0, third.0);
    assert_ne!(first.1, third.1);
}

#[test]
fn a_session_goes_on_from_its_last_event_and_not_from_what_was_stored_before() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[("batchCount", "1")], &mut world);
    let mut sessions = Vec::new();
    for minutes in [0, 20, 40, 60] {
        let now = NOW + minutes * MINUTE;
        record(&mut tracker, "a", now, &mut world);
        let body = read(&tracker.send(now, &mut world).unwrap());
        tracker.answered(answer(202), now, &mut world);
        sessions.push(body["session"].clone());
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1);
}

#[test]
fn reset_makes_a_new_visitor_and_session() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    let before = read(&tracker.status());
    tracker.reset(NOW, &mut world);
    let after = read(&tracker.status());
    assert_ne!(before["visitor"], after["visitor"]);
    assert_ne!(before["session"], after["session"]);
}

#[test]
fn cookieless_batches_have_no_visitor_and_no_session_and_nothing_is_stored() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[("cookieless", "true")], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    let body = read(&tracker.send(NOW + 1_000, &mut world).unwrap());
    assert_eq!((body.get("visitor"), body.get("session")), (None, None));
    assert_eq!(body["load"], tracker.load());
    assert!(world.stored.borrow().is_empty());
}

#[test]
fn an_event_gets_an_id_and_a_number_in_front_and_stays_as_it_was() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[], &mut world);
    let event = r#"{"type":"page_view","page":{"url":"https://shop.example/"}}"#;
    tracker.record(event, NOW, &mut world);
    let body = tracker.send(NOW + 1_000, &mut world).unwrap();
    let id = read(&body)["events"][0]["id"].as_str().unwrap().to_owned();
    let rest = &event[1..];
    let events = std::format!(r#""events":[{{"id":"{id}","seq":0,{rest}]}}"#);
    assert!(body.ends_with(&events), "{body}");
    assert_eq!(id.len(), 36);
}

#[test]
fn two_tabs_that_start_at_once_on_empty_storage_are_one_visitor_in_one_session() {
    let mut world = Memory::default();
    let mut first = tracker(&[], &mut world);
    record(&mut first, "a", NOW, &mut world);
    let seen_by_second = std::mem::take(&mut world.stored);
    let mut second = tracker(&[], &mut world);
    record(&mut second, "b", NOW, &mut world);
    assert!(!seen_by_second.borrow().is_empty());
    let of = |tracker: &mut Tracker, now, world: &mut Memory| {
        let body = read(&tracker.send(now, world).unwrap());
        (body["visitor"].clone(), body["session"].clone())
    };
    let told = of(&mut first, NOW + 1_000, &mut world);
    assert_eq!(of(&mut second, NOW + 1_000, &mut world), told);
    assert!(first.status().contains(told.0.as_str().unwrap()));
}

#[test]
fn another_tabs_reset_does_not_change_what_was_recorded_before() {
    let mut world = Memory::default();
    let mut here = tracker(&[], &mut world);
    record(&mut here, "a", NOW, &mut world);
    let before = read(&here.send(NOW + 1_000, &mut world).unwrap());
    here.answered(answer(202), NOW + 1_000, &mut world);
    record(&mut here, "b", NOW + 1_000, &mut world);
    let mut there = tracker(&[], &mut world);
    there.reset(NOW + 2_000, &mut world);
    here.join(NOW + 2_000, &mut world);
    record(&mut here, "c", NOW + 2_000, &mut world);
    let old = read(&here.send(NOW + 4_000, &mut world).unwrap());
    here.answered(answer(202), NOW + 4_000, &mut world);
    let new = read(&here.send(NOW + 8_000, &mut world).unwrap());
    assert_eq!(old["visitor"], before["visitor"]);
    assert_ne!(new["visitor"], before["visitor"]);
}

#[test]
fn a_new_campaign_starts_a_session_and_the_same_one_continues_it() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[("batchCount", "1")], &mut world);
    let mut session = |campaign: &str| {
        tracker.campaign(campaign.to_owned(), NOW, &mut world);
        record(&mut tracker, "a", NOW, &mut world);
        read(&tracker.status())["session"].clone()
    };
    let spring = session("{\"utm_source\":\"spring\"}");
    assert_eq!(session("{\"utm_source\":\"spring\"}"), spring);
    assert_ne!(session("{\"utm_source\":\"autumn\"}"), spring);
}

#[test]
fn a_session_outside_of_the_sample_is_not_recorded_and_says_so() {
    let mut world = Memory::default();
    let mut tracker = tracker(&[("sample", "0")], &mut world);
    record(&mut tracker, "a", NOW, &mut world);
    assert_eq!(tracker.due(NOW), None);
    assert_eq!(read(&tracker.status())["reason"], "sampled_out");
}

proptest! {
    /// Whatever is answered, every event is delivered in order, or counted as lost.
    #[test]
    fn no_event_disappears(steps in prop::collection::vec((0u8..4, 0usize..6), 1..80)) {
        let mut world = Memory::default();
        let mut tracker = tracker(&[("batchCount", "3"), ("queueBytes", "1500")], &mut world);
        let (mut now, mut delivered) = (NOW, Vec::new());
        for (step, pick) in steps {
            now += 2_000;
            if step < 3 {
                record(&mut tracker, "e", now, &mut world);
            } else if let Some(body) = tracker.send(now, &mut world) {
                let status = [202, 0, 503, 429, 400, 202][pick];
                if status == 202 {
                    delivered.extend(numbers(&body));
                }
                tracker.answered(answer(status), now, &mut world);
            }
            let status = read(&tracker.status());
            let rest = status["queued"].as_u64().unwrap() + status["lost"].as_u64().unwrap();
            prop_assert_eq!(delivered.len() as u64 + rest, tracker.seq);
            prop_assert!(delivered.is_sorted());
        }
    }
}
