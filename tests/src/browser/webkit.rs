//! How WebKitGTK is started.

use super::{driver, options};
use crate::program::Program;
use serde_json::json;
use std::{path::PathBuf, process::Command};
use thirtyfour::Capabilities;

/// It has no headless mode: it gets a display of its own.
pub(super) async fn prepare(port: &str, programs: &mut Vec<Program>) -> (Command, Capabilities) {
    let screen = ["-screen", "0", "1280x900x24"];
    let mut display = driver("Xvfb", &["-displayfd", "1", "-nolisten", "tcp"]);
    display.args(screen);
    let mut display = Program::start_attended("Xvfb", &display, None);
    let number = display.line_after("").await;
    programs.push(display);

    let wished = json!({ "binary": mini_browser(), "args": ["--automation"] });
    let capabilities = options("webkitgtk:browserOptions", "MiniBrowser", wished);
    let port = format!("--port={port}");
    let mut command = driver("WebKitWebDriver", &[&port, "--host=127.0.0.1"]);
    command.env("DISPLAY", format!(":{number}"));
    // Neither a session bus nor a GPU is there, and root has no sandbox.
    command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
    (command, capabilities)
}

/// Debian keeps it in the folder of its architecture and version.
fn mini_browser() -> PathBuf {
    let lib = PathBuf::from("/usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    let versions = ["webkitgtk-6.0", "webkit2gtk-4.1", "webkit2gtk-4.0"];
    let found = versions
        .iter()
        .map(|version| lib.join(version).join("MiniBrowser"))
        .find(|file| file.exists());
    found.expect("MiniBrowser, which webkit2gtk-driver brings")
}
