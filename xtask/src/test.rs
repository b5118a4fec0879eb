//! `cargo xtask test`: the whole suite, or a part of it.

use crate::{
    browsers, cargo, kafka, packages, pages, process,
    requirements::{self, BALANCERS, BROWSER, BUILD, CERTIFICATES, KAFKA},
    sdk,
};

#[derive(Default, clap::Args)]
pub(crate) struct Options {
    /// Only tests whose name contains this, e.g. `kafka::` or `browser::`
    name: Option<String>,
}

/// Installs what is missing, builds what the scenarios drive, and runs unit tests, doc tests and
/// scenarios.
///
/// # Errors
/// When something cannot be installed or built, or a test fails.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    requirements::ensure(&[BUILD, KAFKA, BALANCERS, CERTIFICATES, BROWSER])?;
    let absent = browsers::install();
    sdk::build(cargo::root())?;
    pages::build(cargo::root())?;
    pages::test(cargo::root())?;
    packages::install(cargo::root())?;
    kafka::fetch()?;
    cargo::build_programs()?;
    process::run(
        "test the commands",
        &mut cargo::cargo(&["test", "--package", "xtask"]),
    )?;
    // The scenarios come last, so that their summary is what the run ends with.
    for (step, kind) in [("run the doc tests", "--doc"), ("run the tests", "--tests")] {
        let mut test = cargo::cargo(&["test", "--no-fail-fast", kind]);
        test.args(cargo::SELECTION).args(&options.name);
        if kind == "--tests" {
            test.arg("--").args(browsers::without(&absent));
        }
        process::run(step, &mut test)?;
    }
    Ok(())
}
