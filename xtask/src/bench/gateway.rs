//! `cargo xtask bench gateway`: the gateway under load, on a real Kafka, beside a bare handler in the same run.

use super::{
    LOAD,
    body::{Bodies, Encoding},
    figure::Figure,
    load::{Load, Outcome},
    report::{self, Machine},
    target::Target,
};
use crate::{
    cargo, kafka, process,
    requirements::{self, BUILD, KAFKA},
    stack::Stack,
};
use anyhow::Context as _;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    time::Duration,
};

/// Busy connections.
const CONNECTIONS: u32 = 64;
/// Batches come faster than a broker on the same machine takes them: the rest waits in memory until it is sent.
const ROOM_FOR_BATCHES: &[&str] = &["--kafka-queue", "2GiB"];
const IDLE_CONNECTIONS: usize = 10_000;
/// How long load runs before it counts, in seconds.
const WARM_UP: u32 = 1;
/// Nothing listens there.
const NO_BROKER: &str = "127.0.0.1:1";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How long each load lasts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// What must and what should be reached, if anything.
type Bounds = Option<(f64, f64)>;

/// Every figure: its name, its unit, and what must and should be reached.
const FIGURES: &[(&str, &str, Bounds)] = &[
    (BARE, "µs", None),
    (BARE_10, "µs", None),
    (BARE_50, "µs", None),
    (BATCH_1, "µs", Some((25.0, 20.0))),
    (BATCH_10, "µs", Some((6.0, 4.0))),
    (BATCH_50, "µs", Some((5.0, 3.0))),
    (GZIP_10, "µs", Some((9.0, 6.0))),
    (GZIP_50, "µs", Some((7.0, 5.0))),
    (RATIO, "", Some((2.0, 1.4))),
    (MOST, "1/s", None),
    (P50, "ms", Some((1.0, 0.3))),
    (P99, "ms", Some((5.0, 2.0))),
    (SENDER_P50, "ms", None),
    (SENDER_P99, "ms", None),
    (BUSY, "MiB", Some((48.0, 32.0))),
    (IDLE, "MiB", Some((200.0, 120.0))),
    (START, "ms", Some((200.0, 50.0))),
];

const BARE: &str = "CPU per request, bare handler";
const BARE_10: &str = "the same, batch 10";
const BARE_50: &str = "the same, batch 50";
const BATCH_1: &str = "CPU per event, batch 1";
const BATCH_10: &str = "CPU per event, batch 10";
const BATCH_50: &str = "CPU per event, batch 50";
const GZIP_10: &str = "CPU per event, batch 10, gzip";
const GZIP_50: &str = "CPU per event, batch 50, gzip";
const RATIO: &str = "CPU per request of batch 1, ratio to the bare handler";
const MOST: &str = "requests of batch 1 at full load";
const P50: &str = "latency inside the gateway at half of that, p50";
const P99: &str = "latency inside the gateway at half of that, p99";
const SENDER_P50: &str = "the same as the senders see it, p50";
const SENDER_P99: &str = "the same as the senders see it, p99";
const BUSY: &str = "resident memory at 64 busy connections";
const IDLE: &str = "resident memory at 10,000 idle connections";
const START: &str = "start to listening, no broker in reach";

/// Measures everything and tells it.
///
/// # Errors
/// When something cannot be built or started, or answers with errors under load.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    requirements::ensure(&[BUILD, KAFKA, LOAD])?;
    let build = [
        "build",
        "--release",
        "--package",
        "footfall-gateway",
        "--bins",
        "--examples",
    ];
    process::run(
        "build the gateway and the bare handler",
        &mut cargo::cargo(&build),
    )?;
    allow_many_files()?;
    let folder = cargo::target().join("bench/gateway");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    let machine = Machine::here();
    let data = folder.join("kafka");
    let mut stack = Stack::new(data.clone())?;
    let brokers = kafka::start(&mut stack, 0, &data)?.address;
    let mut bench = Bench {
        seconds: options.seconds,
        folder,
        brokers,
        values: BTreeMap::new(),
    };
    for run in 1..=options.runs {
        process::say(&format!("==> run {run} of {}", options.runs));
        bench.run(run)?;
    }
    let figures: Vec<_> = FIGURES.iter().map(|figure| bench.figure(figure)).collect();
    report::tell("gateway", machine, &figures)?;
    drop(stack);
    // Gigabytes of page views that nobody wants.
    fs::remove_dir_all(&data).with_context(|| format!("remove {}", data.display()))
}

