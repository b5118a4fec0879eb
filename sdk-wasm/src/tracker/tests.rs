use super::*;
use crate::{delivery::Answer, options::tests::Set};
use proptest::prelude::*;
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeMap};

pub(super) const NOW: u64 = 1_764_000_000_000;

/// A page in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) stored: RefCell<BTreeMap<String, String>>,
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

pub(super) fn tracker(set: &'static [(&'static str, &'static str)], world: &mut Memory) -> Tracker {
    let context = r#"{"locale":"ko-KR"}"#.to_owned();
    Tracker::new(Options::new(&Set(set)), false, context, world)
}

pub(super) fn record(tracker: &mut Tracker, name: &str, now: u64, world: &mut Memory) {
    let event = serde_json::json!({ "type": "custom", "time": now, "name": name });
    tracker.record(&event.to_string(), now, world);
}

pub(super) fn answer(status: u16) -> Answer {
    Answer {
        status,
        random: 0.5,
        ..Answer::default()
    }
}

/// The numbers of the events that are handed over when the page is left.
pub(super) fn leave(tracker: &mut Tracker, now: u64, world: &mut Memory) -> Vec<Vec<u64>> {
    let mut batches = Vec::new();
    tracker.leave(now, world, &mut |body| {
        batches.push(numbers(body));
        true
    });
    batches
}

pub(super) fn read(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

/// The numbers of a batch's events.
pub(super) fn numbers(body: &str) -> Vec<u64> {
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
    assert_eq!(body["sdk"], identity::SDK);
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
