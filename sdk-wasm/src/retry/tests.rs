use super::*;
use proptest::prelude::*;

const NOW: u64 = 1_764_000_000_000;

/// How long to wait after so many failures more.
fn waits(wait: &mut Wait, count: usize, random: f64) -> Vec<u64> {
    let mut next = || {
        wait.fail(NOW, random, None);
        wait.until() - NOW
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn the_longest_wait_doubles_from_one_second_to_five_minutes() {
    let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(|seconds| seconds * 1000);
    assert_eq!(waits(&mut Wait::default(), 11, 1.0), expected);
}

#[test]
fn after_a_success_the_waits_start_again() {
    let mut wait = Wait::default();
    waits(&mut wait, 2, 1.0);
    wait.succeed(NOW + 1);
    assert!(!wait.is_failing());
    assert_eq!(wait.until(), NOW + 1);
    assert_eq!(waits(&mut wait, 1, 1.0), [1000]);
}

#[test]
fn what_the_server_asks_for_is_obeyed() {
    let mut wait = Wait::default();
    wait.fail(NOW, 0.1, Some(7_000));
    assert_eq!(wait.until(), NOW + 7_000);
    assert!(!wait.may_hurry(NOW + 6_999));
    assert!(wait.may_hurry(NOW + 7_000));
    wait.fail(NOW, 0.1, Some(u64::MAX));
    assert_eq!(wait.until(), NOW + 86_400_000);
}

#[test]
fn who_leaves_may_send_during_a_backoff_until_the_breaker_opens() {
    let mut wait = Wait::default();
    waits(&mut wait, 4, 1.0);
    assert!(wait.may_hurry(NOW));
    waits(&mut wait, 1, 1.0);
    assert!(!wait.may_hurry(NOW + 15_999));
    assert!(wait.may_hurry(NOW + 16_000));
}

#[test]
fn for_ten_minutes_after_a_failure_nothing_unanswered_is_trusted() {
    let mut wait = Wait::default();
    assert!(wait.is_calm(NOW));
    wait.fail(NOW, 1.0, None);
    assert!(!wait.is_calm(NOW + 86_400_000));
    wait.succeed(NOW + 500);
    assert!(!wait.is_calm(NOW + 600_499));
    assert!(wait.is_calm(NOW + 600_500));
}

#[test]
fn only_what_may_change_is_tried_again() {
    for status in [0, 408, 429, 500, 503, 599] {
        assert_eq!(judge(status), Verdict::Again, "{status}");
    }
    for status in [301, 400, 404, 415, 431] {
        assert_eq!(judge(status), Verdict::Refused, "{status}");
    }
    assert_eq!(judge(202), Verdict::Taken);
    assert_eq!(judge(401), Verdict::Stop);
    assert_eq!(judge(403), Verdict::Stop);
    assert_eq!(judge(413), Verdict::Halve);
}

#[test]
fn a_clock_that_was_set_back_blocks_for_a_day_at_most() {
    let mut wait = Wait::default();
    wait.read("1 99999999999999", NOW);
    assert_eq!(wait.until(), NOW + 86_400_000);
}

proptest! {
    #[test]
    fn no_wait_is_longer_than_five_minutes(randoms in prop::collection::vec(0.0f64..1.0, 1..60)) {
        let mut wait = Wait::default();
        for random in randoms {
            prop_assert!(waits(&mut wait, 1, random)[0] <= LONGEST_MS);
        }
    }

    #[test]
    fn every_wait_comes_back_from_storage(failures in 0..10_u64.pow(19), until in 0..NOW, asked: bool) {
        let wait = Wait { failures, until, asked };
        let mut read = Wait::default();
        read.read(&wait.to_text(), NOW);
        prop_assert_eq!(read, wait);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        Wait::default().read(&text, NOW);
    }
}
