//! Batches as a page sends them.

use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "a test stands where a page does, and that has a clock"
)]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// A batch of this many page views, now.
pub(crate) fn of_page_views(count: usize) -> Value {
    let now = now();
    let events: Vec<_> = (0..count).map(|_| page_view(now)).collect();
    of(now, &events)
}

/// A batch of these events, without visitor.
pub(crate) fn of(sent_at: i64, events: &[Value]) -> Value {
    json!({ "write_key": "demo", "sent_at": sent_at, "events": events })
}

/// A page view at this time.
pub(crate) fn page_view(time: i64) -> Value {
    page_view_of("https://shop.example/", time)
}

/// A page view of a page.
pub(crate) fn page_view_of(url: &str, time: i64) -> Value {
    json!({ "id": uuid::Uuid::now_v7().to_string(), "time": time, "type": "page_view", "page": { "url": url } })
}
