//! What the SDK sends when, seen by a server that answers as it is told.

mod account;
mod answers;
mod errors;
mod leaving;
mod offline;
mod tabs;

use footfall_tests::{
    browser::Browser,
    recorder::{Log, Recorder},
    wait,
};
use serde_json::Value;

/// Waits until a condition on what has arrived holds, and returns that.
async fn until(recorder: &Recorder, what: &str, holds: impl Fn(&Log) -> bool) -> Log {
    wait::until(what, async || {
        let log = recorder.log();
        if holds(&log) {
            Ok(log)
        } else {
            Err(format!("{log:#?}"))
        }
    })
    .await
}

/// Waits until so many events with different ids have been taken.
async fn until_taken(recorder: &Recorder, count: usize) -> Log {
    until(recorder, &format!("{count} events"), |log| {
        log.ids().len() >= count
    })
    .await
}

/// Waits until the SDK records on the page.
async fn until_recording(browser: &Browser) {
    until_page(browser, "window.footfall?.status().visitor").await;
}

/// Waits until an expression on the page is true, and returns its value.
async fn until_page(browser: &Browser, expression: &str) -> Value {
    let script = format!("return {expression} || null");
    super::stage::until_some(browser, expression, &script).await
}

/// Runs a script on the page and returns what it returns.
async fn run(browser: &Browser, script: &str) -> Value {
    let returned = browser.driver.execute(script, vec![]).await;
    returned.unwrap().json().clone()
}

/// Opens a page in a new tab, and goes there.
async fn open_tab(browser: &Browser, url: &str) {
    let tab = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(tab).await.unwrap();
    browser.driver.goto(url).await.unwrap();
    until_recording(browser).await;
}

/// Goes to the tab that was opened first.
async fn go_to_first_tab(browser: &Browser) {
    let first = browser.driver.windows().await.unwrap().remove(0);
    browser.driver.switch_to_window(first).await.unwrap();
}

/// Ends the renderer of this tab without a word, and goes to the first one.
async fn crash(browser: &Browser) {
    // The renderer cannot answer any more.
    let answer = browser.cdp("Page.crash", serde_json::json!({})).await;
    assert!(answer.is_err(), "{answer:?}");
    go_to_first_tab(browser).await;
}

/// Waits until the page has stored what it last recorded, and armed the browser with it.
async fn until_kept(browser: &Browser) {
    let script = "return new Promise((resolve) => setTimeout(resolve, 300))";
    run(browser, script).await;
}

/// Records events of the site's own.
async fn track(browser: &Browser, count: usize) {
    let script = format!("for (let i = 0; i < {count}; i++) footfall.track('e', {{ i }})");
    run(browser, &script).await;
}
