//! The only code that touches a page.
//!
//! `script/core.ts` installs the listeners and calls the functions exported here, one at a time and
//! each in a `try`, so that neither a trap nor a listener within a listener reaches the page.

mod app;
mod click;
mod globals;
mod host;
mod storage;
mod world;

use crate::{delivery::Answer, event::Event};
use app::App;
use lol_alloc::{FreeListAllocator, LockedAllocator};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use web_sys::MouseEvent;

/// A few hundred bytes instead of the several thousand of the standard one.
#[global_allocator]
static ALLOCATOR: LockedAllocator<FreeListAllocator> =
    LockedAllocator::new(FreeListAllocator::new());

thread_local! {
    static APP: RefCell<Option<App>> = const { RefCell::new(None) };
}

/// Starts to record. `granted` says that the visitor opted in.
#[wasm_bindgen]
pub fn start(granted: bool) {
    let app = App::new(granted);
    APP.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            *slot = Some(app);
        }
    });
    with(App::begin);
}

/// The visitor opted in while events are recorded already.
#[wasm_bindgen]
pub fn grant() {
    with(App::grant);
}

/// Forgets everything and records no more.
#[wasm_bindgen]
pub fn stop() {
    APP.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            *slot = None;
        }
    });
}

/// Records an event of the site's own; `properties` is a JSON object or empty.
#[wasm_bindgen]
pub fn track(time: f64, name: &str, properties: &str) {
    with(|app| {
        app.record(&Event {
            kind: "custom",
            time: globals::whole(time),
            name,
            url: &app.url(),
            properties,
            ..Event::default()
        });
    });
}

/// Records a page view that the site calls for.
#[wasm_bindgen]
pub fn page(time: f64, properties: &str) {
    with(|app| app.page(globals::whole(time), properties));
}

/// Names the user from now on; `traits` is a JSON object or empty.
#[wasm_bindgen]
pub fn identify(time: f64, user: &str, traits: &str) {
    with(|app| app.identify(globals::whole(time), user, traits));
}

/// Forgets user, visitor and session.
#[wasm_bindgen]
pub fn reset() {
    with(App::reset);
}

/// Something was clicked.
#[wasm_bindgen]
pub fn clicked(event: &MouseEvent) {
    with(|app| app.clicked(event));
}

/// The address changed, by a replacement or otherwise; it may change again within this task.
#[wasm_bindgen]
pub fn moved(replaced: bool) {
    with(|app| app.moved(replaced));
}

/// The page was shown again as it was left.
#[wasm_bindgen]
pub fn shown() {
    with(App::shown);
}

/// The page may be gone in a moment.
#[wasm_bindgen]
pub fn left() {
    with(App::left);
}

/// The page is seen again.
#[wasm_bindgen]
pub fn returned() {
    with(App::returned);
}

/// Sends all that waits; says whether something is on its way.
#[wasm_bindgen]
pub fn flush() -> bool {
    with(App::flush).unwrap_or(false)
}

/// The answer to the last `post`: status or 0, and how many milliseconds the server asked for or
/// a negative number. Says whether something is on its way again.
#[wasm_bindgen]
pub fn answered(status: u16, asked_ms: f64, random: f64) -> bool {
    let answer = Answer {
        status,
        asked_ms: (asked_ms >= 0.0).then(|| globals::whole(asked_ms)),
        random,
    };
    with(|app| app.answered(answer)).unwrap_or(false)
}

/// What is recorded and what waits, as JSON; empty when nothing was started.
#[wasm_bindgen]
pub fn status() -> String {
    with(|app| app.status()).unwrap_or_default()
}

/// Runs something on what was started, and sets the timer for what is due next.
fn with<T>(run: impl FnOnce(&mut App) -> T) -> Option<T> {
    APP.with(|slot| {
        let mut slot = slot.try_borrow_mut().ok()?;
        let app = slot.as_mut()?;
        let result = run(app);
        app.schedule();
        Some(result)
    })
}
