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
        message_timeout: None,
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
    pending.watch(true, 1, now);
    pending
}

const LANE: Lane = Lane::Events(Some(0));

fn lane_of(message: &Message<'_>) -> Lane {
    match message.topic {
        Topic::Events => LANE,
        Topic::Rejected => Lane::Rejected,
    }
}

impl Pending {
    /// With all events for one partition.
    fn take_one(&mut self, request: Outgoing, now: Instant) -> Result<Taken, Unavailable> {
        self.take_to(0, request, now)
    }

    fn take_to(
        &mut self,
        partition: i32,
        request: Outgoing,
        now: Instant,
    ) -> Result<Taken, Unavailable> {
        let lanes = request.messages().map(|message| match message.topic {
            Topic::Events => Lane::Events(Some(partition)),
            Topic::Rejected => Lane::Rejected,
        });
        let lanes = lanes.collect();
        self.take(request, lanes, now)
    }

    fn give_back(
        &mut self,
        token: Token,
        message: &Message<'_>,
        failure: Failure,
        now: Instant,
    ) -> Fate {
        self.failed(token, message.into(), failure, "why", now)
    }

    /// Sends the first records of the spill.
    fn replay_first(&mut self, request: &Outgoing, pace: Pace, now: Instant) -> usize {
        let records: Vec<_> = (0..)
            .zip(request.messages())
            .map(|(ordinal, message)| (ordinal, message.bytes(), LANE))
            .collect();
        self.replay(&records, pace, now)
    }
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
    sent(pending.take_one(request.clone(), start()));
    let before = pending.depth();
    assert_eq!((before.events, before.records), (3, 4));
    assert_eq!(
        pending.take_one(request, start()).unwrap_err(),
        Unavailable::Full
    );
    assert_eq!(pending.depth(), before);
}

#[test]
fn after_a_refusal_there_is_no_room_until_half_is_free() {
    let request = outgoing(2, 0);
    let mut pending = queue(request.bytes() * 2 - 1);
    let (flight, request) = sent(pending.take_one(request, start()));
    assert!(pending.has_room());
    pending.take_one(outgoing(2, 0), start()).unwrap_err();
    assert!(!pending.has_room());
    deliver(&mut pending, flight, &request);
    assert!(pending.has_room());
    assert_eq!(pending.depth(), Depth::default());
}

#[test]
fn a_request_that_never_fits_does_not_make_the_queue_full() {
    let mut pending = queue(10);
    pending.take_one(outgoing(1, 0), start()).unwrap_err();
    assert!(pending.has_room());
}

#[test]
fn once_closed_nothing_is_taken() {
    let mut pending = queue(1 << 20);
    pending.close();
    assert_eq!(
        pending.take_one(outgoing(1, 0), start()).unwrap_err(),
        Unavailable::Closed
    );
    assert!(!pending.has_room());
}

