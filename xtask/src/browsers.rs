//! The browsers besides Chromium that the scenarios run in, where they can be had.

use crate::{
    cargo::{self, cargo},
    process,
    requirements::{self, FIREFOX, WEBKIT},
};

/// Firefox's driver, which Debian does not have.
const GECKODRIVER: &str = "geckodriver@0.37.1";

/// Installs what is missing; returns the browsers that cannot be had here, having said why.
pub(crate) fn install() -> Vec<&'static str> {
    let firefox = requirements::ensure(&[FIREFOX]).and_then(|()| build_geckodriver());
    let tried = [
        ("firefox", firefox),
        ("webkit", requirements::ensure(&[WEBKIT])),
    ];
    let mut absent = Vec::new();
    for (browser, installed) in tried {
        if let Err(why) = installed {
            process::say(&format!("    not run: the scenarios in {browser}: {why:#}"));
            absent.push(browser);
        }
    }
    absent
}

/// What a test binary is told so that it leaves browsers out, and counts what it leaves out.
pub(crate) fn without(absent: &[&str]) -> Vec<String> {
    let flags = absent
        .iter()
        .flat_map(|browser| ["--skip".into(), (*browser).to_owned()]);
    flags.collect()
}

/// Built once, without what makes it fast: it only passes messages on.
fn build_geckodriver() -> anyhow::Result<()> {
    let tools = cargo::target().join("tools");
    if tools.join("bin/geckodriver").exists() || requirements::find("geckodriver").is_some() {
        return Ok(());
    }
    let mut install = cargo(&["install", "--locked", "--debug", GECKODRIVER, "--root"]);
    install
        .arg(&tools)
        .arg("--target-dir")
        .arg(tools.join("build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "false");
    process::run("build geckodriver", &mut install)?;
    // What it was built from is ten times its size.
    std::fs::remove_dir_all(tools.join("build"))?;
    Ok(())
}
