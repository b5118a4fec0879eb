//! Cargo, as it is called from here, and where things lie.

use crate::process;
use anyhow::Context as _;
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The folder that cargo builds into.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Held while files are made that other runs of these commands make too: theirs wait.
///
/// # Errors
/// When the lock's file cannot be made or locked.
pub(crate) fn lock() -> anyhow::Result<File> {
    let file = target().join("xtask.lock");
    let lock = fs::create_dir_all(target()).and_then(|()| File::create(&file));
    let lock = lock.and_then(|lock| lock.lock().map(|()| lock));
    lock.with_context(|| format!("lock {}", file.display()))
}

/// A built program of the workspace.
pub(crate) fn program(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// `cargo`, in the workspace's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments);
    command
}

/// What demo and tests build: everything but the commands themselves. Both select the same
/// packages, so that the features of shared dependencies, and with them the programs, are the same.
pub(crate) const SELECTION: [&str; 3] = ["--workspace", "--exclude", "xtask"];

/// Builds every program.
///
/// # Errors
/// When the build fails.
pub(crate) fn build_programs() -> anyhow::Result<()> {
    let mut build = cargo(&["build", "--bins"]);
    build.args(SELECTION);
    process::run("build the programs", &mut build)
}
