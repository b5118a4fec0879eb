use super::*;
use crate::spill::segment::{HEADER, Header};
use footfall_protocol::Timestamp;
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    disk: 1 << 20,
    memory: 1 << 20,
};

fn now() -> Instant {
    crate::clock::monotonic()
}

fn new_log(limits: Limits) -> Log {
    Restore::new(limits, Ranges::default()).finish().0
}

fn message(value: &str) -> Message<'_> {
    Message {
        topic: Topic::Events,
        key: Some(b"demo/v"),
        value: value.as_bytes(),
        timestamp: Timestamp::from_millis(1_764_000_000_001),
        traceparent: None,
    }
}

/// The files that a log has written.
#[derive(Default)]
struct Files(Vec<(u64, Vec<u8>)>);

impl Files {
    fn write_all(&mut self, log: &mut Log) {
        while let Some(write) = log.write(now()) {
            if let Some(first) = write.begin {
                let begun = Timestamp::from_millis(0);
                self.0.push((first, Header { first, begun }.encode()));
            }
            let (_, file) = self.0.last_mut().unwrap();
            file.extend_from_slice(&write.frames);
            log.written(write.begin.is_some(), file.len() as u64);
        }
    }

    fn restore(&self, done: Ranges) -> (Log, Found) {
        let mut restore = Restore::new(LIMITS, done);
        for (first, bytes) in &self.0 {
            restore.add(*first, bytes);
        }
        restore.finish()
    }
}

/// Replays everything, in the order in which it becomes due.
fn drain(log: &mut Log) -> Vec<u64> {
    let mut sent = Vec::new();
    while let Some(due) = log.due() {
        log.send(due.from, due.until);
        for ordinal in due.from..due.until {
            log.done(ordinal, Topic::Events, Some(b"demo/v"));
            sent.push(ordinal);
        }
    }
    sent
}

#[test]
fn what_was_written_is_due_in_order_and_its_file_goes_when_all_is_done() {
    let mut log = new_log(LIMITS);
    let mut files = Files::default();
    for value in ["a", "b", "c"] {
        log.append(&message(value));
    }
    assert!(log.due().is_none(), "it is on its way to disk");
    files.write_all(&mut log);
    assert_eq!((log.events(), log.has_key(b"demo/v")), (3, true));
    assert_eq!(drain(&mut log), [0, 1, 2]);
    assert_eq!((log.events(), log.has_key(b"demo/v")), (0, false));
    assert_eq!(log.retire(), (vec![0], 0));
    assert!(log.is_empty());
}

#[test]
fn what_comes_while_an_earlier_run_is_read_is_due_after_it() {
    let mut log = new_log(LIMITS);
    let mut files = Files::default();
    for value in ["a", "b", "c"] {
        log.append(&message(value));
        files.write_all(&mut log);
    }
    let [(first, bytes)] = &mut *files.0 else {
        panic!("there is one file");
    };
    // The last record is damaged: nobody can tell whether it was one, or two.
    bytes.pop();
    let older = Older {
        first: *first,
        bytes: bytes.len() as u64,
    };
    let mut newest = Restore::new(LIMITS, Ranges::default());
    newest.add(*first, bytes);
    let next = newest.next();
    let mut log = Log::behind(older, next, Ranges::default(), LIMITS);
    assert!(log.is_behind() && !log.is_empty());
    assert_eq!((log.bytes(), log.oldest_file()), (older.bytes, Some(0)));
    log.append(&message("d"));
    let mut newer = Files::default();
    newer.write_all(&mut log);

    let (older, found) = files.restore(Ranges::default());
    assert_eq!((found.events, found.lost), (2, 1));
    log.join(older);
    assert_eq!((log.events(), log.is_behind()), (3, false));
    assert_eq!(drain(&mut log), [0, 1, next + 1]);
    assert_eq!(log.retire(), (vec![0, next + 1], 0));
    assert!(log.is_empty() && !log.has_key(b"demo/v"));

    // A crash before the older ones had been read loses nothing, and counts the same.
    files.0.append(&mut newer.0);
    let mut checkpoint = Ranges::default();
    checkpoint.insert(next, next + 1);
    let (mut again, found) = files.restore(checkpoint);
    assert_eq!((found.events, found.lost), (3, 1));
    assert_eq!(drain(&mut again), [0, 1, next + 1]);
}

#[test]
fn a_copy_is_replayed_only_when_its_record_has_failed_and_then_before_what_is_newer() {
    let mut log = new_log(LIMITS);
    let copies = ["a", "b"].map(|value| log.copy(&message(value)));
    log.append(&message("c"));
    Files::default().write_all(&mut log);
    assert_eq!(log.events(), 1);
    let due = log.due().unwrap();
    assert_eq!((due.from, due.until), (2, 3));
    log.copy_done(copies[0]);
    log.adopt(copies[1], Topic::Events, Some(b"demo/v"));
    assert_eq!(log.events(), 2);
    assert_eq!(drain(&mut log), [1, 2]);
}

