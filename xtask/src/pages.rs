//! The scripts and styles of the demo's pages: bundled for browsers, and their tests.

use crate::{cargo, process};
use std::{path::Path, process::Command};

/// Bundles the pages' scripts, styles and fonts into `demo-site/dist/`.
///
/// The npm packages must be there: the SDK's build installs those of the whole workspace.
///
/// # Errors
/// When the bundler fails; it has said where.
pub(crate) fn build(root: &Path) -> anyhow::Result<()> {
    let _others_wait = cargo::lock()?;
    npm(root, "bundle the pages' scripts and styles", "build")
}

/// Checks the types of the pages' scripts and runs their tests.
///
/// # Errors
/// When a type is wrong or a test fails.
pub(crate) fn test(root: &Path) -> anyhow::Result<()> {
    npm(root, "test the pages' scripts", "test")
}

fn npm(root: &Path, step: &str, script: &str) -> anyhow::Result<()> {
    let mut npm = Command::new("npm");
    npm.current_dir(root)
        .args(["run", "--silent", "--workspace", "demo-site", script]);
    process::run(step, &mut npm)
}
