//! What `script/host.ts` does for us: whatever may throw, web-sys lacks, or costs more code there.

use wasm_bindgen::prelude::*;
use web_sys::Element;

#[wasm_bindgen(raw_module = "footfall-host")]
extern "C" {
    /// An option as text; its default, or nothing, if the site has not set it.
    pub(super) fn text(name: &str) -> String;
    /// An option in milliseconds, bytes or pieces.
    pub(super) fn number(name: &str, default: u32) -> usize;
    /// The page's address.
    pub(super) fn address() -> String;
    /// Screen, viewport, locale and whether a program drives the browser, as JSON.
    pub(super) fn context() -> String;
    /// Fills bytes with what nobody can guess.
    pub(super) fn random(bytes: &mut [u8]);
    /// What is stored under a name.
    pub(super) fn read(name: &str) -> Option<String>;
    /// Stores something under a name; whether that worked.
    pub(super) fn write(name: &str, value: &str) -> bool;
    /// Calls `send` after so many milliseconds; a negative number calls it off.
    pub(super) fn wake(wait_ms: f64);
    /// Sends a batch; `answered` is called with what comes back.
    pub(super) fn post(body: &str);
    /// Sends a batch that nobody waits for; whether the browser took it.
    pub(super) fn beacon(body: &str) -> bool;
    /// Events are lost; the counts that are not told yet, as JSON.
    pub(super) fn dropped(counts: &str);
    /// The event as the site wants it, or nothing.
    pub(super) fn approve(event: &str) -> Option<String>;
    /// The text of an element, unless it holds fields that people type into.
    pub(super) fn words(element: &Element) -> String;
    /// The `data-track-…` attributes of an element, as JSON.
    pub(super) fn tracked(element: &Element) -> String;
    /// The answer to `status`.
    pub(super) fn tell(status: &str);
}
