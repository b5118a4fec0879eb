use footfall_protocol::Timestamp;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The wall clock, for the arrival of requests.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the gateway's shell reads the wall clock"
)]
pub(crate) fn now() -> Timestamp {
    // A clock before 1970 is wrong by decades; events then carry the epoch, and the skew shows it.
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A clock for durations.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the gateway's shell reads a clock for durations"
)]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}
