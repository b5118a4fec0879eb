//! A running browser and its driver.

use super::{Kind, Wishes, chromium, firefox, webkit};
use crate::{client, port, program::Program};
use std::{future::IntoFuture as _, time::Duration};
use tempfile::TempDir;
use thirtyfour::{Capabilities, WebDriver, error::WebDriverResult};

/// A session that has not started by then never will: a browser that dies at its start leaves its
/// driver waiting for it.
const START_LIMIT: Duration = Duration::from_secs(90);
/// Slow machines take so long for a command, at most.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// A browser with a profile of its own. Dropping it ends it and deletes the profile: the fields are
/// dropped in this order, so that the session ends before its driver does, and the driver before
/// its display.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) driver: WebDriver,
    _programs: Vec<Program>,
    _profile: TempDir,
}

impl Session {
    /// Starts one of a kind as it is wished.
    ///
    /// # Panics
    /// When it does not start.
    pub(super) async fn start(kind: Kind, wishes: Wishes) -> Self {
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
        let driver = Program::start_attended(&name, &command, Some(profile.path()));
        // The display that was started first has to end last.
        programs.insert(0, driver);
        client::until_answers(&format!("http://{address}/status"), "ready").await;
        Self {
            driver: session(&address, capabilities).await,
            _programs: programs,
            _profile: profile,
        }
    }

    /// Closes every page and opens one new window, which knows nothing of those.
    ///
    /// # Errors
    /// When the browser does not do it: it may have crashed.
    pub(super) async fn clear(&self) -> WebDriverResult<()> {
        let old = self.driver.windows().await?;
        let new = self.driver.new_window().await?;
        for window in old {
            self.driver.switch_to_window(window).await?;
            self.driver.close_window().await?;
        }
        self.driver.switch_to_window(new).await
    }
}

async fn session(address: &str, capabilities: Capabilities) -> WebDriver {
    // A test's connections end with its runtime; the next test makes its own.
    let client = reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .timeout(COMMAND_LIMIT)
        .build()
        .expect("a client");
    let session = WebDriver::builder(format!("http://{address}"), capabilities).client(client);
    let started = tokio::time::timeout(START_LIMIT, session.into_future()).await;
    started.expect("a session in time").expect("a session")
}
