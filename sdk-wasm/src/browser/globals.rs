//! The page's globals. `web_sys::window()` would ask at run time whether this is a window.

use wasm_bindgen::prelude::*;
use web_sys::{Crypto, Document, Location, Window};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = window)]
    static WINDOW: Window;
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Document;
    #[wasm_bindgen(thread_local_v2, js_name = location)]
    static LOCATION: Location;
    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    static CRYPTO: Crypto;
}

/// The window.
pub(super) fn window<T>(run: impl FnOnce(&Window) -> T) -> T {
    WINDOW.with(run)
}

/// Milliseconds since the Unix epoch.
pub(super) fn now() -> u64 {
    whole(js_sys::Date::now())
}

/// The page's address.
pub(super) fn url() -> String {
    LOCATION.with(|location| location.href().unwrap_or_default())
}

/// The page's title.
pub(super) fn title() -> String {
    DOCUMENT.with(Document::title)
}

/// Where the visitor was before this page was loaded.
pub(super) fn referrer() -> String {
    DOCUMENT.with(Document::referrer)
}

/// Fills bytes with what nobody can guess.
pub(super) fn fill_random(bytes: &mut [u8]) {
    // Without it, ids are still made unique by their time and the next draw.
    let _filled = CRYPTO.with(|crypto| crypto.get_random_values_with_u8_array(bytes));
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
