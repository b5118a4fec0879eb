use std::time::Instant;

/// The one place where the shell reads the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the shell decides when to commit"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
