//! The one place where the shell reads the clock and waits for it.

use std::{
    thread,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

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
