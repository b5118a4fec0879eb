//! A real Chromium, driven by WebDriver.

use crate::{client, port, program::Program};
use serde_json::json;
use std::process::Command;
use tempfile::TempDir;
use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver};

/// A browser with a profile of its own. Dropping it ends it and deletes the profile: the fields are
/// dropped in this order, so that the session ends before its driver does. The session's end needs
/// a free thread, so tests with a browser run on a runtime of several.
#[derive(Debug)]
pub struct Browser {
    /// What tests drive.
    pub driver: WebDriver,
    _program: Program,
    _profile: TempDir,
}

/// What a browser needs to run as root, headless, and without asking anything of the network.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,900",
];

impl Browser {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with Global Privacy Control on.
    pub async fn start_with_global_privacy_control() -> Self {
        Self::start_with(&["--enable-features=GlobalPrivacyControlForce"]).await
    }

    /// Starts one with Do Not Track on.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with_do_not_track() -> Self {
        Self::launch(&[], &json!({ "enable_do_not_track": true })).await
    }

    async fn start_with(flags: &[&str]) -> Self {
        Self::launch(flags, &json!({})).await
    }

    async fn launch(flags: &[&str], preferences: &serde_json::Value) -> Self {
        let profile = TempDir::new().expect("a folder for the profile");
        let address = port::free_address();
        let port = address.rsplit(':').next().expect("a port");
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        let program = Program::start_command("chromedriver", command);
        client::until_answers(&format!("http://{address}/status"), "ready").await;

        let mut capabilities = DesiredCapabilities::chrome();
        let profile_flag = format!("--user-data-dir={}", profile.path().display());
        for flag in FLAGS
            .iter()
            .chain(flags)
            .copied()
            .chain([profile_flag.as_str()])
        {
            capabilities.add_arg(flag).expect("a flag");
        }
        capabilities
            .add_experimental_option("prefs", preferences.clone())
            .expect("preferences");
        let driver = WebDriver::new(format!("http://{address}"), capabilities)
            .await
            .expect("a session");
        Self {
            driver,
            _program: program,
            _profile: profile,
        }
    }
}
