//! `cargo xtask test`: the whole suite, or a part of it.

mod seconds;

use crate::{
    browsers, cargo, kafka, packages, pages, process,
    requirements::{self, BALANCERS, BROWSER, BUILD, CERTIFICATES, KAFKA},
    sdk,
};
use seconds::Seconds;
use std::io::Write as _;

/// How many tests run at a time. Scenarios wait more than they work, so these are more than there are cores.
const THREADS: &str = "5";

/// The tests' programs say how long each test took only when they are told that they may do what is not
/// stable yet.
const RUNNER: &str = "target.'cfg(all())'.runner = ['env', 'RUSTC_BOOTSTRAP=1']";

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
    let mut doc_tests = cargo::cargo(&["test", "--no-fail-fast", "--doc"]);
    doc_tests.args(cargo::SELECTION).args(&options.name);
    process::run("run the doc tests", &mut doc_tests)?;
    let mut build = cargo::cargo(&["test", "--no-run", "--tests"]);
    process::run("build the tests", build.args(cargo::SELECTION))?;
    run_tests(options, &absent)
}

/// Runs unit tests and then scenarios, so that their summary is what the run ends with.
fn run_tests(options: &Options, absent: &[&str]) -> anyhow::Result<()> {
    let mut test = cargo::cargo(&["test", "--no-fail-fast", "--tests"]);
    test.args(["--config", RUNNER])
        .args(cargo::SELECTION)
        .args(&options.name)
        .args(["--", "-Zunstable-options", "--report-time"])
        .args(["--test-threads", THREADS])
        .args(browsers::without(absent));
    let mut seconds = Seconds::default();
    let mut stdout = std::io::stdout();
    let result = process::run_reading("run the tests", &mut test, |line| {
        seconds.read(line);
        // With stdout closed there is nobody to tell.
        let _told = writeln!(stdout, "{line}");
    });
    seconds.write(&cargo::target().join("test-seconds.json"))?;
    let _told = stdout.write_all(seconds.end(&process::steps()).as_bytes());
    result
}
