//! The core's door to a page: plain numbers and texts in, plain numbers and texts out.
//!
//! `script/core.ts` calls the functions exported here, one at a time and each in a `try`, so that
//! neither a trap nor a listener within a listener reaches the page. Times are milliseconds since
//! the Unix epoch.

mod host;
mod page;

use crate::{delivery::Answer, options::Options, tracker::Tracker, views::Views};
use lol_alloc::{FreeListAllocator, LockedAllocator};
use page::Page;
use std::{cell::Cell, mem::ManuallyDrop};
use wasm_bindgen::prelude::*;

/// A few hundred bytes instead of the several thousand of the standard one.
#[global_allocator]
static ALLOCATOR: LockedAllocator<FreeListAllocator> =
    LockedAllocator::new(FreeListAllocator::new());

struct App {
    tracker: Tracker,
    views: Views,
    page: Page,
    /// When what is due next is due, as far as the timer was told.
    due: Option<u64>,
    /// How many lost events the site's developer was told of.
    told: u64,
}

/// What runs on this page. It is taken out while it runs: a call from within finds nothing.
type Slot = Cell<ManuallyDrop<Option<Box<App>>>>;

thread_local! {
    // Without anything to drop, a thread-local costs no registration of destructors.
    static APP: Slot = const { Cell::new(ManuallyDrop::new(None)) };
}

/// Starts to record. `granted` says that the visitor opted in, `by_hash` that pages differ by their
/// fragment; `context` is JSON. Returns the id of this load.
#[wasm_bindgen]
pub fn start(granted: bool, by_hash: bool, context: String) -> String {
    let mut page = Page::default();
    let options = Options::new(&page);
    page.stores = options.stores;
    let tracker = Tracker::new(options, granted, context, &mut page);
    let load = tracker.load().to_owned();
    put(Some(Box::new(App {
        tracker,
        views: Views::new(by_hash),
        page,
        due: None,
        told: 0,
    })));
    load
}

/// Forgets everything and records no more.
#[wasm_bindgen]
pub fn stop() {
    put(None);
}

/// The visitor opted in while events are recorded already.
#[wasm_bindgen]
pub fn grant() {
    with(|app| app.tracker.grant());
}

/// Records an event: JSON as in the contract, without `id` and `seq`.
#[wasm_bindgen]
pub fn record(now: f64, event: &str) {
    act(now, &mut |app, now| {
        app.tracker.record(event, now, &mut app.page)
    });
}

/// What is said about the browser from now on, as JSON.
#[wasm_bindgen]
pub fn describe(context: String) {
    with(|app| app.tracker.describe(context));
}

/// From now on events belong to this user.
#[wasm_bindgen]
pub fn identify(user: String) {
    with(|app| app.tracker.identify(user));
}

/// From now on events belong to a new visitor.
#[wasm_bindgen]
pub fn reset(now: f64) {
    with(|app| app.tracker.reset(whole(now), &mut app.page));
}

/// A campaign has led here: another one than the session's starts a new session.
#[wasm_bindgen]
pub fn campaign(now: f64, campaign: String) {
    with(|app| app.tracker.campaign(campaign, whole(now), &mut app.page));
}

/// The page is shown at an address, for the first time or as it was left.
#[wasm_bindgen]
pub fn shown(url: String) {
    with(|app| app.views.shown(url));
}

/// The address changed, by a replacement or otherwise; it may change again within this task.
#[wasm_bindgen]
pub fn moved(replaced: bool) {
    with(|app| app.views.changed(replaced));
}

/// The task in which the address changed is over. Returns the address before, if this is a view.
#[wasm_bindgen]
pub fn settled(url: String) -> Option<String> {
    with(|app| app.views.settle(url)).flatten()
}

/// The text with personal numbers masked.
#[wasm_bindgen]
pub fn mask(text: &str) -> String {
    crate::mask::mask(text)
}

