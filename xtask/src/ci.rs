//! `cargo xtask ci`: what must hold before a change lands.

use crate::{
    cargo::{self, cargo},
    pages, process,
    requirements::{self, BUILD},
    sdk, test,
};

/// The checkers that are cargo packages, each with the program it installs.
const CHECKERS: &[(&str, &str)] = &[
    ("cargo-deny", "cargo-deny@0.20.2"),
    ("cargo-machete", "cargo-machete@0.9.2"),
    ("typos", "typos-cli@1.52.0"),
];

/// Checks format, spelling, lints, dependencies, licences and documentation, then runs the tests.
///
/// # Errors
/// At the first check that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    requirements::ensure(&[BUILD])?;
    install_checkers()?;
    process::run("check the format", &mut cargo(&["fmt", "--all", "--check"]))?;
    process::run(
        "check the spelling",
        std::process::Command::new("typos").current_dir(cargo::root()),
    )?;
    process::run(
        "check for unused dependencies",
        std::process::Command::new("cargo-machete").current_dir(cargo::root()),
    )?;
    check_dependencies()?;
    sdk::build(cargo::root())?;
    pages::build(cargo::root())?;
    process::run(
        "check the lints",
        &mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    process::run(
        "check the documentation",
        cargo(&[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ])
        .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    test::run(&test::Options::default())
}

fn install_checkers() -> anyhow::Result<()> {
    for (program, package) in CHECKERS {
        if requirements::find(program).is_none() {
            process::run(
                &format!("install {package}"),
                &mut cargo(&["install", "--locked", package]),
            )?;
        }
    }
    Ok(())
}

/// The database of advisories lies on a host that build machines often cannot reach; without it
/// the other checks still count, and it is said that this one did not run.
fn check_dependencies() -> anyhow::Result<()> {
    process::run(
        "check licences, sources and duplicates",
        &mut cargo(&[
            "deny",
            "--log-level",
            "error",
            "check",
            "bans",
            "licenses",
            "sources",
        ]),
    )?;
    let mut advisories = cargo(&["deny", "check", "advisories"]);
    if process::wait(&mut cargo(&["deny", "fetch", "db"]))?.success() {
        return process::run("check for known vulnerabilities", &mut advisories);
    }
    process::say("    not checked: known vulnerabilities (their database cannot be fetched here)");
    Ok(())
}
