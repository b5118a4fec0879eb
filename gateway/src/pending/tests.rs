use super::*;
use crate::{
    metrics::Dropped,
    outgoing::{Message, Outgoing, Topic},
    sink::Unavailable,
    spill::log,
    testing::outgoing,
};
use proptest::prelude::*;
use std::sync::Arc;

const PATIENCE: Duration = Duration::from_millis(500);

fn start() -> Instant {
    crate::clock::monotonic()
}

fn rules(queue_bytes: usize) -> Rules {
    Rules {
        queue_bytes,
        delivered: false,
        patience: PATIENCE,
    }
}

fn new_log(memory: usize) -> Log {
    let limits = log::Limits {
        disk: 1 << 20,
        memory,
    };
    log::Restore::new(limits, Default::default()).finish().0
}

/// Without a spill.
fn queue(bytes: usize) -> Pending {
    Pending::new(rules(bytes), None)
}

/// With one, and Kafka in reach.
fn with_spill(now: Instant) -> Pending {
    let mut pending = Pending::new(rules(1 << 20), Some(new_log(1 << 20)));
    pending.watch(true, now);
    pending
}

fn sent(taken: Result<Taken, Unavailable>) -> (usize, Arc<Outgoing>) {
    match taken {
        Ok(Taken::Send {
            flight, request, ..
        }) => (flight, request),
        other => panic!("{other:?} is not sent"),
    }
}

fn deliver(pending: &mut Pending, flight: usize, request: &Outgoing) -> Vec<Fate> {
    let messages = request.messages().enumerate();
    messages
        .map(|(index, message)| {
            let token = Token::new(flight, index);
            pending.delivered(token, message.key, message.bytes()).0
        })
        .collect()
}

#[test]
fn a_request_is_let_in_whole_or_not_at_all() {
    let request = outgoing(3, 1);
    let mut pending = queue(request.bytes() * 2 - 1);
    sent(pending.take(request.clone(), start()));
    let before = pending.depth();
    assert_eq!((before.events, before.records), (3, 4));
    assert_eq!(
        pending.take(request, start()).unwrap_err(),
        Unavailable::Full
    );
    assert_eq!(pending.depth(), before);
}

#[test]
fn after_a_refusal_there_is_no_room_until_half_is_free() {
    let request = outgoing(2, 0);
    let mut pending = queue(request.bytes() * 2 - 1);
    let (flight, request) = sent(pending.take(request, start()));
    assert!(pending.has_room());
    pending.take(outgoing(2, 0), start()).unwrap_err();
    assert!(!pending.has_room());
    deliver(&mut pending, flight, &request);
    assert!(pending.has_room());
    assert_eq!(pending.depth(), Depth::default());
}

#[test]
fn a_request_that_never_fits_does_not_make_the_queue_full() {
    let mut pending = queue(10);
    pending.take(outgoing(1, 0), start()).unwrap_err();
    assert!(pending.has_room());
}

#[test]
fn once_closed_nothing_is_taken() {
    let mut pending = queue(1 << 20);
    pending.close();
    assert_eq!(
        pending.take(outgoing(1, 0), start()).unwrap_err(),
        Unavailable::Closed
    );
    assert!(!pending.has_room());
}

#[test]
fn a_record_that_is_not_acknowledged_in_time_is_copied_and_newer_ones_go_to_the_spill() {
    let begin = start();
    let mut pending = with_spill(begin);
    let (flight, request) = sent(pending.take(outgoing(2, 1), begin));
    pending.watch(true, begin + PATIENCE);
    assert!(!pending.is_outage());
    let late = begin + PATIENCE + Duration::from_millis(1);
    pending.watch(true, late);
    assert!(pending.is_outage());
    assert!(matches!(
        pending.take(outgoing(4, 0), late),
        Ok(Taken::Spilled { events: 4 })
    ));
    assert_eq!(
        (pending.depth().events, pending.log().unwrap().events()),
        (2, 4)
    );

    let fates = deliver(&mut pending, flight, &request);
    let produced = |topic| Fate::Produced {
        topic,
        replayed: false,
    };
    assert_eq!(
        fates,
        [Topic::Events, Topic::Events, Topic::Rejected].map(produced)
    );
    pending.watch(true, late);
    assert!(!pending.is_outage());
    assert_eq!(
        (pending.depth(), pending.log().unwrap().events()),
        (Depth::default(), 4)
    );
}

#[test]
fn behind_a_spilled_event_of_its_key_a_newer_one_waits_too() {
    let now = start();
    let mut pending = with_spill(now);
    pending.watch(false, now);
    pending.take(outgoing(1, 0), now).unwrap();
    pending.watch(true, now);
    assert!(matches!(
        pending.take(outgoing(1, 0), now),
        Ok(Taken::Spilled { .. })
    ));
    assert!(
        matches!(pending.take(outgoing(0, 1), now), Ok(Taken::Send { .. })),
        "no event, no order"
    );
}

#[test]
fn a_failed_record_is_replayed_and_given_up_only_when_it_is_at_fault_itself() {
    let now = start();
    let mut pending = with_spill(now);
    let (flight, request) = sent(pending.take(outgoing(1, 0), now));
    let message = request.messages().next().unwrap();
    let fate = pending.failed(Token::new(flight, 0), &message, Failure::OfRecord, now);
    assert_eq!(fate, Fate::Spilled(Topic::Events));
    for (failure, pace, fate) in [
        (Failure::Other, Pace::Together, Fate::Kept),
        (Failure::OfRecord, Pace::Together, Fate::Kept),
        (Failure::Other, Pace::Alone, Fate::Kept),
        (
            Failure::OfRecord,
            Pace::Alone,
            Fate::Dropped(Topic::Events, Dropped::DeliveryFailed),
        ),
    ] {
        let flight = pending.replay(0, 1, Topic::Events, message.bytes(), pace, now);
        assert_eq!(
            pending.failed(Token::new(flight, 0), &message, failure, now),
            fate
        );
    }
    assert_eq!(
        (pending.depth(), pending.log().unwrap().events()),
        (Depth::default(), 0)
    );
}

