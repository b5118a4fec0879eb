//! What a machine must have, and how it gets what is missing.

use crate::process;
use anyhow::bail;
use nix::unistd::Uid;
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A program that must be on the `PATH`, and the Debian package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// As it is called.
    pub(crate) program: &'static str,
    /// The Debian package.
    pub(crate) package: &'static str,
}

/// What every build needs.
pub(crate) const BUILD: &[Tool] = &[
    Tool {
        program: "cc",
        package: "build-essential",
    },
    Tool {
        program: "make",
        package: "build-essential",
    },
    Tool {
        program: "git",
        package: "git",
    },
    Tool {
        program: "node",
        package: "nodejs",
    },
    Tool {
        program: "npm",
        package: "npm",
    },
];

/// What a local Apache Kafka needs.
pub(crate) const KAFKA: &[Tool] = &[
    Tool {
        program: "java",
        package: "default-jre-headless",
    },
    Tool {
        program: "mvn",
        package: "maven",
    },
];

/// What the browser tests need.
pub(crate) const BROWSER: &[Tool] = &[
    Tool {
        program: "chromium",
        package: "chromium",
    },
    Tool {
        program: "chromedriver",
        package: "chromium-driver",
    },
];

/// Installs what is missing where that may be done (as root, with apt).
///
/// # Errors
/// Names in one line what is missing and how to install it, where it may not.
pub(crate) fn ensure(tools: &[&[Tool]]) -> anyhow::Result<()> {
    let missing: Vec<Tool> = tools
        .concat()
        .into_iter()
        .filter(|tool| find(tool.program).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    if !Uid::effective().is_root() || find("apt-get").is_none() {
        let programs: Vec<_> = missing.iter().map(|tool| tool.program).collect();
        bail!(
            "{} not found; install and try again (on Debian: apt-get install {})",
            programs.join(", "),
            packages.join(" ")
        );
    }
    let mut apt = Command::new("apt-get");
    process::run("apt-get update", apt.args(["update", "-qq"]))?;
    let mut apt = Command::new("apt-get");
    apt.args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(&packages);
    apt.env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    process::run(&format!("apt-get install {}", packages.join(" ")), &mut apt)
}

/// Where a program lies.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
