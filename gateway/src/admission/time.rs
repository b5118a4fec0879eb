use footfall_protocol::Timestamp;

/// A clock may differ this much, in milliseconds, before it counts as wrong.
const TOLERANCE: i64 = 60_000;
/// A correction is a multiple of this, in milliseconds: a skew is known no better, for it holds the way here.
const STEP: i64 = 10_000;

/// A time as it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Corrected {
    /// The event's time.
    pub(super) time: Timestamp,
    /// The time that was sent, where it differs.
    pub(super) by_client: Option<Timestamp>,
    /// Whether `time` is the arrival.
    pub(super) clamped: bool,
}

/// Moves the time of a wrong clock by the clock's skew; what then still cannot be becomes the arrival.
pub(super) fn correct(time: Timestamp, sent_at: Timestamp, received_at: Timestamp) -> Corrected {
    let skew = received_at.millis_since(sent_at);
    let moved = if skew.saturating_abs() > TOLERANCE {
        time.moved_by(rounded(skew))
    } else {
        time
    };
    let clamped = !is_possible(moved, received_at);
    let corrected = if clamped { received_at } else { moved };
    Corrected {
        time: corrected,
        by_client: (clamped || moved != time).then_some(time),
        clamped,
    }
}

/// When a batch was sent, as it is recorded: streams may go by it, and it must not lead them where no event's time does.
pub(super) fn sent(sent_at: Timestamp, received_at: Timestamp) -> Timestamp {
    if is_possible(sent_at, received_at) {
        sent_at
    } else {
        received_at
    }
}

fn is_possible(time: Timestamp, received_at: Timestamp) -> bool {
    (Timestamp::YEAR_2000..=received_at.moved_by(TOLERANCE)).contains(&time)
}

/// To the nearest multiple of [`STEP`], halves away from zero.
fn rounded(millis: i64) -> i64 {
    let half = STEP / 2 * millis.signum();
    millis.saturating_add(half) / STEP * STEP
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_764_000_000_000;

    fn corrected(time: i64, sent_at: i64) -> (i64, Option<i64>, bool) {
        let [time, sent_at, now] = [time, sent_at, NOW].map(Timestamp::from_millis);
        let corrected = correct(time, sent_at, now);
        let by_client = corrected.by_client.map(Timestamp::as_millis);
        (corrected.time.as_millis(), by_client, corrected.clamped)
    }

    #[test]
    fn a_clock_within_a_minute_is_believed() {
        assert_eq!(
            corrected(NOW - 70_000, NOW - 60_000),
            (NOW - 70_000, None, false)
        );
        assert_eq!(
            corrected(NOW + 60_000, NOW + 60_000),
            (NOW + 60_000, None, false)
        );
    }

    #[test]
    fn a_slow_clock_is_moved_by_its_skew_rounded_to_ten_seconds() {
        let sent = NOW - 60_001 - 500;
        assert_eq!(
            corrected(sent, NOW - 60_001),
            (sent + 60_000, Some(sent), false)
        );
        let sent = NOW - 3_604_000;
        assert_eq!(
            corrected(sent - 7, NOW - 3_604_000),
            (sent - 7 + 3_600_000, Some(sent - 7), false)
        );
    }

    #[test]
    fn a_fast_clock_is_moved_back() {
        let sent = NOW + 126_000;
        assert_eq!(corrected(sent, sent), (NOW - 4_000, Some(sent), false));
    }

    #[test]
    fn a_time_in_the_future_becomes_the_arrival() {
        let time = NOW + 60_001;
        assert_eq!(corrected(time, NOW), (NOW, Some(time), true));
    }

    #[test]
    fn a_time_that_the_correction_moves_before_2000_becomes_the_arrival() {
        let time = Timestamp::YEAR_2000.as_millis();
        assert_eq!(corrected(time, NOW + 3_600_000), (NOW, Some(time), true));
        assert_eq!(corrected(time, NOW), (time, None, false));
    }

    #[test]
    fn a_batch_was_sent_when_it_came_if_it_says_what_cannot_be() {
        let recorded = |sent_at: i64| {
            let [sent_at, now] = [sent_at, NOW].map(Timestamp::from_millis);
            sent(sent_at, now).as_millis()
        };
        let year_2000 = Timestamp::YEAR_2000.as_millis();
        for believed in [year_2000, NOW - 3_600_000, NOW, NOW + 60_000] {
            assert_eq!(recorded(believed), believed);
        }
        for impossible in [0, year_2000 - 1, NOW + 60_001, i64::MAX] {
            assert_eq!(recorded(impossible), NOW);
        }
    }

    proptest! {
        #[test]
        fn no_recorded_time_is_impossible_and_every_change_is_told(time: i64, sent_at: i64) {
            let time = time.max(Timestamp::YEAR_2000.as_millis());
            let (recorded, by_client, clamped) = corrected(time, sent_at);
            prop_assert!(recorded >= Timestamp::YEAR_2000.as_millis() && recorded <= NOW + TOLERANCE);
            prop_assert!(recorded == time || by_client == Some(time));
            prop_assert!(!clamped || recorded == NOW);
        }
    }
}