/// Another tab may have started another visitor or session, or has heard of the server.
#[wasm_bindgen]
pub fn refresh(now: f64) {
    act(now, &mut |app, now| {
        app.tracker.join(now, &mut app.page);
        app.tracker.refresh(now, &mut app.page);
    });
}

/// The page may be gone in a moment: hands over what may be sent.
#[wasm_bindgen]
pub fn left(now: f64) {
    act(now, &mut |app, now| {
        app.tracker.leave(now, &mut app.page, &mut host::beacon);
    });
}

/// What the browser may send if the page ends without a word, or nothing.
#[wasm_bindgen]
pub fn snapshot(now: f64) -> String {
    with(|app| app.tracker.snapshot(whole(now))).unwrap_or_default()
}

/// All that waits is due now.
#[wasm_bindgen]
pub fn flush(now: f64) {
    act(now, &mut |app, _| app.tracker.flush());
}

/// Posts the next batch if one is due; whether it has. `answered` must follow.
#[wasm_bindgen]
pub fn send(now: f64) -> bool {
    let mut sent = false;
    act(now, &mut |app, now| {
        app.due = None;
        if let Some(body) = app.tracker.send(now, &mut app.page) {
            host::post(&body);
            sent = true;
        }
    });
    sent
}

/// The answer to the last `post`: status or 0, how many milliseconds the server asked for or a
/// negative number, and how many events it refused.
#[wasm_bindgen]
pub fn answered(now: f64, status: u16, asked_ms: f64, random: f64, rejected: usize) {
    let answer = Answer {
        status,
        asked_ms: (asked_ms >= 0.0).then(|| whole(asked_ms)),
        random,
        rejected,
    };
    act(now, &mut |app, now| {
        app.tracker.answered(answer, now, &mut app.page);
    });
}

/// What has not arrived, as text that fits so many bytes; `for_good` when this page will not send it.
#[wasm_bindgen]
pub fn unsent(room: usize, for_good: bool) -> String {
    with(|app| app.tracker.unsent(room, for_good)).unwrap_or_default()
}

/// Takes over what another page has left.
#[wasm_bindgen]
pub fn adopt(now: f64, text: &str) {
    act(now, &mut |app, now| app.tracker.adopt(text, now));
}

/// Another page has taken over what this one has left.
#[wasm_bindgen]
pub fn forget(now: f64) {
    act(now, &mut |app, _| app.tracker.forget());
}

/// What is recorded and what waits, as JSON.
#[wasm_bindgen]
pub fn status() -> String {
    with(|app| app.tracker.status()).unwrap_or_default()
}

impl App {
    /// Has the timer set for what is due next, and the developer told of what was lost.
    fn schedule(&mut self, now: u64) {
        let due = self.tracker.due(now);
        if due != self.due {
            self.due = due;
            host::wake(due.map_or(-1.0, |at| precise(at.saturating_sub(now))));
        }
        let lost = self.tracker.lost();
        if lost != self.told {
            self.told = lost;
            host::dropped(&self.tracker.untold());
        }
    }
}

/// Runs something that may change what is due.
fn act(now: f64, run: &mut dyn FnMut(&mut App, u64)) {
    let now = whole(now);
    with(|app| {
        run(app, now);
        app.schedule(now);
    });
}

fn with<T>(run: impl FnOnce(&mut App) -> T) -> Option<T> {
    let mut app = ManuallyDrop::into_inner(APP.take())?;
    let result = run(&mut app);
    APP.set(ManuallyDrop::new(Some(app)));
    Some(result)
}

/// Puts in another one and drops the one before.
fn put(app: Option<Box<App>>) {
    drop(ManuallyDrop::into_inner(
        APP.replace(ManuallyDrop::new(app)),
    ));
}

/// A time or a count from JavaScript.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and not a number becomes 0"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

/// A time or a count for JavaScript.
#[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
fn precise(whole: u64) -> f64 {
    whole as f64
}
