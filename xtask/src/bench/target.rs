//! The process that is measured.

use super::usage;
use crate::{
    cargo,
    stack::{self, Stack},
};
use anyhow::{Context as _, bail};
use std::{
    ffi::OsString,
    net::{TcpListener, TcpStream},
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

/// How often a start is looked for.
const START_STEP: Duration = Duration::from_micros(200);
const STEPS_TO_START: u32 = 50_000;

/// A running program under load; dropping it stops it.
#[derive(Debug)]
pub(super) struct Target {
    stack: Stack,
    name: &'static str,
    pid: u32,
    /// Where it takes requests.
    pub(super) address: String,
    /// From its start until it took connections.
    pub(super) started_in: Duration,
}

impl Target {
    /// The handler that reads and drops.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn bare(folder: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let program = cargo::target().join("release/examples/bare");
        Self::start(
            "bare",
            folder,
            &[program.into(), address.clone().into()],
            address,
        )
    }

    /// The gateway, with more flags. Does not wait for Kafka.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn gateway(folder: &Path, brokers: &str, flags: &[&str]) -> anyhow::Result<Self> {
        let address = free_address()?;
        let program = cargo::target().join("release/footfall-gateway");
        let own = [
            "--listen",
            &address,
            "--kafka-brokers",
            brokers,
            "--drain-delay",
            "0s",
        ];
        let line: Vec<OsString> = [program.into()]
            .into_iter()
            .chain(own.iter().chain(flags).map(OsString::from))
            .collect();
        Self::start("gateway", folder, &line, address)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the time that a start takes is what is measured"
    )]
    fn start(
        name: &'static str,
        folder: &Path,
        line: &[OsString],
        address: String,
    ) -> anyhow::Result<Self> {
        let mut stack = Stack::new(folder.to_owned())?;
        let start = Instant::now();
        let pid = stack.start(name, line)?;
        for _ in 0..STEPS_TO_START {
            if TcpStream::connect(&address).is_ok() {
                let started_in = start.elapsed();
                return Ok(Self {
                    stack,
                    name,
                    pid,
                    address,
                    started_in,
                });
            }
            sleep(START_STEP);
        }
        bail!(
            "{name} does not listen on {address} (its log: {})",
            folder.join(name).display()
        )
    }

    /// Waits until it has reached Kafka.
    ///
    /// # Errors
    /// When it has not in time.
    pub(super) fn wait_for_kafka(&mut self) -> anyhow::Result<()> {
        self.wait_for(|address| {
            let said = stack::fetch(address, "/readyz")?;
            if said.contains(r#""kafka":"up""#) {
                Ok(())
            } else {
                Err(said)
            }
        })
    }

    /// Waits until Kafka has acknowledged everything.
    ///
    /// # Errors
    /// When it has not in time.
    pub(super) fn wait_until_sent(&mut self) -> anyhow::Result<()> {
        self.wait_for(|address| {
            let waiting = sample(
                &stack::fetch(address, "/metrics")?,
                "footfall_queue_events ",
            );
            if waiting == Some(0.0) {
                Ok(())
            } else {
                Err(format!("{waiting:?} events wait"))
            }
        })
    }

    fn wait_for(&mut self, ready: impl Fn(&str) -> Result<(), String>) -> anyhow::Result<()> {
        let address = &self.address;
        self.stack.wait_for(self.name, |_| ready(address))
    }

    /// User and system time of the whole process so far.
    ///
    /// # Errors
    /// When it is gone.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        usage::cpu(self.pid)
    }

    /// The most memory that was resident at any time, in MiB.
    ///
    /// # Errors
    /// When it is gone.
    pub(super) fn peak_resident(&self) -> anyhow::Result<f64> {
        usage::peak_resident(self.pid)
    }

    /// The cumulative counts of the histogram of `POST /v1/events`, by upper bound in seconds.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub(super) fn latencies(&self) -> anyhow::Result<Vec<(f64, f64)>> {
        let page = stack::fetch(&self.address, "/metrics").map_err(anyhow::Error::msg)?;
        let lines = page.lines().filter(|line| {
            line.starts_with("footfall_request_duration_seconds_bucket")
                && line.contains(r#"route="/v1/events""#)
        });
        let bucket = |line: &str| {
            let (_, bound) = line.split_once(r#"le=""#)?;
            let (bound, count) = bound.split_once('"')?;
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse().ok()?
            };
            Some((bound, count.rsplit(' ').next()?.parse().ok()?))
        };
        Ok(lines.filter_map(bucket).collect())
    }
}

/// The value of an unlabelled sample; `name` ends with a space.
fn sample(page: &str, name: &str) -> Option<f64> {
    page.lines()
        .find_map(|line| line.strip_prefix(name)?.parse().ok())
}

/// An address that nobody listens on now.
///
/// # Errors
/// When there is none.
pub(super) fn free_address() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("find a free port")?;
    Ok(listener.local_addr()?.to_string())
}
