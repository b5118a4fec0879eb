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

/// Starts to record. `granted` says that the visitor opted in.
#[wasm_bindgen]
pub fn start(document: Document, granted: bool) {
    replace(Some(App::new(document, granted)));
    with(&mut App::begin);
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

/// The page is seen again.
#[wasm_bindgen]
pub fn returned() {
    with(&mut App::returned);
}

/// Sends all that waits; says whether something is on its way.
#[wasm_bindgen]
pub fn flush() -> bool {
    let mut sending = false;
    with(&mut |app| sending = app.flush());
    sending
}

/// The answer to the last `post`: status or 0, and how many milliseconds the server asked for or
/// a negative number. Says whether something is on its way again.
#[wasm_bindgen]
pub fn answered(status: u16, asked_ms: f64, random: f64) -> bool {
    let answer = Answer {
        status,
        asked_ms: (asked_ms >= 0.0).then(|| world::whole(asked_ms)),
        random,
    };
    let mut sending = false;
    with(&mut |app| sending = app.answered(answer));
    sending
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
