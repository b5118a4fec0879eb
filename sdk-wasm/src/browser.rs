//! The core's door to a page: plain numbers and texts in, plain numbers and texts out.
//!
//! `script/guard.ts` calls the one function exported here, once at a time and in a `try`, so that
//! neither a trap nor a listener within a listener reaches the page. Times are milliseconds since
//! the Unix epoch.

mod code;
mod host;
mod page;

use crate::{delivery::Answer, mask::mask, options::Options, tracker::Tracker, views::Views};
use code::call as calls;
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

/// The door: what is wanted, by its number in `code.rs`, the time, and what it takes besides. A text
/// comes back by `host::answer`.
#[wasm_bindgen]
pub fn call(what: u32, now: f64, text: String, a: f64, b: f64, c: f64, d: f64) {
    let now = whole(now);
    match what {
        calls::START => start(a > 0.0, b > 0.0, text),
        calls::STOP => put(None),
        calls::MASK => host::answer(&mask(&text)),
        _ => {
            if let Some(mut app) = ManuallyDrop::into_inner(APP.take()) {
                app.call(what, now, text, [a, b, c, d]);
                app.schedule(now);
                APP.set(ManuallyDrop::new(Some(app)));
            }
        }
    }
}

/// Starts to record. `granted` says that the visitor opted in, `by_hash` that pages differ by their
/// fragment; `context` is JSON. Answers the id of this load.
fn start(granted: bool, by_hash: bool, context: String) {
    let mut page = Page::default();
    let options = Options::new(&page);
    page.stores = options.stores;
    let tracker = Tracker::new(options, granted, context, &mut page);
    host::answer(tracker.load());
    put(Some(Box::new(App {
        tracker,
        views: Views::new(by_hash),
        page,
        due: None,
        told: 0,
    })));
}

impl App {
    fn call(&mut self, what: u32, now: u64, text: String, [a, b, c, d]: [f64; 4]) {
        let Self {
            tracker,
            views,
            page,
            ..
        } = self;
        match what {
            calls::GRANT => tracker.grant(),
            calls::RECORD => tracker.record(&text, now, page),
            calls::DESCRIBE => tracker.describe(text),
            calls::IDENTIFY => tracker.identify(text),
            calls::RESET => tracker.reset(now, page),
            calls::CAMPAIGN => tracker.campaign(text, now, page),
            calls::SHOWN => views.shown(text),
            calls::MOVED => views.changed(a > 0.0),
            calls::SETTLED => {
                if let Some(before) = views.settle(text) {
                    host::answer(&before);
                }
            }
            calls::REFRESH => {
                tracker.join(now, page);
                tracker.refresh(now, page);
            }
            calls::LEFT => tracker.leave(now, page, &mut host::beacon),
            calls::SNAPSHOT => host::answer(&tracker.snapshot(now)),
            calls::FLUSH => tracker.flush(),
            calls::SEND => {
                self.due = None;
                if let Some(body) = tracker.send(now, page) {
                    host::post(&body);
                }
            }
            calls::ANSWERED => {
                let answer = Answer {
                    status: u16::try_from(whole(a)).unwrap_or(0),
                    asked_ms: (b >= 0.0).then(|| whole(b)),
                    random: c,
                    rejected: size(d),
                };
                tracker.answered(answer, now, page);
            }
            calls::UNSENT => host::answer(&tracker.unsent(size(a), b > 0.0)),
            calls::ADOPT => tracker.adopt(&text, now),
            calls::FORGET => tracker.forget(),
            calls::STATUS => host::answer(&tracker.status()),
            _ => {}
        }
    }

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

/// A length or a number of pieces from JavaScript.
fn size(number: f64) -> usize {
    usize::try_from(whole(number)).unwrap_or(usize::MAX)
}

/// A time or a count for JavaScript.
#[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
fn precise(whole: u64) -> f64 {
    whole as f64
}
