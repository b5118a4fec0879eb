//! Real browsers, driven by WebDriver.

mod chromium;
mod firefox;
mod webkit;

use crate::{client, port, program::Program};
use serde_json::Value;
use std::{fmt, process::Command, time::Duration};
use tempfile::TempDir;
use thirtyfour::{Capabilities, WebDriver};

/// A session that has not started by then never will: a browser that dies at its start leaves its
/// driver waiting for it.
const START_LIMIT: Duration = Duration::from_secs(90);

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

/// A browser with a profile of its own. Dropping it ends it and deletes the profile: the fields are
/// dropped in this order, so that the session ends before its driver does, and the driver before
/// its display. The session's end needs a free thread, so tests with a browser run on a runtime of
/// several.
#[derive(Debug)]
pub struct Browser {
    /// What tests drive.
    pub driver: WebDriver,
    /// Which it is.
    pub kind: Kind,
    _programs: Vec<Program>,
    _profile: TempDir,
}

impl Browser {
    /// Starts a Chromium.
    pub async fn start() -> Self {
        Self::of(Kind::Chromium).await
    }

    /// Starts one of a kind.
    pub async fn of(kind: Kind) -> Self {
        Self::with(kind, Wishes::default()).await
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

    /// Starts one of a kind as it is wished.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with(kind: Kind, wishes: Wishes) -> Self {
        let profile = TempDir::new().expect("a folder for the profile");
        let address = port::free_address();
        let port = address.rsplit(':').next().expect("a port");
        let mut programs = Vec::new();
        let (mut command, mut capabilities) = match kind {
            Kind::Chromium => chromium::prepare(port, profile.path(), &wishes),
            Kind::Firefox => firefox::prepare(port, &wishes),
            Kind::WebKit => webkit::prepare(port, &mut programs).await,
        };
        for (name, value) in wishes.capabilities {
            capabilities.set(name, value).expect("a capability");
        }
        // What the browser leaves behind goes with the profile.
        command.env("TMPDIR", profile.path());
        let name = command.get_program().to_string_lossy().into_owned();
        // The display that was started first has to end last.
        programs.insert(0, Program::start_command(&name, command));
        client::until_answers(&format!("http://{address}/status"), "ready").await;
        Self {
            driver: session(&address, capabilities).await,
            kind,
            _programs: programs,
            _profile: profile,
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

async fn session(address: &str, capabilities: Capabilities) -> WebDriver {
    let session = WebDriver::new(format!("http://{address}"), capabilities);
    let started = tokio::time::timeout(START_LIMIT, session).await;
    started.expect("a session in time").expect("a session")
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
