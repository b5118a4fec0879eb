//! What a machine must have, and how it gets what is missing.

use crate::process;
use anyhow::bail;
use nix::unistd::Uid;
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What must be there, and the Debian package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// As it is called.
    name: &'static str,
    kind: Kind,
    /// The Debian package.
    package: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// On the `PATH`, or where Debian keeps servers.
    Program,
    /// Known to `pkg-config`, with its headers.
    Library,
}

impl Tool {
    /// A program.
    pub(crate) const fn program(name: &'static str, package: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Program,
            package,
        }
    }

    /// A C library.
    const fn library(name: &'static str, package: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Library,
            package,
        }
    }

    fn is_there(self) -> bool {
        match self.kind {
            Kind::Program => find(self.name).is_some(),
            Kind::Library => {
                let mut pkg_config = Command::new("pkg-config");
                let asked = pkg_config.args(["--exists", self.name]).status();
                asked.is_ok_and(|status| status.success())
            }
        }
    }
}

/// What every build needs.
pub(crate) const BUILD: &[Tool] = &[
    Tool::program("cc", "build-essential"),
    Tool::program("make", "build-essential"),
    Tool::program("git", "git"),
    Tool::program("node", "nodejs"),
    Tool::program("npm", "npm"),
    Tool::program("pkg-config", "pkg-config"),
    Tool::library("openssl", "libssl-dev"),
];

/// What a local Apache Kafka needs, and programs that use its classes.
pub(crate) const KAFKA: &[Tool] = &[
    Tool::program("java", "default-jre-headless"),
    Tool::program("javac", "default-jdk-headless"),
    Tool::program("mvn", "maven"),
];

/// What the tests put before the gateways.
pub(crate) const BALANCERS: &[Tool] = &[
    Tool::program("haproxy", "haproxy"),
    Tool::program("nginx", "nginx-light"),
];

/// What makes the certificates of the tests.
pub(crate) const CERTIFICATES: &[Tool] = &[Tool::program("openssl", "openssl")];

/// What the browser tests need.
pub(crate) const BROWSER: &[Tool] = &[
    Tool::program("chromium", "chromium"),
    Tool::program("chromedriver", "chromium-driver"),
];

/// What the tests need to run in Firefox, besides its driver.
pub(crate) const FIREFOX: &[Tool] = &[Tool::program("firefox-esr", "firefox-esr")];

/// What the tests need to run in WebKitGTK, which has no headless mode.
pub(crate) const WEBKIT: &[Tool] = &[
    Tool::program("WebKitWebDriver", "webkit2gtk-driver"),
    Tool::program("Xvfb", "xvfb"),
];

/// Installs what is missing where that may be done (as root, with apt).
///
/// # Errors
/// Names in one line what is missing and how to install it, where it may not.
pub(crate) fn ensure(tools: &[&[Tool]]) -> anyhow::Result<()> {
    let mut missing = tools.concat();
    missing.retain(|tool| !tool.is_there());
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    if !Uid::effective().is_root() || find("apt-get").is_none() {
        let programs: Vec<_> = missing.iter().map(|tool| tool.name).collect();
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

/// Where a program lies: on the `PATH`, or where Debian keeps servers, which only root has there.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
