//! What a process uses, by `/proc`.

use anyhow::Context as _;
use std::{fs, time::Duration};

/// The unit of CPU times in `/proc`, the same on every architecture that Rust's std has for Linux.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of the whole process so far.
///
/// # Errors
/// When it is gone.
pub(super) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = read(pid, "stat")?;
    // Behind the name, which stands in parentheses and may hold anything; utime and stime are fields 14 and 15.
    let (_, fields) = stat
        .rsplit_once(") ")
        .context("expected a name in /proc/PID/stat")?;
    let ticks: Vec<u32> = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    Ok(TICK * ticks.iter().sum())
}

/// The most memory that was resident at any time, in MiB.
///
/// # Errors
/// When it is gone.
pub(super) fn peak_resident(pid: u32) -> anyhow::Result<f64> {
    let status = read(pid, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    Ok(kib.context("expected VmHWM in /proc/PID/status")? / 1024.0)
}

fn read(pid: u32, file: &str) -> anyhow::Result<String> {
    let file = format!("/proc/{pid}/{file}");
    fs::read_to_string(&file).with_context(|| format!("read {file}"))
}
