//! How Firefox is started.

use super::{Wishes, driver, options};
use crate::{port, program};
use serde_json::json;
use std::process::Command;
use thirtyfour::Capabilities;

pub(super) fn prepare(port: &str, wishes: &Wishes) -> (Command, Capabilities) {
    let flags: Vec<_> = ["-headless".into()]
        .into_iter()
        .chain(wishes.flags.clone())
        .collect();
    let wished = json!({ "args": flags, "prefs": wishes.preferences });
    let capabilities = options("moz:firefoxOptions", "firefox", wished);
    // Two at once must not ask for the same port.
    let other = port::free_address();
    let other = other.rsplit(':').next().unwrap_or_default();
    let arguments = ["--port", port, "--websocket-port", other];
    (driver(geckodriver(), &arguments), capabilities)
}

/// Where `cargo xtask test` has built it; else on the `PATH`.
fn geckodriver() -> std::path::PathBuf {
    let built = program::target().join("tools/bin/geckodriver");
    if built.exists() {
        built
    } else {
        "geckodriver".into()
    }
}
