//! How Chromium is started.

use super::{Wishes, driver, options};
use serde_json::json;
use std::{path::Path, process::Command};
use thirtyfour::Capabilities;

/// What it needs to run as root, headless, and without asking anything of the network.
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

pub(super) fn prepare(port: &str, profile: &Path, wishes: &Wishes) -> (Command, Capabilities) {
    let own = [format!("--user-data-dir={}", profile.display())];
    let flags = FLAGS.iter().map(ToString::to_string);
    let flags: Vec<_> = flags.chain(own).chain(wishes.flags.clone()).collect();
    let wished = json!({ "args": flags, "prefs": wishes.preferences });
    let capabilities = options("goog:chromeOptions", "chrome", wished);
    let port = format!("--port={port}");
    (driver("chromedriver", &[&port]), capabilities)
}