struct Bench {
    seconds: u32,
    folder: PathBuf,
    brokers: String,
    values: BTreeMap<&'static str, Vec<f64>>,
}

impl Bench {
    fn run(&mut self, run: u32) -> anyhow::Result<()> {
        let bare = self.bare(1)?;
        self.add(BARE, bare);
        for (name, batch) in [(BARE_10, 10), (BARE_50, 50)] {
            let per_event = self.bare(batch)?;
            self.add(name, per_event * f64::from(batch));
        }
        let single = self.single(run)?;
        self.add(RATIO, single / bare);
        for (name, batch, encoding) in [
            (BATCH_10, 10, Encoding::Identity),
            (BATCH_50, 50, Encoding::Identity),
            (GZIP_10, 10, Encoding::Gzip),
            (GZIP_50, 50, Encoding::Gzip),
        ] {
            let topic = format!("{run}-{batch}-{}", encoding.name());
            let mut gateway = self.gateway(&topic, ROOM_FOR_BATCHES)?;
            let (cpu, _) = self.measure(&mut gateway, batch, encoding, Duration::ZERO)?;
            self.add(name, cpu);
        }
        self.idle()?;
        let gateway = Target::gateway(&self.folder, NO_BROKER, &["--drain-timeout", "0s"])?;
        self.add(START, millis(gateway.started_in));
        Ok(())
    }

    /// CPU per event of the bare handler, in µs.
    fn bare(&self, batch: u32) -> anyhow::Result<f64> {
        let mut bare = Target::bare(&self.folder)?;
        let nothing_waits = |_: &mut Target| Ok(());
        let (encoding, pause) = (Encoding::Identity, Duration::ZERO);
        self.load(&mut bare, batch, encoding, pause, nothing_waits)
            .map(|(cpu, _)| cpu)
    }

    /// One event a request, at full load and at half of it. Gives CPU per event, in µs.
    fn single(&mut self, run: u32) -> anyhow::Result<f64> {
        let mut gateway = self.gateway(&format!("{run}-1-identity"), &[])?;
        let (cpu, full) = self.measure(&mut gateway, 1, Encoding::Identity, Duration::ZERO)?;
        self.add(BATCH_1, cpu);
        self.add(MOST, full.per_second);
        self.add(BUSY, gateway.peak_resident()?);
        let pause = Duration::from_secs(u64::from(CONNECTIONS)).div_f64(full.per_second / 2.0);
        let before = gateway.latencies()?;
        let (_, half) = self.measure(&mut gateway, 1, Encoding::Identity, pause)?;
        let counts = difference(&before, &gateway.latencies()?);
        self.add(P50, quantile(&counts, 0.5) * 1e3);
        self.add(P99, quantile(&counts, 0.99) * 1e3);
        self.add(SENDER_P50, millis(half.p50));
        self.add(SENDER_P99, millis(half.p99));
        Ok(cpu)
    }

    fn idle(&mut self) -> anyhow::Result<()> {
        let gateway = self.gateway("idle", &[])?;
        let connections = (0..IDLE_CONNECTIONS).map(|_| idle_connection(&gateway.address));
        let connections = connections
            .collect::<std::io::Result<Vec<_>>>()
            .context("open idle connections")?;
        self.add(IDLE, gateway.peak_resident()?);
        drop(connections);
        Ok(())
    }

