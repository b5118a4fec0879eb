//! What `script/host.ts` does for us: whatever web-sys lacks, or costs more code there.

use wasm_bindgen::prelude::*;
use web_sys::Element;

#[wasm_bindgen(raw_module = "footfall-host")]
extern "C" {
    /// An option as text, if the site has set it.
    pub(super) fn option(name: &str) -> Option<String>;
    /// Screen, viewport, locale and whether a program drives the browser, as JSON.
    pub(super) fn context() -> String;
    /// Sends a batch; `answered` is called with what comes back.
    pub(super) fn post(url: &str, body: &str);
    /// Sends a batch that nobody waits for; whether the browser took it.
    pub(super) fn beacon(url: &str, body: &str) -> bool;
    /// The event as the site wants it, or nothing.
    pub(super) fn approve(event: &str) -> Option<String>;
    /// The text of an element, cut where it is far too long.
    pub(super) fn words(element: &Element) -> String;
    /// Tells the developer that an option's value was not understood.
    pub(super) fn misread(option: &str);
}