#[test]
fn records_of_a_batch_that_was_refused_go_alone_once_none_is_on_its_way() {
    let now = start();
    let mut pending = with_spill(now);
    pending.watch(false, now);
    let taken = pending.take(outgoing(3, 0), now);
    assert!(matches!(taken, Ok(Taken::Spilled { events: 3 })));
    pending.watch(true, now);
    let log = pending.log_mut().unwrap();
    let write = log.write(now).unwrap();
    log.written(write.begin.is_some(), write.frames.len() as u64);
    assert_eq!(pending.due(now).unwrap().pace, Pace::Together);

    let request = outgoing(2, 0);
    let bytes = request.bytes();
    let flight = pending.replay(0, 2, Topic::Events, bytes, Pace::Together, now);
    for (index, message) in request.messages().enumerate() {
        assert!(
            index == 0 || pending.due(now).is_none(),
            "one is on its way"
        );
        let token = Token::new(flight, index);
        let fate = pending.failed(token, &message, Failure::OfRecord, now);
        assert_eq!(fate, Fate::Kept);
    }
    let alone = pending.due(now).unwrap();
    assert_eq!(
        (alone.pace, alone.due.from, alone.due.until),
        (Pace::Alone, 0, 2)
    );
    let flight = pending.replay(0, 2, Topic::Events, bytes, Pace::Alone, now);
    assert!(pending.due(now).is_none(), "what goes together waits");
    for (index, message) in request.messages().enumerate() {
        let token = Token::new(flight, index);
        pending.delivered(token, message.key, message.bytes());
    }
    let rest = pending.due(now).unwrap();
    assert_eq!(
        (rest.pace, rest.due.from, rest.due.until),
        (Pace::Together, 2, 3)
    );
}

#[test]
fn what_is_told_twice_counts_once() {
    let now = start();
    let mut pending = queue(1 << 20);
    let (flight, request) = sent(pending.take(outgoing(2, 0), now));
    let message = request.messages().next().unwrap();
    let token = Token::new(flight, 0);
    pending.delivered(token, message.key, message.bytes());
    assert_eq!(
        pending.delivered(token, message.key, message.bytes()).0,
        Fate::Unknown
    );
    assert_eq!(pending.depth().events, 1);
}

#[derive(Clone, Debug)]
enum Step {
    Take(usize, usize),
    Settle(prop::sample::Index, u8),
    Watch(bool),
    Wait(u64),
    Replay,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_usize..4, 0_usize..3).prop_map(|(accepted, rejected)| Step::Take(accepted, rejected)),
        8 => (any::<prop::sample::Index>(), 0_u8..6).prop_map(|(at, how)| Step::Settle(at, how)),
        2 => any::<bool>().prop_map(Step::Watch),
        2 => (0_u64..800).prop_map(Step::Wait),
        3 => Just(Step::Replay),
    ];
    prop::collection::vec(step, 1..120)
}

/// A record on its way: its token, the topic, the key, the value.
type OnItsWay = (Token, Topic, Option<Vec<u8>>, Vec<u8>);

proptest! {
    #[test]
    fn whatever_happens_every_event_is_in_one_place(steps in steps()) {
        let mut now = start();
        let mut pending = Pending::new(rules(3000), Some(new_log(2000)));
        let mut flying: Vec<OnItsWay> = Vec::new();
        let (mut accepted, mut ended) = (0, 0);
        for step in steps {
            match step {
                Step::Take(events, rejected) => match pending.take(outgoing(events, rejected), now) {
                    Ok(Taken::Send { flight, request, .. }) => {
                        accepted += events;
                        flying.extend(request.messages().enumerate().map(|(index, message)| (
                            Token::new(flight, index), message.topic,
                            message.key.map(<[u8]>::to_vec), message.value.to_vec(),
                        )));
                    }
                    Ok(Taken::Spilled { events }) => accepted += events,
                    Err(_) => {}
                },
                Step::Settle(at, how) if !flying.is_empty() => {
                    let (token, topic, key, value) = flying.swap_remove(at.index(flying.len()));
                    let key = key.as_deref();
                    let message = Message {
                        topic, key, value: &value,
                        timestamp: crate::testing::NOW, traceparent: None,
                    };
                    let fate = match how {
                        0 => pending.failed(token, &message, Failure::OfRecord, now),
                        1 => pending.failed(token, &message, Failure::Other, now),
                        _ => pending.delivered(token, key, message.bytes()).0,
                    };
                    let ends = matches!(fate, Fate::Produced { topic: Topic::Events, .. } | Fate::Dropped(Topic::Events, _));
                    ended += usize::from(ends);
                }
                Step::Settle(..) => {}
                Step::Watch(reachable) => pending.watch(reachable, now),
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Replay => {
                    let log = pending.log_mut().unwrap();
                    while let Some(write) = log.write(now) {
                        log.written(write.begin.is_some(), write.frames.len() as u64);
                    }
                    log.retire();
                }
            }
            let waiting = pending.depth().events + pending.log().unwrap().events();
            prop_assert_eq!(accepted, ended + waiting);
            prop_assert!(pending.depth().bytes <= 3000);
        }
    }
}
