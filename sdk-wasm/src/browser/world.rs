//! The tracker's world: this page.

use super::host;
use crate::{options::Settings, tracker::World, uuid::RANDOM_BYTES};

/// This page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Whether anything may be kept between pages.
    pub(super) stores: bool,
}

impl World for Page {
    fn random_bytes(&mut self) -> [u8; RANDOM_BYTES] {
        let mut bytes = [0; RANDOM_BYTES];
        host::random(&mut bytes);
        bytes
    }

    fn stored(&mut self, name: &str) -> Option<String> {
        self.stores.then(|| host::read(name))?
    }

    fn store(&mut self, name: &str, value: &str) -> bool {
        self.stores && host::write(name, value)
    }

    fn approve(&mut self, event: &str) -> Option<String> {
        host::approve(event)
    }
}

impl Settings for Page {
    fn text(&self, name: &str) -> String {
        host::text(name)
    }

    fn number(&self, name: &str, default: u32) -> usize {
        host::number(name, default)
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn now() -> u64 {
    whole(js_sys::Date::now())
}

/// A time or a count from JavaScript.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and not a number becomes 0"
)]
pub(super) fn whole(number: f64) -> u64 {
    number as u64
}

/// A time or a count for JavaScript.
#[expect(clippy::cast_precision_loss, reason = "times are far below 2^52 ms")]
pub(super) fn precise(number: u64) -> f64 {
    number as f64
}
