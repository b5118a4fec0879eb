use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// Events per second, with a burst. Clones count together.
#[derive(Clone, Debug)]
pub struct Rate<C: Clock = DefaultClock> {
    per_second: NonZeroU32,
    burst: NonZeroU32,
    clock: C,
    limiter: Arc<RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>>,
}

/// More was sent than the rate allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this site has sent more events than its `rate`; the next are taken in {seconds} s")]
pub struct TooFast {
    /// Whole seconds until as many may be sent, at least 1.
    pub seconds: u32,
}

impl Rate {
    /// By the clock of this machine.
    #[must_use]
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self::with_clock(per_second, burst, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Rate<C> {
    fn with_clock(per_second: NonZeroU32, burst: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let limiter = Arc::new(RateLimiter::direct_with_clock(quota, clock.clone()));
        Self {
            per_second,
            burst,
            clock,
            limiter,
        }
    }

    /// Takes so many events, or none.
    pub(super) fn take(&self, events: usize) -> Result<(), TooFast> {
        let Some(count) = NonZeroU32::new(u32::try_from(events).unwrap_or(u32::MAX)) else {
            return Ok(());
        };
        match self.limiter.check_n(count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(TooFast::after(until.wait_time_from(self.clock.now()))),
            // The configuration sees to it that a burst has room for a whole batch.
            Err(_) => Err(TooFast { seconds: 1 }),
        }
    }

    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        (self.per_second, self.burst) == (other.per_second, other.burst)
    }
}

impl TooFast {
    fn after(wait: Duration) -> Self {
        let up = u64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(wait.as_secs() + up).unwrap_or(u32::MAX);
        Self {
            seconds: seconds.max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn rate(per_second: u32, burst: u32) -> (Rate<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let [per_second, burst] = [per_second, burst].map(|rate| rate.try_into().unwrap());
        (Rate::with_clock(per_second, burst, clock.clone()), clock)
    }

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let (rate, clock) = rate(100, 500);
        assert_eq!(rate.take(500), Ok(()));
        assert_eq!(rate.take(1), Err(TooFast { seconds: 1 }));
        clock.advance(Duration::from_secs(2));
        assert_eq!(rate.take(200), Ok(()));
        assert_eq!(rate.take(500), Err(TooFast { seconds: 5 }));
        assert_eq!(rate.take(0), Ok(()));
    }

    #[test]
    fn what_is_refused_does_not_count() {
        let (rate, clock) = rate(100, 500);
        assert_eq!(rate.take(400), Ok(()));
        assert!(rate.take(200).is_err());
        assert_eq!(rate.take(100), Ok(()));
        clock.advance(Duration::from_secs(3));
        assert_eq!(rate.take(300), Ok(()));
    }

    #[test]
    fn more_than_a_burst_is_never_taken() {
        let (rate, _clock) = rate(100, 500);
        assert!(rate.take(501).is_err());
        assert!(rate.take(usize::MAX).is_err());
    }
}
