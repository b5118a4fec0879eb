//! The table for people, and the JSON for programs.

use super::figure::Figure;
use crate::{cargo, process};
use anyhow::Context as _;
use serde::Serialize;
use std::{fs, io::Write as _, thread::available_parallelism};

/// What was measured on.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    cores: usize,
    cpu: String,
    kernel: String,
    /// Of the last minute, before and after the measurement.
    load_before: f64,
    load_after: f64,
}

impl Machine {
    /// This machine, before the measurement.
    pub(super) fn here() -> Self {
        let cpu = read("/proc/cpuinfo");
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            cores: available_parallelism().map_or(1, usize::from),
            cpu: model.map_or("unknown", |(_, model)| model).into(),
            kernel: read("/proc/sys/kernel/osrelease").trim().into(),
            load_before: load(),
            load_after: 0.0,
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    name: &'a str,
    machine: Machine,
    figures: &'a [Figure],
}

/// Prints the table on stdout and writes `target/bench/NAME.json`.
///
/// # Errors
/// When either cannot be written.
pub(super) fn tell(name: &str, mut machine: Machine, figures: &[Figure]) -> anyhow::Result<()> {
    machine.load_after = load();
    writeln!(std::io::stdout(), "{}", table(&machine, figures))?;
    let file = cargo::target().join(format!("bench/{name}.json"));
    let json = serde_json::to_vec_pretty(&Report {
        name,
        machine,
        figures,
    })?;
    fs::write(&file, json).with_context(|| format!("write {}", file.display()))?;
    process::say(&format!("==> wrote {}", file.display()));
    Ok(())
}

fn table(machine: &Machine, figures: &[Figure]) -> String {
    let Machine {
        cores,
        cpu,
        kernel,
        load_before,
        load_after,
    } = machine;
    let mut rows = vec![
        format!(
            "{cores} cores ({cpu}), Linux {kernel}, load {load_before} before and {load_after} after\n"
        ),
        "| figure | unit | min | median | max | must | aim | |".into(),
        "|---|---|---:|---:|---:|---:|---:|---|".into(),
    ];
    for figure in figures {
        let Figure {
            name,
            unit,
            min,
            median,
            max,
            must,
            aim,
            ..
        } = figure;
        let bound = |bound: &Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        rows.push(format!(
            "| {name} | {unit} | {} | {} | {} | {} | {} | {} |",
            short(*min),
            short(*median),
            short(*max),
            bound(must),
            bound(aim),
            figure.verdict()
        ));
    }
    rows.join("\n")
}

/// With about three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn load() -> f64 {
    let text = read("/proc/loadavg");
    text.split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or(f64::NAN)
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}
