//! What the browser carries of ours at a time: it carries 64 KiB for all scripts of a page.

use super::{run, until, until_page, until_recording, until_taken};
use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Log, Page, Recorder, Reply},
};
use serde_json::json;

crate::browser::in_every_browser!(
    a_page_that_is_hidden_leaves_its_other_scripts_room_for_a_beacon,
    what_the_browser_would_carry_beyond_our_share_goes_as_a_plain_request,
    what_is_answered_makes_room_again,
);

/// Our share.
const MOST: usize = 48 << 10;

/// Writes down how requests are made.
const WATCH: &str = "<script>
    window.kept = [];
    window.fetch = ((fetch) => (url, options) => {
      kept.push(options.keepalive);
      return fetch(url, options);
    })(fetch);
  </script>";

/// Lets a beacon count until the test has `later` called, and hides the page without a wait.
const HOLD: &str = "
    window.later = [];
    window.setTimeout = ((wait) => (call, ms, ...more) =>
      ms === 1000 ? later.push(call) : wait(call, ms, ...more))(setTimeout);
    window.hide = () => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      delete document.visibilityState;
    };";

/// A page whose batches are of 20 KB, and have been sent until now.
async fn opened(kind: Kind) -> (Recorder, Browser) {
    let recorder = Recorder::start().await;
    let page = Page::default().head(WATCH).with("capture", "page-views");
    recorder.page(
        &page
            .with("batch-bytes", "20KB")
            .with("batch-count", "500")
            .with("batch-age", "1h"),
    );
    let browser = Browser::of(kind).await;
    browser.driver.goto(&recorder.url).await.unwrap();
    until_recording(&browser).await;
    until_taken(&recorder, 1).await;
    // The browser carries a request until the page has read its answer.
    until_page(&browser, "footfall.status().queued === 0").await;
    (recorder, browser)
}

/// Records events of one KB each.
async fn track(browser: &Browser, count: usize) {
    let script = format!(
        "for (let i = 0; i < {count}; i++) footfall.track('e', {{ i, text: 'x'.repeat(850) }})"
    );
    run(browser, &script).await;
}

fn bytes(log: &Log) -> usize {
    log.batches().map(|batch| batch.bytes).sum()
}

async fn a_page_that_is_hidden_leaves_its_other_scripts_room_for_a_beacon(kind: Kind) {
    let (recorder, browser) = opened(kind).await;
    let before = recorder.log();
    recorder.reply(Reply::Hang(202));
    track(&browser, 100).await;
    until(&recorder, "a full batch", |log| log.len() > before.len()).await;
    browser.driver.minimize_window().await.unwrap();
    until(&recorder, "a beacon", |log| log.len() > before.len() + 1).await;
    let own = "return navigator.sendBeacon('/own', 'x'.repeat(15 << 10))";
    assert_eq!(run(&browser, own).await, true, "{kind} carries 64 KiB");
    let on_its_way = bytes(&recorder.log()) - bytes(&before);
    assert!(on_its_way <= MOST, "{on_its_way} bytes");
    recorder.reply(Reply::Status(202));
    recorder.release();
    browser.driver.maximize_window().await.unwrap();
    run(&browser, "return footfall.flush()").await;
    let log = until_taken(&recorder, 101).await;
    assert!(log.gaps().is_empty());
}

async fn what_the_browser_would_carry_beyond_our_share_goes_as_a_plain_request(kind: Kind) {
    let (recorder, browser) = opened(kind).await;
    run(&browser, HOLD).await;
    recorder.reply(Reply::Hang(202));
    let arrived = recorder.log().len();
    for beacons in 1..=2 {
        track(&browser, 18).await;
        run(&browser, "hide()").await;
        until(&recorder, "a beacon", |log| log.len() == arrived + beacons).await;
    }
    assert_eq!(run(&browser, "return kept").await, json!([true]));
    track(&browser, 18).await;
    run(&browser, "footfall.flush()").await;
    until(&recorder, "a request", |log| log.len() == arrived + 3).await;
    assert_eq!(run(&browser, "return kept").await, json!([true, false]));
    recorder.reply(Reply::Status(202));
    recorder.release();
    let log = until_taken(&recorder, 55).await;
    assert_eq!(log.taken().len(), 55, "none twice");

    run(&browser, "later.forEach((call) => call())").await;
    track(&browser, 18).await;
    run(&browser, "footfall.flush()").await;
    until_taken(&recorder, 73).await;
    assert_eq!(
        run(&browser, "return kept").await,
        json!([true, false, true])
    );
}

async fn what_is_answered_makes_room_again(kind: Kind) {
    let (recorder, browser) = opened(kind).await;
    track(&browser, 100).await;
    run(&browser, "return footfall.flush()").await;
    let log = until_taken(&recorder, 101).await;
    assert!(bytes(&log) > 2 * MOST);
    let kept = run(&browser, "return [...new Set(kept)]").await;
    assert_eq!(kept, json!([true]), "each outlives its page");
}
