//! What `script/host.ts` does for the core.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "footfall-host")]
extern "C" {
    /// An option as text; its default, or nothing, if the site has not set it.
    pub(super) fn text(name: &str) -> String;
    /// An option in milliseconds, bytes or pieces.
    pub(super) fn number(name: &str, default: u32) -> u32;
    /// An option from 0 to 1; 1 if it is anything else.
    pub(super) fn share(name: &str) -> f64;
    /// A new UUID of version 7.
    pub(super) fn id() -> String;
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
}