#[test]
fn when_the_disk_fails_the_tail_is_replayed_from_memory() {
    let mut log = new_log(LIMITS);
    log.append(&message("a"));
    let start = now();
    assert!(log.write(start).is_some());
    log.write_failed(Disk::Failed("broken".into()), start);
    assert!(log.write(start).is_none(), "it is tried again later");
    assert!(matches!(log.due().unwrap().source, Source::Memory(_)));
    assert_eq!(drain(&mut log), [0]);
    assert_eq!(log.retire(), (vec![], 0));
    assert!(log.is_empty() && log.disk() == &Disk::Fine && log.has_room(LIMITS.memory));
}

#[test]
fn a_full_folder_is_not_written_until_a_file_has_gone() {
    let frame = frame_len();
    let mut log = new_log(Limits {
        disk: (HEADER + frame) as u64,
        memory: frame,
    });
    let mut files = Files::default();
    log.append(&message("a"));
    files.write_all(&mut log);
    log.append(&message("b"));
    assert!(!log.has_room(1));
    files.write_all(&mut log);
    assert_eq!((log.disk(), log.events()), (&Disk::Full, 2));
    assert_eq!(drain(&mut log), [0, 1]);
    assert_eq!(log.retire(), (vec![0], 0));
}

#[test]
fn damage_in_the_middle_is_counted_by_the_ordinals_that_are_missing() {
    let mut log = new_log(LIMITS);
    let mut files = Files::default();
    for value in ["a", "b", "c", "d"] {
        log.append(&message(value));
    }
    files.write_all(&mut log);
    let len = frame_len();
    files.0[0].1[HEADER + len + 5..HEADER + 2 * len + 9].fill(0);
    let (mut log, found) = files.restore(Ranges::default());
    assert_eq!((found.events, found.lost), (2, 2));
    assert_eq!(drain(&mut log), [0, 3]);
    assert_eq!(log.retire(), (vec![0], 0));
}

#[test]
fn records_that_turn_out_to_be_unreadable_are_counted_when_their_file_goes() {
    let mut log = new_log(LIMITS);
    log.append(&message("a"));
    log.append(&message("b"));
    Files::default().write_all(&mut log);
    log.lose(0, 1);
    assert_eq!(drain(&mut log), [1]);
    assert_eq!(log.retire(), (vec![0], 1));
    assert_eq!(log.events(), 0);
}

fn frame_len() -> usize {
    let mut bytes = Vec::new();
    frame::append(&mut bytes, 0, &message("a"));
    bytes.len()
}

proptest! {
    #[test]
    fn after_a_crash_what_is_not_checkpointed_comes_again_in_order(
        records in 1_u64..200, done in prop::collection::vec((0_u64..200, 1_u64..9), 0..9),
    ) {
        let mut log = new_log(LIMITS);
        let mut files = Files::default();
        for ordinal in 0..records {
            log.append(&message(&ordinal.to_string()));
            if ordinal % 3 == 0 {
                files.write_all(&mut log);
            }
        }
        files.write_all(&mut log);
        let mut checkpoint = Ranges::default();
        for (start, len) in done {
            checkpoint.insert(start.min(records), (start + len).min(records));
        }
        let expected: Vec<_> = (0..records).filter(|&n| checkpoint.gap_from(n) == n).collect();
        let (mut log, found) = files.restore(checkpoint);
        prop_assert_eq!((found.events, found.lost), (expected.len(), 0));
        prop_assert_eq!(drain(&mut log), expected);
        log.append(&message("next"));
        prop_assert_eq!(log.tail[0].first, records);
    }

    #[test]
    fn cut_off_anywhere_the_rest_is_found_and_at_most_one_is_counted_lost(
        records in 1_usize..40, cut in any::<prop::sample::Index>(),
    ) {
        let mut log = new_log(LIMITS);
        let mut files = Files::default();
        for _ in 0..records {
            log.append(&message("a"));
        }
        files.write_all(&mut log);
        let frames = cut.index(records * frame_len());
        files.0[0].1.truncate(HEADER + frames);
        let (mut log, found) = files.restore(Ranges::default());
        prop_assert_eq!(found.events, frames / frame_len());
        prop_assert_eq!(found.lost, usize::from(frames % frame_len() != 0));
        prop_assert_eq!(drain(&mut log).len(), found.events);
        log.retire();
        prop_assert!(log.is_empty());
    }
}
