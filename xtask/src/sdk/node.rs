//! Programs from npm, at the versions of the lockfile.

use crate::process;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::SystemTime,
};

/// Installs what the lockfile names, unless that is done.
///
/// # Errors
/// When npm fails.
pub(crate) fn install(root: &Path) -> anyhow::Result<()> {
    let installed = modified(&root.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&root.join("package-lock.json")) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(root)
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    process::run("install the tools from npm", npm.stdin(Stdio::null()))
}

/// A program that a package brings.
pub(super) fn program(root: &Path, name: &str) -> Command {
    let mut program = Command::new(root.join("node_modules/.bin").join(name));
    program.current_dir(root).stdin(Stdio::null());
    program
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}
