//! The one place where the shell reads clocks and waits for them.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio_util::sync::CancellationToken;

/// A clock that only goes forward.
#[expect(
    clippy::disallowed_methods,
    reason = "the shell decides when to commit"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Sleeps, but not beyond `stop`.
pub(crate) fn sleep(pause: Duration, stop: &CancellationToken) {
    const TICK: Duration = Duration::from_millis(50);
    let mut slept = Duration::ZERO;
    while slept < pause && !stop.is_cancelled() {
        thread::sleep(TICK);
        slept += TICK;
    }
}

/// The wall clock, in milliseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the shell says how old a record is that nobody has counted"
)]
pub(crate) fn millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
