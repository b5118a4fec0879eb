//! What `script/host.ts` does for the core.

use super::code::{ask, tell};

/// Two functions for everything: each that JavaScript provides costs bytes on both sides.
mod import {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        /// A text, by what is asked for and its name.
        pub(super) fn ask(what: u32, name: &str) -> Option<String>;
        /// Does something with up to one number and two texts; the answer is a number.
        pub(super) fn tell(what: u32, number: f64, first: &str, second: &str) -> f64;
    }
}

/// An option as text; its default, or nothing, if the site has not set it.
pub(super) fn text(name: &str) -> String {
    import::ask(ask::TEXT, name).unwrap_or_default()
}

/// A new UUID of version 7.
pub(super) fn id() -> String {
    import::ask(ask::ID, "").unwrap_or_default()
}

/// What is stored under a name.
pub(super) fn read(name: &str) -> Option<String> {
    import::ask(ask::READ, name)
}

/// An option in milliseconds, bytes or pieces.
pub(super) fn number(name: &str, default: u32) -> f64 {
    import::tell(tell::NUMBER, f64::from(default), name, "")
}

/// An option from 0 to 1; 1 if it is anything else.
pub(super) fn share(name: &str) -> f64 {
    import::tell(tell::SHARE, 0.0, name, "")
}

/// Stores something under a name; whether that worked.
pub(super) fn write(name: &str, value: &str) -> bool {
    import::tell(tell::WRITE, 0.0, name, value) > 0.0
}

/// Has `SEND` called after so many milliseconds; a negative number calls it off.
pub(super) fn wake(wait_ms: f64) {
    import::tell(tell::WAKE, wait_ms, "", "");
}

/// Sends a batch; `ANSWERED` is called with what comes back.
pub(super) fn post(body: &str) {
    import::tell(tell::POST, 0.0, body, "");
}

/// Sends a batch that nobody waits for; whether the browser took it.
pub(super) fn beacon(body: &str) -> bool {
    import::tell(tell::BEACON, 0.0, body, "") > 0.0
}

/// Events are lost; the counts that are not told yet, as JSON.
pub(super) fn dropped(counts: &str) {
    import::tell(tell::DROPPED, 0.0, counts, "");
}

/// What the call that runs returns.
pub(super) fn answer(text: &str) {
    import::tell(tell::ANSWER, 0.0, text, "");
}