    /// A gateway with topics of its own, that has reached Kafka.
    fn gateway(&self, topic: &str, more: &[&str]) -> anyhow::Result<Target> {
        let topic = format!("bench-{topic}");
        let topics = [
            "--topics-create",
            "true",
            "--topics-partitions",
            "4",
            "--kafka-topic",
            &topic,
        ];
        let flags = [&topics, more].concat();
        let mut gateway = Target::gateway(&self.folder, &self.brokers, &flags)?;
        gateway.wait_for_kafka()?;
        Ok(gateway)
    }

    /// CPU per event in µs, until Kafka has acknowledged every event.
    fn measure(
        &self,
        gateway: &mut Target,
        batch: u32,
        encoding: Encoding,
        pause: Duration,
    ) -> anyhow::Result<(f64, Outcome)> {
        self.load(gateway, batch, encoding, pause, Target::wait_until_sent)
    }

    fn load(
        &self,
        target: &mut Target,
        batch: u32,
        encoding: Encoding,
        pause: Duration,
        settle: impl Fn(&mut Target) -> anyhow::Result<()>,
    ) -> anyhow::Result<(f64, Outcome)> {
        let bodies = Bodies::write(&self.folder, batch, encoding)?;
        let load = |seconds| Load {
            connections: CONNECTIONS,
            seconds,
            pause,
        };
        load(WARM_UP).run(&target.address, &bodies, &self.folder)?;
        settle(target)?;
        let before = target.cpu()?;
        let outcome = load(self.seconds).run(&target.address, &bodies, &self.folder)?;
        settle(target)?;
        let cpu = target.cpu()?.saturating_sub(before);
        let events = outcome.requests * f64::from(bodies.batch);
        Ok((cpu.as_secs_f64() * 1e6 / events, outcome))
    }

    fn add(&mut self, name: &'static str, value: f64) {
        process::say(&format!("    {name}: {value:.2}"));
        self.values.entry(name).or_default().push(value);
    }

    fn figure(&self, (name, unit, bounds): &(&'static str, &'static str, Bounds)) -> Figure {
        let values = self.values.get(name).cloned().unwrap_or_default();
        let figure = Figure::of(name, unit, values);
        let figure = if *name == MOST {
            figure.higher()
        } else {
            figure
        };
        match bounds {
            Some((must, aim)) => figure.judged(*must, *aim),
            None => figure,
        }
    }
}

/// A connection that has had one answer and stays open.
fn idle_connection(address: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n")?;
    let _some = stream.read(&mut [0; 512])?;
    Ok(stream)
}

/// As many open files as the system lets this process, and those that it starts, have.
fn allow_many_files() -> anyhow::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("raise the limit of open files")
}

fn difference(before: &[(f64, f64)], after: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let old = |bound: f64| {
        before
            .iter()
            .find(|(other, _)| *other == bound)
            .map_or(0.0, |(_, count)| *count)
    };
    after
        .iter()
        .map(|(bound, count)| (*bound, count - old(*bound)))
        .collect()
}

/// A quantile from cumulative counts by upper bound, evenly spread within a bucket; NaN without counts.
fn quantile(counts: &[(f64, f64)], share: f64) -> f64 {
    let wanted = counts.last().map_or(f64::NAN, |(_, all)| all * share);
    let (mut low, mut below) = (0.0, 0.0);
    for &(high, count) in counts {
        if count >= wanted && count > below {
            return if high.is_finite() {
                low + (high - low) * (wanted - below) / (count - below)
            } else {
                low
            };
        }
        (low, below) = (high, count);
    }
    f64::NAN
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let counts = [(0.1, 10.0), (0.2, 30.0), (f64::INFINITY, 31.0)];
        assert!((quantile(&counts, 10.0 / 31.0) - 0.1).abs() < 1e-9);
        assert!((quantile(&counts, 20.0 / 31.0) - 0.15).abs() < 1e-9);
        assert!(
            (quantile(&counts, 1.0) - 0.2).abs() < 1e-9,
            "what is beyond all bounds counts as the last one"
        );
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn only_what_came_after_is_counted() {
        assert_eq!(
            difference(&[(0.1, 2.0)], &[(0.1, 5.0), (0.2, 6.0)]),
            [(0.1, 3.0), (0.2, 6.0)]
        );
    }
}
