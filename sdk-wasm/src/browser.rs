//! The only code that touches a page.
//!
//! `script/core.ts` installs the listeners and calls the functions exported here, one at a time and
//! each in a `try`, so that neither a trap nor a listener within a listener reaches the page.

mod app;
mod click;
mod host;
mod world;

use crate::delivery::Answer;
use app::App;
use lol_alloc::{FreeListAllocator, LockedAllocator};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use web_sys::{Document, MouseEvent};

/// A few hundred bytes instead of the several thousand of the standard one.
#[global_allocator]
static ALLOCATOR: LockedAllocator<FreeListAllocator> =
    LockedAllocator::new(FreeListAllocator::new());

thread_local! {
    static APP: RefCell<Option<App>> = const { RefCell::new(None) };
}

/// Starts to record. `granted` says that the visitor opted in. Returns the id of this load.
#[wasm_bindgen]
pub fn start(document: Document, granted: bool) -> String {
    replace(Some(App::new(document, granted)));
    let mut load = String::new();
    with(&mut |app| {
        app.begin();
        load = app.load();
    });
    load
}

/// The visitor opted in while events are recorded already.
#[wasm_bindgen]
pub fn grant() {
    with(&mut App::grant);
}

/// Forgets everything and records no more.
#[wasm_bindgen]
pub fn stop() {
    replace(None);
}

/// The site calls: `name` is that of the function in its interface, `text` its first argument if
/// that is a text, and `properties` a JSON object or empty.
#[wasm_bindgen]
pub fn call(name: &str, time: f64, text: &str, properties: &str) {
    with(&mut |app| app.call(name, world::whole(time), text, properties));
}

/// Something was clicked.
#[wasm_bindgen]
pub fn clicked(event: &MouseEvent) {
    with(&mut |app| app.clicked(event));
}

/// The address changed, by a replacement or otherwise; it may change again within this task.
#[wasm_bindgen]
pub fn moved(replaced: bool) {
    with(&mut |app| app.moved(replaced));
}

/// The page was shown again as it was left.
#[wasm_bindgen]
pub fn shown() {
    with(&mut App::shown);
}

/// The page may be gone in a moment.
#[wasm_bindgen]
pub fn left() {
    with(&mut App::left);
}

/// What the browser may send if the page ends without a word, or nothing.
#[wasm_bindgen]
pub fn snapshot() -> String {
    let mut body = String::new();
    with(&mut |app| body = app.snapshot());
    body
}

/// All that waits is due now.
#[wasm_bindgen]
pub fn flush() {
    with(&mut App::flush);
}

/// Posts the next batch if one is due; whether it has. `answered` must follow.
#[wasm_bindgen]
pub fn send() -> bool {
    let mut sent = false;
    with(&mut |app| sent = app.send());
    sent
}

/// The answer to the last `post`: status or 0, how many milliseconds the server asked for or a
/// negative number, and how many events it refused.
#[wasm_bindgen]
pub fn answered(status: u16, asked_ms: f64, random: f64, rejected: usize) {
    let answer = Answer {
        status,
        asked_ms: (asked_ms >= 0.0).then(|| world::whole(asked_ms)),
        random,
        rejected,
    };
    with(&mut |app| app.answered(answer));
}

/// Another tab has heard of the server.
#[wasm_bindgen]
pub fn refresh() {
    with(&mut App::refresh);
}

/// What has not arrived, as text that fits so many bytes; `for_good` when this page will not send it.
#[wasm_bindgen]
pub fn unsent(room: usize, for_good: bool) -> String {
    let mut text = String::new();
    with(&mut |app| text = app.unsent(room, for_good));
    text
}

/// Takes over what another page has left.
#[wasm_bindgen]
pub fn adopt(text: &str) {
    with(&mut |app| app.adopt(text));
}

/// Another page has taken over what this one has left.
#[wasm_bindgen]
pub fn forget() {
    with(&mut App::forget);
}

/// Tells what is recorded and what waits.
#[wasm_bindgen]
pub fn status() {
    with(&mut |app| host::tell(&app.status()));
}

/// Runs something on what was started, and sets the timer for what is due next.
fn with(run: &mut dyn FnMut(&mut App)) {
    APP.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut()
            && let Some(app) = slot.as_mut()
        {
            run(app);
            app.schedule();
        }
    });
}

fn replace(app: Option<App>) {
    APP.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            *slot = app;
        }
    });
}
