//! A page whose errors are written down.

use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Page, Recorder},
    wait,
};
use serde_json::{Value, json};
use thirtyfour::By;

/// Writes down whatever a page, or who reads its console, could see of an error.
const WATCH: &str = "<script>
    window.seen = [];
    addEventListener('error', (event) => seen.push('error ' + event.message), true);
    addEventListener('unhandledrejection', (event) => seen.push('rejection ' + event.reason));
    for (const level of ['warn', 'error']) console[level] = (...words) => seen.push(level + ' ' + words);
  </script>";

/// A page, and the server that it sends to.
pub(super) struct Visit<'a> {
    pub(super) browser: &'a Browser,
    pub(super) recorder: Recorder,
}

impl<'a> Visit<'a> {
    /// Serves a page whose head has this script in it; every visit has an origin of its own.
    pub(super) async fn with(browser: &'a Browser, script: &str) -> Self {
        Self::to(browser, Page::default().head(&head(script))).await
    }

    /// Serves a page.
    pub(super) async fn to(browser: &'a Browser, page: Page) -> Self {
        let recorder = Recorder::start().await;
        recorder.page(&page);
        Self { browser, recorder }
    }

    /// Opens the page.
    pub(super) async fn open(&self) {
        let driver = &self.browser.driver;
        driver.goto(&self.recorder.url).await.unwrap();
    }

    /// Opens the page and clicks once the SDK records; waits for both events.
    pub(super) async fn be_recorded(&self) {
        self.open().await;
        self.click_and_be_recorded().await;
    }

    /// Clicks once the SDK records; waits for the page view and the click.
    pub(super) async fn click_and_be_recorded(&self) {
        self.until("return footfall.status().reason === 'recording' && footfall.status().visitor !== undefined").await;
        self.click().await;
        self.until_taken(&["page_view", "click"]).await;
    }

    /// Clicks on the button.
    pub(super) async fn click(&self) {
        let button = self.browser.driver.find(By::Css("#buy")).await.unwrap();
        button.click().await.unwrap();
    }

    /// Waits until the script is true.
    pub(super) async fn until(&self, script: &str) {
        wait::until(script, async || {
            let found = self.browser.run(script).await?;
            if found == true {
                Ok(())
            } else {
                Err(found.to_string())
            }
        })
        .await;
    }

    /// Waits until events of these types, and no others, have arrived in any order.
    pub(super) async fn until_taken(&self, kinds: &[&str]) {
        let mut expected: Vec<_> = kinds.iter().map(|kind| json!(kind)).collect();
        expected.sort_by_key(Value::to_string);
        wait::until(&format!("{kinds:?}"), async || {
            let taken = self.recorder.taken();
            let mut kinds: Vec<_> = taken.iter().map(|event| event["type"].clone()).collect();
            kinds.sort_by_key(Value::to_string);
            if kinds == expected {
                Ok(())
            } else {
                Err(format!("{taken:?}"))
            }
        })
        .await;
    }

    /// Nothing went wrong as far as the page knows.
    pub(super) async fn assert_unnoticed(&self, what: &str) {
        let seen = self.browser.run("return window.seen").await.unwrap();
        assert_eq!(seen, json!([]), "{what}, in {}", self.browser.kind);
    }
}

/// The head of a page that is watched, with a script in it.
pub(super) fn head(script: &str) -> String {
    format!("{WATCH}<script>{script}</script>")
}

/// What a browser does with every one of some scripts: it records, and the page hears of nothing.
pub(super) async fn assert_recorded_with(kind: Kind, scripts: &[(&str, &str)]) {
    let browser = Browser::of(kind).await;
    for (what, script) in scripts {
        let visit = Visit::with(&browser, script).await;
        visit.be_recorded().await;
        visit.assert_unnoticed(what).await;
    }
}
