use crate::tracker::{
    Tracker,
    tests::{Memory, NOW, answer, read, record, tracker},
};

const MINUTE: u64 = 60_000;

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
