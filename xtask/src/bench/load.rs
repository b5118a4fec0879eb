//! Load by `wrk`: connections that each post one body after the other.

use super::body::Bodies;
use crate::process;
use anyhow::{Context as _, bail};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const SCRIPT: &str = include_str!("load.lua");

/// How hard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) connections: u32,
    pub(super) seconds: u32,
    /// What each connection waits between an answer and its next request, on average; zero: nothing.
    pub(super) pause: Duration,
}

/// What came of it, as the senders saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// All of them answered, and with 2xx.
    pub(super) requests: f64,
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Load {
    /// Posts to `http://ADDRESS/v1/events`.
    ///
    /// # Errors
    /// When a request failed or was answered with an error.
    pub(super) fn run(
        self,
        address: &str,
        bodies: &Bodies,
        folder: &Path,
    ) -> anyhow::Result<Outcome> {
        let script = folder.join("load.lua");
        fs::write(&script, SCRIPT).with_context(|| format!("write {}", script.display()))?;
        let mut wrk = Command::new("wrk");
        wrk.args(["--threads", "1", "--timeout", "10s"])
            .args(["--connections", &self.connections.to_string()])
            .args(["--duration", &format!("{}s", self.seconds)])
            .arg("--script")
            .arg(&script)
            .arg(format!("http://{address}/v1/events"))
            .arg("--")
            .arg(&bodies.folder)
            .args([&bodies.count.to_string(), bodies.encoding.name()])
            .arg(self.pause.as_millis().to_string());
        let log = folder.join("wrk.log");
        let file = fs::File::create(&log).with_context(|| format!("write {}", log.display()))?;
        let status = process::wait(wrk.stdout(file).stdin(Stdio::null()))?;
        let said = fs::read_to_string(&log).with_context(|| format!("read {}", log.display()))?;
        if !status.success() {
            bail!("wrk failed ({status}): {said}");
        }
        Outcome::parse(&said)
    }
}

impl Outcome {
    fn parse(said: &str) -> anyhow::Result<Self> {
        let line = said.lines().find_map(|line| line.strip_prefix("result "));
        let line = line.with_context(|| format!("wrk told no result: {said}"))?;
        let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
        let values: BTreeMap<&str, f64> = pairs
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect();
        let value = |name| {
            values
                .get(name)
                .copied()
                .with_context(|| format!("wrk told no {name}: {line}"))
        };
        let (requests, failed, refused) =
            (value("requests")?, value("transport")?, value("status")?);
        if requests == 0.0 || failed + refused > 0.0 {
            bail!(
                "{requests} requests under load: {failed} failed, {refused} were answered with an error"
            );
        }
        let micros = |name| value(name).map(|micros| Duration::from_secs_f64(micros / 1e6));
        Ok(Self {
            requests,
            per_second: requests / micros("micros")?.as_secs_f64(),
            p50: micros("p50")?,
            p99: micros("p99")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_and_its_rate_reckoned() {
        let said =
            "Running\nresult requests=3000 micros=1500000 transport=0 status=0 p50=250 p99=4100\n";
        let outcome = Outcome::parse(said).unwrap();
        assert_eq!((outcome.requests, outcome.per_second), (3000.0, 2000.0));
        assert_eq!(
            (outcome.p50.as_micros(), outcome.p99.as_micros()),
            (250, 4100)
        );
    }

    #[test]
    fn an_answer_with_an_error_spoils_the_measurement() {
        let said = "result requests=3000 micros=1500000 transport=0 status=7 p50=250 p99=4100";
        let error = Outcome::parse(said).unwrap_err().to_string();
        assert_eq!(
            error,
            "3000 requests under load: 0 failed, 7 were answered with an error"
        );
    }
}
