//! `cargo xtask ci`: what must hold before a change lands.

use crate::{
    cargo::{self, cargo},
    pages,
    process,
    requirements::{self, BUILD},
    sdk, test,
};

/// Checks format, lints, licences, unused dependencies and documentation, then runs the tests.
///
/// # Errors
/// At the first check that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    requirements::ensure(&[BUILD])?;
    process::run("check the format", &mut cargo(&["fmt", "--all", "--check"]))?;
    sdk::build(cargo::root())?;
    pages::build(cargo::root())?;
    let mut lints = cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    process::run("check the lints", &mut lints)?;
    let mut docs = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    process::run("check the documentation", docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    test::run(&test::Options::default())
}
