//! One page, from its opening to what ends it.

use footfall_tests::{
    browser::{Browser, Kind},
    recorder::{Recorder, Reply},
    wait,
};
use serde_json::json;
use thirtyfour::WindowHandle;

/// What happens to a page right after the last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its tab is closed.
    Close,
    /// It is left for another one.
    Navigate,
    /// It is loaded again.
    Reload,
    /// Its renderer crashes.
    Crash,
    /// No request gets through while it records; the network comes back.
    Offline,
    /// The same, and the tab is closed before that.
    CloseOffline,
    /// Every batch is answered with 503 while it records; then no longer.
    Unavailable,
    /// The same, and the tab is closed before that.
    CloseUnavailable,
}

impl Fault {
    /// What can be done to pages of a browser.
    pub(super) fn of(kind: Kind) -> Vec<Self> {
        let mut faults = vec![
            Self::Close,
            Self::Navigate,
            Self::Reload,
            Self::Offline,
            Self::CloseOffline,
            Self::Unavailable,
            Self::CloseUnavailable,
        ];
        if kind == Kind::Chromium {
            faults.push(Self::Crash);
        }
        faults
    }
}

/// A tab with a page in it.
#[derive(Debug)]
pub(super) struct Life<'a> {
    browser: &'a Browser,
    recorder: &'a Recorder,
    /// Another tab, because the last one cannot be closed.
    home: &'a WindowHandle,
    tab: WindowHandle,
}

impl<'a> Life<'a> {
    /// The tab that stays.
    pub(super) async fn home(browser: &Browser, recorder: &Recorder) -> WindowHandle {
        let driver = &browser.driver;
        driver
            .goto(format!("{}/blank", recorder.url))
            .await
            .unwrap();
        driver.window().await.unwrap()
    }

    /// Opens a page in a tab of its own, under an address of its own, which its requests tell.
    pub(super) async fn begin(
        browser: &'a Browser,
        recorder: &'a Recorder,
        home: &'a WindowHandle,
        number: usize,
    ) -> Self {
        let tab = browser.driver.new_tab().await.unwrap();
        let life = Self {
            browser,
            recorder,
            home,
            tab,
        };
        life.show().await;
        let address = format!("{}/?life={number}", recorder.url);
        browser.driver.goto(address).await.unwrap();
        life.until(
            "the SDK to record",
            "return !!window.footfall?.status().visitor",
        )
        .await;
        life
    }

    /// Brings its tab to the front.
    pub(super) async fn show(&self) {
        let driver = &self.browser.driver;
        driver.switch_to_window(self.tab.clone()).await.unwrap();
    }

    /// Waits until it has nothing to send any more.
    pub(super) async fn until_nothing_waits(&self) {
        self.until("an empty queue", "return footfall.status().queued === 0")
            .await;
    }

    /// Waits until it has also taken over what ended pages have left: more than 256 KiB of that and of what it records
    /// itself would not fit.
    pub(super) async fn until_nothing_is_left(&self) {
        let script = "return footfall.status().queued === 0
          && !Object.keys(localStorage).some((key) => key.startsWith('footfall.unsent.'))";
        self.until("nothing to be left in storage", script).await;
    }

    /// Records events, and lets something happen at once.
    pub(super) async fn suffer(self, fault: Fault, from: usize, count: usize) {
        match fault {
            Fault::Offline | Fault::CloseOffline => self.recorder.reply(Reply::Drop),
            Fault::Unavailable | Fault::CloseUnavailable => {
                self.recorder.reply(Reply::Status(503));
            }
            Fault::Close | Fault::Navigate | Fault::Reload | Fault::Crash => {}
        }
        let before = self.failures();
        let record = format!("record({from}, {count})");
        self.browser.run(&record).await.unwrap();
        match fault {
            Fault::Close => self.close().await,
            Fault::Navigate => self.leave().await,
            Fault::Reload => {
                let rename = "history.replaceState(null, '', location.search + '&again')";
                self.browser.run(rename).await.unwrap();
                self.browser.driver.refresh().await.unwrap();
                self.leave().await;
            }
            Fault::Crash => self.crash().await,
            Fault::Offline | Fault::Unavailable => {
                self.until_failed(before).await;
                self.recorder.reply(Reply::Status(202));
                self.until_nothing_waits().await;
                self.close().await;
            }
            Fault::CloseOffline | Fault::CloseUnavailable => {
                self.until_failed(before).await;
                let recorder = self.recorder;
                self.close().await;
                recorder.reply(Reply::Status(202));
            }
        }
    }

    /// Records events a few at a time; does not wait for the end.
    pub(super) async fn record_slowly(&self, from: usize, count: usize) {
        let record = format!("recordSlowly({from}, {count})");
        self.browser.run(&record).await.unwrap();
    }

    /// Waits until all of them are recorded.
    pub(super) async fn until_recorded(&self) {
        self.show().await;
        self.until("all to be recorded", "return window.recorded === true")
            .await;
    }

    /// Closes its tab.
    pub(super) async fn close(self) {
        self.browser.driver.close_window().await.unwrap();
        self.go_home().await;
    }

    async fn leave(self) {
        let blank = format!("{}/blank", self.recorder.url);
        self.browser.driver.goto(blank).await.unwrap();
        self.close().await;
    }

    async fn crash(self) {
        // The renderer cannot answer any more.
        let answer = self.browser.cdp("Page.crash", json!({})).await;
        assert!(answer.is_err(), "{answer:?}");
        self.go_home().await;
    }

    async fn go_home(&self) {
        let driver = &self.browser.driver;
        driver.switch_to_window(self.home.clone()).await.unwrap();
    }

    fn failures(&self) -> usize {
        let log = self.recorder.log();
        log.batches().filter(|request| !request.is_taken()).count()
    }

    async fn until_failed(&self, before: usize) {
        wait::until("a batch that fails", async || {
            let failures = self.failures();
            if failures > before {
                Ok(())
            } else {
                Err(format!("{failures} failures"))
            }
        })
        .await;
    }

    async fn until(&self, what: &str, script: &str) {
        wait::until(what, async || {
            let answer = self.browser.run(script).await?;
            if answer == true {
                Ok(())
            } else {
                Err(answer.to_string())
            }
        })
        .await;
    }
}
