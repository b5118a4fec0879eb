use crate::clock;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, Instant};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");

/// How long a request's steps take.
#[derive(Debug)]
pub(super) struct Timing {
    start: Instant,
    body: Duration,
}

impl Timing {
    /// A request's head is there.
    pub(super) fn start() -> Self {
        Self {
            start: clock::monotonic(),
            body: Duration::ZERO,
        }
    }

    /// Its body is there.
    pub(super) fn has_body(&mut self) {
        self.body = self.start.elapsed();
    }

    /// Its answer is ready, and says so. Pages of other origins may read it as they may read the answer.
    pub(super) fn say(&self, headers: &mut HeaderMap) {
        let total = self.start.elapsed();
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let text = format!(
            "body;dur={:.3}, events;dur={:.3}, total;dur={:.3}",
            millis(self.body),
            millis(total.saturating_sub(self.body)),
            millis(total)
        );
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(SERVER_TIMING, value);
            headers.insert(TIMING_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
    }
}
