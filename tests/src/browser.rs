//! Real browsers, driven by WebDriver.

mod chromium;
mod firefox;
mod pool;
mod session;
mod webkit;

use serde_json::Value;
use session::Session;
use std::{fmt, process::Command};
use thirtyfour::{Capabilities, WebDriver};

/// Which browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Chromium, without a window.
    Chromium,
    /// Firefox ESR, without a window.
    Firefox,
    /// WebKitGTK's MiniBrowser, on a display of its own.
    WebKit,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::WebKit => "WebKit",
        })
    }
}

/// What a browser is started with, besides what it always is.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    flags: Vec<String>,
    preferences: serde_json::Map<String, Value>,
    capabilities: Vec<(String, Value)>,
}

impl Wishes {
    /// A flag on the browser's command line.
    #[must_use]
    pub fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// One of the user's preferences.
    #[must_use]
    pub fn preference(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.preferences.insert(name.into(), value.into());
        self
    }

    /// A capability of the session.
    #[must_use]
    pub fn capability(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.capabilities.push((name.into(), value.into()));
        self
    }
}

/// A browser. One without wishes is shared: when it is dropped, its pages are closed, and the next test gets it with
/// one new window. What pages have stored stays with their hosts, and each [`Recorder`](crate::recorder::Recorder) has
/// a host of its own. One that does not answer any more, or whose test has failed, is not used again.
///
/// Tests with a browser run on a runtime of several threads: what is done at its end needs a free one.
#[derive(Debug)]
pub struct Browser {
    /// What tests drive.
    pub driver: WebDriver,
    /// Which it is.
    pub kind: Kind,
    /// There until it is dropped.
    session: Option<Session>,
    is_shared: bool,
}

impl Browser {
    /// A Chromium.
    pub async fn start() -> Self {
        Self::of(Kind::Chromium).await
    }

    /// One of a kind.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn of(kind: Kind) -> Self {
        match pool::take(kind) {
            Some(session) => Self::new(kind, session, true),
            None => Self::new(kind, Session::start(kind, Wishes::default()).await, true),
        }
    }

    /// Starts a Chromium with Global Privacy Control on.
    pub async fn start_with_global_privacy_control() -> Self {
        let flag = "--enable-features=GlobalPrivacyControlForce";
        Self::with(Kind::Chromium, Wishes::default().flag(flag)).await
    }

    /// Starts a Chromium with Do Not Track on.
    pub async fn start_with_do_not_track() -> Self {
        let wishes = Wishes::default().preference("enable_do_not_track", true);
        Self::with(Kind::Chromium, wishes).await
    }

    /// Starts one of a kind as it is wished; nobody else gets it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with(kind: Kind, wishes: Wishes) -> Self {
        Self::new(kind, Session::start(kind, wishes).await, false)
    }

    fn new(kind: Kind, session: Session, is_shared: bool) -> Self {
        Self {
            driver: session.driver.clone(),
            kind,
            session: Some(session),
            is_shared,
        }
    }

    /// Calls a method of Chromium's DevTools protocol, in the tab that is driven.
    ///
    /// # Errors
    /// What the browser says, also when the tab is gone.
    pub async fn cdp(&self, method: &str, parameters: Value) -> Result<Value, String> {
        let answer = self.driver.cdp().send_raw(method, parameters).await;
        answer.map_err(|error| error.to_string())
    }

    /// Runs a script in the page, and returns what it does.
    ///
    /// # Errors
    /// When the page throws, or is gone.
    pub async fn run(&self, script: &str) -> Result<Value, String> {
        let result = self.driver.execute(script, vec![]).await;
        let result = result.map_err(|error| error.to_string())?;
        Ok(result.json().clone())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        if self.is_shared && !std::thread::panicking() {
            pool::give_back(self.kind, session);
        }
    }
}

fn driver(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn options(name: &str, browser: &str, options: Value) -> Capabilities {
    let mut capabilities = Capabilities::new();
    for (name, value) in [("browserName", browser.into()), (name, options)] {
        capabilities.set(name, value).expect("a capability");
    }
    capabilities
}
