//! What the SDK records, as it arrives at a server that writes everything down.

mod clicks;
mod session;
mod site;
mod storage;
mod typed;
mod views;
mod visit;

use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Page, Recorder},
    wait,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// A page with the SDK in a browser, and the server that both come from and report to.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) recorder: Recorder,
    pub(super) browser: Browser,
}

impl Watched {
    /// Opens `/` of a site on which every path is this page.
    pub(super) async fn open(page: &Page) -> Self {
        Self::of(Kind::Chromium, page).await
    }

    /// The same in a browser of a kind.
    pub(super) async fn of(kind: Kind, page: &Page) -> Self {
        Self::open_in(Browser::of(kind).await, page).await
    }

    pub(super) async fn open_in(browser: Browser, page: &Page) -> Self {
        let recorder = Recorder::start().await;
        recorder.page(page);
        let watched = Self { recorder, browser };
        watched.goto("/").await;
        watched
    }

    /// Opens a path and waits until the SDK is there.
    pub(super) async fn goto(&self, path: &str) {
        let url = format!("{}{path}", self.recorder.url);
        self.browser.driver.goto(&url).await.unwrap();
        self.until_started().await;
    }

    pub(super) async fn until_started(&self) {
        wait::until("the SDK", async || {
            let status = self.run("return window.footfall?.status() ?? null").await;
            let started = status["visitor"].is_string() || status["recording"] == false;
            if started {
                Ok(())
            } else {
                Err(status.to_string())
            }
        })
        .await;
    }

    /// Waits until a script in the page returns this.
    pub(super) async fn until(&self, script: &str, expected: &str) {
        wait::until(expected, async || {
            let found = self.browser.run(script).await?;
            if found == expected {
                Ok(())
            } else {
                Err(found.to_string())
            }
        })
        .await;
    }

    /// Waits until the page at a path is there, and the SDK on it.
    pub(super) async fn until_at(&self, path: &str) {
        self.until("return location.pathname", path).await;
        self.until_started().await;
    }

    /// Runs a script in the page, in a task of its own.
    pub(super) async fn run(&self, script: &str) -> Value {
        let returned = self.browser.driver.execute(script, Vec::new()).await;
        returned.unwrap().json().clone()
    }

    /// Runs a script that may `await`.
    pub(super) async fn run_async(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
            (async () => {{ {script} }})().then((value) => done(value ?? null), (error) => done(String(error)))"
        );
        let returned = self.browser.driver.execute_async(&script, Vec::new()).await;
        returned.unwrap().json().clone()
    }

    /// All that was recorded until now, in the order in which it was recorded.
    pub(super) async fn events(&self) -> Vec<Value> {
        self.run_async(
            "await footfall.flush(); footfall.track('seen until here'); await footfall.flush()",
        )
        .await;
        self.taken()
    }

    /// The events of a type that were recorded until now.
    pub(super) async fn events_of(&self, kind: &str) -> Vec<Value> {
        let mut events = self.events().await;
        events.retain(|event| event["type"] == kind);
        events
    }

    /// What the server has taken. What a page could not read the answer for may have come twice.
    pub(super) fn taken(&self) -> Vec<Value> {
        let mut events = self.recorder.taken();
        let mut ids = BTreeSet::new();
        events.retain(|event| {
            event["name"] != "seen until here" && ids.insert(event["id"].to_string())
        });
        events
    }

    /// The paths of the pages that were viewed until now.
    pub(super) async fn views(&self) -> Vec<String> {
        let views = self.events_of("page_view").await;
        views
            .iter()
            .map(|view| self.path(&view["page"]["url"]))
            .collect()
    }

    /// A url of this site without its origin.
    pub(super) fn path(&self, url: &Value) -> String {
        let url = url.as_str().unwrap_or("?");
        url.strip_prefix(&self.recorder.url)
            .unwrap_or(url)
            .to_owned()
    }
}
