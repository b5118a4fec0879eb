//! Waiting for conditions, not for time.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a condition may take before a test gives up: generous, because machines are slow and
/// shared; a test that passes never waits this long.
pub const LIMIT: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(50);

/// Tries again until `attempt` gives a value.
///
/// # Panics
/// When it has not within [`LIMIT`]; says what was waited for, and why the last attempt failed.
pub async fn until<T>(what: &str, attempt: impl AsyncFnMut() -> Result<T, String>) -> T {
    until_within(LIMIT, what, attempt).await
}

/// The same with a limit of its own.
///
/// # Panics
/// See [`until`].
pub async fn until_within<T>(
    limit: Duration,
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let start = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(why) if start.elapsed() > limit => panic!("waited {limit:?} for {what}: {why}"),
            Err(_) => sleep(PAUSE).await,
        }
    }
}
