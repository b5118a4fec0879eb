//! `cargo xtask bench sdk`: the SDK in Chromium, beside an empty script and other trackers in the same run.

use super::{
    figure::Figure,
    report::{self, Machine},
};
use crate::{
    cargo, process,
    requirements::{self, BROWSER, BUILD},
    sdk::{self, node},
};
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How often each page is loaded in a run
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    loads: u32,
}

const SDK: &str = "footfall";
/// What everything is net of.
const EMPTY: &str = "empty";
/// What the SDK's boot is compared with.
const REFERENCE: &str = "plausible";
/// The others, with the names that the table has for them.
const OTHERS: &[(&str, &str)] = &[
    (REFERENCE, "Plausible"),
    ("snowplow", "Snowplow"),
    ("posthog", "PostHog"),
];

/// One measurement of a tracker's page.
#[derive(Debug, Deserialize)]
struct Measurement {
    tracker: String,
    run: u32,
    what: String,
    value: f64,
}

/// Measures everything and tells it.
///
/// # Errors
/// When something cannot be built or started, or a page does not do what it should.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    requirements::ensure(&[BUILD, BROWSER])?;
    sdk::build(cargo::root())?;
    let trackers = bundle_trackers()?;
    let package = ["build", "--package", "footfall-tests", "--example"];
    let mut build = cargo::cargo(&package);
    process::run("build what measures", build.arg("sdk_figures"))?;
    let machine = Machine::here();
    let measured = Measured::take(&trackers, options)?;
    report::tell("sdk", machine, &figures(&measured))
}

/// Bundles the other trackers, at the versions of their lockfile; returns where they are.
fn bundle_trackers() -> anyhow::Result<PathBuf> {
    let source = cargo::root().join("xtask/trackers");
    let bundles = cargo::target().join("bench/trackers");
    node::install(&source)?;
    let mut node = Command::new("node");
    node.current_dir(cargo::root())
        .arg(source.join("build.js"))
        .arg(&bundles);
    process::run("bundle the other trackers", node.stdin(Stdio::null()))?;
    Ok(bundles)
}

fn figures(measured: &Measured) -> Vec<Figure> {
    let of = |name: &str, unit, tracker, what| Figure::of(name, unit, measured.runs(tracker, what));
    let mut figures = vec![
        of("all with the tag, brotli 11", "bytes", SDK, "bytes").judged(16_384.0, 10_240.0),
        of("the loader alone", "bytes", SDK, "bytes of the first file").judged(1_536.0, 1_024.0),
    ];
    for (tracker, name) in OTHERS {
        figures.push(of(&format!("all of {name}"), "bytes", tracker, "bytes"));
    }
    for (suffix, bounds) in [("", (8.0, 4.0)), (" 4x", (30.0, 16.0))] {
        boot(&mut figures, measured, suffix, bounds);
    }
    let handler = "click handler p99";
    figures.push(of("inside a click's handlers, p99", "µs", SDK, handler).judged(100.0, 50.0));
    for (tracker, name) in OTHERS {
        let name = format!("inside a click's handlers, p99, {name}");
        figures.push(of(&name, "µs", tracker, handler));
    }
    figures.push(of("long tasks in 1,000 clicks", "", SDK, "long tasks").judged(0.0, 0.0));
    let inp = measured.net(SDK, "INP");
    // Browsers tell it in steps of 8 ms.
    figures.push(
        Figure::of(
            "INP of 1,000 clicks, more than an empty script's",
            "ms",
            inp,
        )
        .judged(8.0, 0.0),
    );
    figures.push(of(
        "INP of 1,000 clicks, an empty script",
        "ms",
        EMPTY,
        "INP",
    ));
    figures
}

/// The figures of a page's start, as it is and throttled; `longest` is what its longest task must and
/// should reach.
fn boot(figures: &mut Vec<Figure>, measured: &Measured, suffix: &str, longest: (f64, f64)) {
    let (what, task) = (format!("boot{suffix}"), format!("longest task{suffix}"));
    let net = |tracker| measured.net(tracker, &what);
    let ratio = net(SDK).into_iter().zip(net(REFERENCE));
    let ratio = ratio.map(|(own, reference)| own / reference).collect();
    let name = format!("CPU at boot{suffix}, ratio to Plausible");
    figures.push(Figure::of(&name, "", ratio).judged(1.3, 0.8));
    let all = [(SDK, "Footfall")]
        .into_iter()
        .chain(OTHERS.iter().copied());
    for (tracker, name) in all.clone() {
        let name = format!("CPU at boot{suffix}, {name}, net of an empty script");
        figures.push(Figure::of(&name, "ms", net(tracker)));
    }
    for (tracker, name) in all {
        let name = format!("longest task at boot{suffix}, {name}");
        let mut figure = Figure::of(&name, "ms", measured.runs(tracker, &task));
        if tracker == SDK {
            figure = figure.judged(longest.0, longest.1);
        }
        figures.push(figure);
    }
}

/// The median of every quantity, by tracker, what was measured, and run.
#[derive(Debug, Default)]
struct Measured(BTreeMap<(String, String), BTreeMap<u32, Vec<f64>>>);

impl Measured {
    /// Lets the harness measure.
    fn take(trackers: &Path, options: &Options) -> anyhow::Result<Self> {
        process::say("==> measure");
        let mut command = Command::new(cargo::program("examples/sdk_figures"));
        command
            .current_dir(cargo::root())
            .arg(trackers)
            .args([options.runs, options.loads].map(|number| number.to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = process::spawn(&mut command)?;
        let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let mut measured = Self::default();
        for line in lines {
            let line = line.context("read what was measured")?;
            if process::interrupted() {
                process::end(&mut child);
                bail!("interrupted");
            }
            let Measurement {
                tracker,
                run,
                what,
                value,
            } = serde_json::from_str(&line)
                .with_context(|| format!("expected JSON, found {line}"))?;
            let runs = measured.0.entry((tracker, what)).or_default();
            runs.entry(run).or_default().push(value);
        }
        let status = child.wait().context("wait for the measurement")?;
        if !status.success() {
            bail!("the measurement failed ({status})");
        }
        Ok(measured)
    }

    /// The median of each run.
    fn runs(&self, tracker: &str, what: &str) -> Vec<f64> {
        let runs = self.0.get(&(tracker.to_owned(), what.to_owned()));
        let runs = runs.into_iter().flatten();
        runs.map(|(_, values)| Figure::of(what, "", values.clone()).median)
            .collect()
    }

    /// The same, less what an empty script costs.
    fn net(&self, tracker: &str, what: &str) -> Vec<f64> {
        let pairs = self.runs(tracker, what).into_iter();
        pairs
            .zip(self.runs(EMPTY, what))
            .map(|(own, empty)| own - empty)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(values: &[(&str, u32, f64)]) -> Measured {
        let mut measured = Measured::default();
        for (tracker, run, value) in values {
            let runs = measured.0.entry(((*tracker).into(), "boot".into()));
            runs.or_default().entry(*run).or_default().push(*value);
        }
        measured
    }

    #[test]
    fn a_run_counts_by_the_median_of_its_loads_less_that_of_the_empty_script() {
        let measured = measured(&[
            ("empty", 0, 10.0),
            ("empty", 0, 12.0),
            ("empty", 0, 99.0),
            ("footfall", 0, 15.0),
            ("empty", 1, 20.0),
            ("footfall", 1, 29.0),
        ]);
        assert_eq!(measured.net("footfall", "boot"), [3.0, 9.0]);
    }
}