#[test]
fn a_record_that_is_not_acknowledged_in_time_is_copied_and_newer_ones_go_to_the_spill() {
    let begin = start();
    let mut pending = with_spill(begin);
    let (flight, request) = sent(pending.take_one(outgoing(2, 1), begin));
    pending.watch(true, 1, begin + PATIENCE);
    assert!(pending.stuck_partitions().is_empty());
    let late = begin + PATIENCE + Duration::from_millis(1);
    pending.watch(true, 1, late);
    assert_eq!(pending.stuck_partitions(), [0]);
    assert!(matches!(
        pending.take_one(outgoing(4, 0), late),
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
    pending.watch(true, 1, late);
    assert!(pending.stuck_partitions().is_empty());
    assert_eq!(
        (pending.depth(), pending.log().unwrap().events()),
        (Depth::default(), 4)
    );
}

#[test]
fn behind_a_spilled_event_of_its_key_a_newer_one_waits_too() {
    let now = start();
    let mut pending = with_spill(now);
    pending.watch(false, 1, now);
    pending.take_one(outgoing(1, 0), now).unwrap();
    pending.watch(true, 1, now);
    assert!(matches!(
        pending.take_one(outgoing(1, 0), now),
        Ok(Taken::Spilled { .. })
    ));
    assert!(
        matches!(
            pending.take_one(outgoing(0, 1), now),
            Ok(Taken::Send { .. })
        ),
        "no event, no order"
    );
}

#[test]
fn a_failed_record_is_replayed_and_given_up_only_when_it_is_at_fault_itself() {
    let now = start();
    let mut pending = with_spill(now);
    let (flight, request) = sent(pending.take_one(outgoing(1, 0), now));
    let message = request.messages().next().unwrap();
    let fate = pending.give_back(Token::new(flight, 0), &message, Failure::OfBatch, now);
    assert_eq!(fate, Fate::Spilled(Topic::Events));
    for (failure, pace, fate) in [
        (Failure::Other, Pace::Together, Fate::Kept),
        (Failure::OfBatch, Pace::Together, Fate::Kept),
        (Failure::Other, Pace::Alone, Fate::Kept),
        (
            Failure::OfBatch,
            Pace::Alone,
            Fate::Dropped(Topic::Events, Dropped::DeliveryFailed),
        ),
    ] {
        let flight = pending.replay_first(&request, pace, now);
        assert_eq!(
            pending.give_back(Token::new(flight, 0), &message, failure, now),
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
    pending.watch(false, 1, now);
    let taken = pending.take_one(outgoing(3, 0), now);
    assert!(matches!(taken, Ok(Taken::Spilled { events: 3 })));
    pending.watch(true, 1, now);
    let log = pending.log_mut().unwrap();
    let write = log.write(now).unwrap();
    log.written(write.begin.is_some(), write.frames.len() as u64);
    assert_eq!(pending.due(now).unwrap().pace, Pace::Together);

    let request = outgoing(2, 0);
    let flight = pending.replay_first(&request, Pace::Together, now);
    for (index, message) in request.messages().enumerate() {
        assert!(
            index == 0 || pending.due(now).is_none(),
            "one is on its way"
        );
        let token = Token::new(flight, index);
        let fate = pending.give_back(token, &message, Failure::OfBatch, now);
        assert_eq!(fate, Fate::Kept);
    }
    let alone = pending.due(now).unwrap();
    assert_eq!(
        (alone.pace, alone.due.from, alone.due.until),
        (Pace::Alone, 0, 2)
    );
    let flight = pending.replay_first(&request, Pace::Alone, now);
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
    let (flight, request) = sent(pending.take_one(outgoing(2, 0), now));
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
    Take(usize, usize, i32),
    Settle(prop::sample::Index, u8),
    Watch(bool),
    Wait(u64),
    Replay,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_usize..4, 0_usize..3, 0..3).prop_map(|(accepted, rejected, partition)| {
            Step::Take(accepted, rejected, partition)
        }),
        8 => (any::<prop::sample::Index>(), 0_u8..6).prop_map(|(at, how)| Step::Settle(at, how)),
        2 => any::<bool>().prop_map(Step::Watch),
        2 => (0_u64..800).prop_map(Step::Wait),
        3 => Just(Step::Replay),
    ];
    prop::collection::vec(step, 1..120)
}

/// A record on its way: its token, the topic, the key, the value.
type OnItsWay = (Token, Topic, Option<Vec<u8>>, Vec<u8>);

fn on_its_way(token: Token, message: &Message<'_>) -> OnItsWay {
    let key = message.key.map(<[u8]>::to_vec);
    (token, message.topic, key, message.value.to_vec())
}

/// Goes through some steps, and checks after each that every event is in one place.
fn account(mut pending: Pending, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut now = start();
    let mut flying: Vec<OnItsWay> = Vec::new();
    let (mut accepted, mut ended) = (0, 0);
    for step in steps {
        match step {
            Step::Take(events, rejected, partition) => {
                let mut request = outgoing(events, rejected);
                pending.trim(&mut request);
                match pending.take_to(partition, request, now) {
                    Ok(Taken::Send {
                        flight, request, ..
                    }) => {
                        accepted += events;
                        let messages = request.messages().enumerate();
                        flying.extend(messages.map(|(index, message)| {
                            on_its_way(Token::new(flight, index), &message)
                        }));
                    }
                    Ok(Taken::Spilled { .. } | Taken::Waits { .. }) => accepted += events,
                    Err(_) => {}
                }
            }
            Step::Settle(at, how) if !flying.is_empty() => {
                let (token, topic, key, value) = flying.swap_remove(at.index(flying.len()));
                let key = key.as_deref();
                let bytes = value.len() + key.map_or(0, <[u8]>::len);
                let record = Returned { key, bytes };
                let fate = match how {
                    0 => pending.failed(token, record, Failure::OfBatch, "why", now),
                    1 => pending.failed(token, record, Failure::Other, "why", now),
                    2 => pending.failed(token, record, Failure::OfRecord, "why", now),
                    _ => pending.delivered(token, key, bytes).0,
                };
                let ends = match fate {
                    Fate::Produced { topic, .. } | Fate::Dropped(topic, _) => {
                        topic == Topic::Events
                    }
                    Fate::Spilled(_) | Fate::Kept | Fate::Unknown => false,
                };
                prop_assert!(!ends || topic == Topic::Events);
                ended += usize::from(ends);
            }
            Step::Settle(..) => {}
            Step::Watch(reachable) => pending.watch(reachable, 3, now),
            Step::Wait(millis) => now += Duration::from_millis(millis),
            Step::Replay => {
                for resend in pending.again(1000, lane_of, now) {
                    let message = resend.message().unwrap();
                    flying.push(on_its_way(resend.token, &message));
                }
                if let Some(log) = pending.log_mut() {
                    while let Some(write) = log.write(now) {
                        log.written(write.begin.is_some(), write.frames.len() as u64);
                    }
                    log.retire();
                }
            }
        }
        let waiting = pending.depth().events + pending.log().map_or(0, Log::events);
        prop_assert_eq!(accepted, ended + waiting);
        // What waits for partitions that take nothing may have a half more.
        prop_assert!(pending.depth().bytes <= 3000 + 1500);
    }
    let mut fates = pending.abandon();
    for (token, _, key, value) in flying {
        let key = key.as_deref();
        let bytes = value.len() + key.map_or(0, <[u8]>::len);
        let record = Returned { key, bytes };
        fates.push(pending.failed(token, record, Failure::Purged, "why", now));
    }
    let is_event = |fate: &&Fate| matches!(fate, Fate::Dropped(Topic::Events, _));
    ended += fates.iter().filter(is_event).count();
    prop_assert_eq!(pending.depth(), Depth::default());
    let spilled = pending.log().map_or(0, Log::events);
    prop_assert_eq!(accepted, ended + spilled);
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_every_event_is_in_one_place(steps in steps()) {
        account(Pending::new(rules(3000), Some(new_log(2000))), steps)?;
    }

    #[test]
    fn without_a_spill_too(steps in steps()) {
        account(queue(3000), steps)?;
    }
}

#[test]
fn what_a_missing_topic_gave_back_is_sent_again_in_its_order_and_newer_ones_wait_behind() {
    let now = start();
    let mut pending = queue(1 << 20);
    let (flight, request) = sent(pending.take_one(outgoing(3, 0), now));
    for (index, message) in request.messages().enumerate() {
        let fate = pending.give_back(Token::new(flight, index), &message, Failure::Other, now);
        assert_eq!(fate, Fate::Kept);
    }
    assert_eq!(pending.trouble(Topic::Events), Some("why"));
    let taken = pending.take_one(outgoing(2, 0), now);
    assert!(matches!(taken, Ok(Taken::Waits { .. })));
    assert_eq!(pending.depth().events, 5);
    assert!(pending.again(1 << 20, lane_of, now).is_empty(), "not yet");

    let later = now + again::RETRY;
    let run = pending.again(1 << 20, lane_of, later);
    let tokens: Vec<_> = run.iter().map(|resend| resend.token).collect();
    let behind = flight + 1;
    let order = [
        (flight, 0),
        (flight, 1),
        (flight, 2),
        (behind, 0),
        (behind, 1),
    ];
    assert_eq!(
        tokens,
        order.map(|(flight, index)| Token::new(flight, index))
    );
    assert!(matches!(
        pending.take_one(outgoing(1, 0), later),
        Ok(Taken::Send { .. })
    ));
    for resend in &run {
        let message = resend.message().unwrap();
        pending.delivered(resend.token, message.key, message.bytes());
    }
    assert_eq!(
        (pending.trouble(Topic::Events), pending.depth().events),
        (None, 1)
    );
}

#[test]
fn without_a_spill_a_refused_batch_goes_alone_and_only_the_one_at_fault_is_given_up() {
    let now = start();
    let mut pending = queue(1 << 20);
    let (flight, request) = sent(pending.take_one(outgoing(2, 0), now));
    for (index, message) in request.messages().enumerate() {
        let fate = pending.give_back(Token::new(flight, index), &message, Failure::OfBatch, now);
        assert_eq!(fate, Fate::Kept);
    }
    let taken = pending.take_one(outgoing(1, 0), now);
    assert!(matches!(taken, Ok(Taken::Send { .. })), "others go on");
    let run = pending.again(1 << 20, lane_of, now);
    assert!(run.iter().all(|resend| resend.pace == Pace::Alone));
    let [bad, good] = &run[..] else {
        panic!("{run:?}");
    };
    let message = bad.message().unwrap();
    let fate = pending.give_back(bad.token, &message, Failure::OfBatch, now);
    assert_eq!(fate, Fate::Dropped(Topic::Events, Dropped::DeliveryFailed));
    let message = good.message().unwrap();
    pending.delivered(good.token, message.key, message.bytes());
    assert_eq!(pending.depth().events, 1);
}

#[test]
fn what_is_given_back_waits_no_longer_than_a_record_may() {
    let now = start();
    let limit = Duration::from_secs(5);
    let rules = Rules {
        message_timeout: Some(limit),
        ..rules(1 << 20)
    };
    let mut pending = Pending::new(rules, None);
    let (flight, request) = sent(pending.take_one(outgoing(1, 0), now));
    let message = request.messages().next().unwrap();
    pending.give_back(Token::new(flight, 0), &message, Failure::Other, now);
    assert_eq!(pending.expire(now + limit - Duration::from_millis(1)), []);
    let dropped = Fate::Dropped(Topic::Events, Dropped::DeliveryFailed);
    assert_eq!(pending.expire(now + limit), [dropped]);
    assert_eq!(pending.depth(), Depth::default());
}

/// Partition 0 has taken nothing for too long.
fn stuck(mut pending: Pending, events: usize) -> (Pending, Instant) {
    let begin = start();
    pending.watch(true, 3, begin);
    sent(pending.take_to(0, outgoing(events, 0), begin));
    let late = begin + PATIENCE * 2;
    pending.watch(true, 3, late);
    assert_eq!(pending.stuck_partitions(), [0]);
    (pending, late)
}

#[test]
fn with_a_spill_one_partition_that_takes_nothing_holds_up_no_other() {
    let spill = Pending::new(rules(1 << 20), Some(new_log(1 << 20)));
    let (mut pending, now) = stuck(spill, 1);
    let to_stuck = pending.take_to(0, outgoing(2, 0), now);
    assert!(matches!(to_stuck, Ok(Taken::Spilled { events: 2 })));
    assert!(pending.is_held(Lane::Events(Some(0))));
    assert!(!pending.is_held(Lane::Events(Some(1))));
    // All events of these tests have one key, and it lies in the spill now.
    let to_other = pending.take_to(1, outgoing(0, 1), now);
    assert!(matches!(to_other, Ok(Taken::Send { .. })));
    let log = pending.log_mut().unwrap();
    let write = log.write(now).unwrap();
    log.written(write.begin.is_some(), write.frames.len() as u64);
    assert!(pending.due(now).is_some(), "the replay goes on");
}

#[test]
fn without_a_spill_it_has_half_of_the_queue_and_the_others_have_the_rest() {
    let one = outgoing(1, 0).bytes();
    let (mut pending, now) = stuck(queue(one * 8), 2);
    pending.take_to(0, outgoing(2, 0), now).unwrap();
    assert_eq!(
        pending.take_to(0, outgoing(1, 0), now).unwrap_err(),
        Unavailable::Full
    );
    assert!(pending.has_room(), "for the others");
    pending.take_to(1, outgoing(4, 0), now).unwrap();
    assert_eq!(
        pending.take_to(1, outgoing(1, 0), now).unwrap_err(),
        Unavailable::Full
    );
    assert!(pending.is_full());
}

#[test]
fn while_no_partition_takes_anything_each_may_have_the_whole_queue() {
    let one = outgoing(1, 0).bytes();
    for (partitions, reachable) in [(1, true), (3, false)] {
        let (mut pending, now) = stuck(queue(one * 8), 2);
        pending.watch(reachable, partitions, now);
        pending.take_to(0, outgoing(6, 0), now).unwrap();
        let more = pending.take_to(0, outgoing(1, 0), now);
        assert_eq!(more.unwrap_err(), Unavailable::Full);
        assert!(!pending.has_room());
    }
}

#[test]
fn rejected_events_have_their_part_of_the_queue_and_hold_up_nothing() {
    let now = start();
    let mut pending = queue(8 * outgoing(0, 2).bytes());
    let mut request = outgoing(1, 2);
    assert_eq!(pending.trim(&mut request), 0);
    sent(pending.take_one(request, now));
    let mut more = outgoing(1, 3);
    assert_eq!(pending.trim(&mut more), 3);
    assert_eq!((more.records(), more.events()), (1, 1));
    pending.watch(true, 1, now + PATIENCE * 2);
    assert_eq!(pending.stuck_partitions(), [0]);

    let mut pending = queue(1 << 20);
    let (flight, request) = sent(pending.take_one(outgoing(0, 1), now));
    let message = request.messages().next().unwrap();
    let fate = pending.give_back(Token::new(flight, 0), &message, Failure::Other, now);
    assert_eq!(
        fate,
        Fate::Dropped(Topic::Rejected, Dropped::DeliveryFailed)
    );
    assert!(matches!(
        pending.take_one(outgoing(1, 1), now),
        Ok(Taken::Send { .. })
    ));
}

#[test]
fn what_a_full_topic_of_rejected_events_gives_back_does_not_stay_in_the_spill() {
    let now = start();
    let mut pending = with_spill(now);
    pending.watch(false, 1, now);
    pending.take_one(outgoing(0, 1), now).unwrap();
    pending.watch(true, 1, now);
    let request = outgoing(0, 1);
    let message = request.messages().next().unwrap();
    let flight = pending.replay(&[(0, message.bytes(), Lane::Rejected)], Pace::Together, now);
    let fate = pending.give_back(Token::new(flight, 0), &message, Failure::Other, now);
    assert_eq!(
        fate,
        Fate::Dropped(Topic::Rejected, Dropped::DeliveryFailed)
    );
    assert!(pending.due(now).is_none());
}

#[test]
fn an_answer_waits_for_the_events_and_not_for_the_records_of_rejected_ones() {
    let now = start();
    let rules = Rules {
        delivered: true,
        ..rules(1 << 20)
    };
    let mut pending = Pending::new(rules, None);
    let Ok(Taken::Send {
        flight,
        request,
        receipt,
    }) = pending.take_one(outgoing(1, 1), now)
    else {
        panic!("it is not sent");
    };
    let [event, rejected] = [0, 1].map(|index| request.message(index).unwrap());
    pending.give_back(Token::new(flight, 1), &rejected, Failure::Other, now);
    pending.delivered(Token::new(flight, 0), event.key, event.bytes());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let answer = runtime.block_on(receipt.honoured(Duration::from_secs(1)));
    assert_eq!(answer, Ok(()));
}

#[test]
fn after_a_failure_one_run_goes_first_and_the_others_when_kafka_has_taken_it() {
    let now = start();
    let mut pending = queue(1 << 20);
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let (flight, request) = sent(pending.take_one(outgoing(1, 0), now));
        tokens.push((Token::new(flight, 0), request));
    }
    for (token, request) in &tokens {
        let message = request.message(0).unwrap();
        pending.give_back(*token, &message, Failure::Other, now);
    }
    let later = now + again::RETRY;
    let first = pending.again(1, lane_of, later);
    assert_eq!(first.len(), 1);
    assert!(
        pending.again(1, lane_of, later).is_empty(),
        "one is on its way"
    );
    let message = first[0].message().unwrap();
    pending.delivered(first[0].token, message.key, message.bytes());
    assert_eq!(pending.again(1, lane_of, later).len(), 1);

    let mut pending = with_spill(now);
    pending.watch(false, 1, now);
    for _ in 0..2 {
        pending.take_one(outgoing(1, 0), now).unwrap();
    }
    pending.watch(true, 1, now);
    let log = pending.log_mut().unwrap();
    let write = log.write(now).unwrap();
    log.written(write.begin.is_some(), write.frames.len() as u64);
    assert!(pending.due(now).is_some());
    let request = outgoing(1, 0);
    let message = request.message(0).unwrap();
    let flight = pending.replay_first(&request, Pace::Together, now);
    assert!(pending.due(now).is_none(), "one is on its way");
    pending.delivered(Token::new(flight, 0), message.key, message.bytes());
    assert!(pending.due(now).is_some());
}
