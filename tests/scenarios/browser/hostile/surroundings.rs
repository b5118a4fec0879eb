//! What a page may lack or have changed.

use super::visit::{Visit, assert_recorded_with};
use footfall_tests::browser::{Browser, Kind};
use serde_json::json;

crate::browser::in_every_browser!(
    without_storage_it_records,
    with_frozen_or_missing_globals_it_records
);

const STORAGE: &[(&str, &str)] = &[
    (
        "a storage that may not be asked for",
        "for (const name of ['localStorage', 'sessionStorage']) {
          Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError') } });
        }",
    ),
    (
        "a storage that is null",
        "for (const name of ['localStorage', 'sessionStorage']) {
          Object.defineProperty(window, name, { value: null });
        }",
    ),
    (
        "a storage that is full",
        "for (const storage of [localStorage, sessionStorage]) {
          for (let size = 1 << 23; size >= 1; ) {
            try { storage.setItem('full' + storage.length, 'x'.repeat(size)) } catch { size >>= 1 }
          }
        }",
    ),
    (
        "a storage that forgets",
        "Storage.prototype.setItem = () => {}; Storage.prototype.getItem = () => null",
    ),
    (
        "cookies that may not be asked for",
        "Object.defineProperty(Document.prototype, 'cookie', {
          get() { throw new DOMException('no', 'SecurityError') },
          set() { throw new DOMException('no', 'SecurityError') },
        })",
    ),
];

async fn without_storage_it_records(kind: Kind) {
    assert_recorded_with(kind, STORAGE).await;
}

const GLOBALS: &[(&str, &str)] = &[
    ("no randomUUID", "delete Crypto.prototype.randomUUID"),
    ("no beacons", "delete Navigator.prototype.sendBeacon"),
    (
        "no locks, channels and deferred fetches",
        "delete Navigator.prototype.locks; delete window.BroadcastChannel; delete window.fetchLater",
    ),
    (
        "no idle callbacks, no observers and no timeouts of signals",
        "delete window.requestIdleCallback; delete window.PerformanceObserver; delete AbortSignal.timeout",
    ),
    (
        "frozen globals",
        "for (const frozen of [Object, Array, Function, Promise, JSON, history, navigator, location, document,
            Object.prototype, Array.prototype, Function.prototype, Promise.prototype, History.prototype,
            Navigator.prototype, Document.prototype, EventTarget.prototype, Storage.prototype]) {
          // Some cannot be frozen in some browsers.
          try { Object.freeze(frozen) } catch {}
        }",
    ),
    (
        "prototypes with members of the page's own",
        "Object.prototype.extra = 1; Array.prototype.extra = () => 1; String.prototype.extra = 1",
    ),
];

async fn with_frozen_or_missing_globals_it_records(kind: Kind) {
    assert_recorded_with(kind, GLOBALS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_freezes_its_history_still_navigates_by_it() {
    let browser = Browser::start().await;
    let visit = Visit::with(
        &browser,
        "Object.freeze(history); Object.freeze(History.prototype)",
    )
    .await;
    visit.be_recorded().await;
    browser
        .run("history.pushState({}, '', '/elsewhere')")
        .await
        .unwrap();
    let path = browser.run("return location.pathname").await.unwrap();
    assert_eq!(path, json!("/elsewhere"));
    visit.assert_unnoticed("a frozen history").await;
}
