//! `cargo xtask bench streams`: hopping windows on a real broker, with Kafka Streams on the same topic in the same run.

mod contender;

use super::{figure::Figure, report, report::Machine, usage};
use crate::{
    cargo, kafka, process,
    requirements::{self, BUILD, KAFKA},
    stack::Stack,
};
use anyhow::{Context as _, bail, ensure};
use contender::{Contender, Delivery, Job};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How many records are counted
    #[arg(long, default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(100_000..))]
    records: u64,
    /// Leave Kafka Streams out, which takes most of the time
    #[arg(long)]
    alone: bool,
}

/// What must and what should be reached, and whether more is better; what is not here is there to
/// compare with.
const BOUNDS: &[(&str, f64, f64, bool)] = &[
    (CPU_RATIO_EXACTLY, 15.0, 40.0, true),
    (CPU_RATIO_AT_LEAST, 8.0, 20.0, true),
    (THROUGHPUT, 600.0, 1_500.0, true),
    (THROUGHPUT_RATIO, 10.0, 10.0, true),
    (PAGE_VIEWS, 200.0, 400.0, true),
    (MEMORY, 160.0, 96.0, false),
    (MEMORY_1M, 600.0, 350.0, false),
    (CHANGELOG_RATIO, 0.125, 0.05, false),
    (RESTORE_DELETED, 3_000.0, 3_000.0, false),
    (RESTORE_KEPT, 500.0, 500.0, false),
    (LATENCY, 300.0, 150.0, false),
];

const CPU_RATIO_EXACTLY: &str = "records per CPU second against Kafka Streams, exactly once";
const CPU_RATIO_AT_LEAST: &str = "records per CPU second against Kafka Streams, at least once";
const THROUGHPUT: &str = "throughput, exactly once, Footfall";
const THROUGHPUT_RATIO: &str = "throughput against Kafka Streams, exactly once";
const PAGE_VIEWS: &str = "throughput of page views as JSON, by /page/url, with a repartition";
const MEMORY: &str = "peak resident memory, exactly once, Footfall";
const MEMORY_1M: &str = "peak resident memory at 1 M keys";
const CHANGELOG_RATIO: &str = "changelog bytes against Kafka Streams";
const RESTORE_DELETED: &str = "restore of 1 M windows after kill -9, state deleted";
const RESTORE_KEPT: &str = "restore of 1 M windows after kill -9, state kept";
const LATENCY: &str = "newest input to visible output at 50 k records/s, p99";

const KEYS: u64 = 10_000;
/// Each is in five windows.
const KEYS_OF_1M_WINDOWS: u64 = 200_000;
const BY_URL: &str = "where = 'type == \"page_view\"'\nkey = '/page/url'";

/// Measures everything and tells it.
///
/// # Errors
/// When something cannot be built or started, or the results do not agree.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    requirements::ensure(&[BUILD, KAFKA])?;
    let build = [
        "build",
        "--release",
        "--package",
        "footfall-aggregation",
        "--bins",
        "--examples",
    ];
    process::run("build the aggregation", &mut cargo::cargo(&build))?;
    if !options.alone {
        contender::prepare_kafka_streams()?;
    }
    let folder = cargo::target().join("bench/streams");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    let machine = Machine::here();
    let mut stack = Stack::new(folder.join("kafka"))?;
    let brokers = kafka::start(&mut stack, 0, &folder.join("kafka"))?.address;
    let mut bench = Bench {
        records: options.records,
        alone: options.alone,
        folder: folder.clone(),
        brokers,
        values: BTreeMap::new(),
        names: Vec::new(),
    };
    bench.prepare()?;
    for run in 1..=options.runs {
        process::say(&format!("==> run {run} of {}", options.runs));
        bench.run(run)?;
    }
    report::tell("streams", machine, &bench.figures())?;
    drop(stack);
    // Gigabytes of records that nobody wants.
    fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))
}

struct Bench {
    records: u64,
    alone: bool,
    folder: PathBuf,
    brokers: String,
    values: BTreeMap<String, (&'static str, Vec<f64>)>,
    /// In the order in which they were measured first.
    names: Vec<String>,
}

/// What one life came to.
struct Measured {
    /// Records a second.
    rate: f64,
    /// Records for each second of CPU.
    per_cpu: f64,
    changelog: f64,
    outputs: String,
}

/// A contender at work.
struct Life {
    stack: Stack,
    pid: u32,
}

impl Bench {
    /// Fills the topics that every run reads.
    fn prepare(&self) -> anyhow::Result<()> {
        let many = self.records.to_string();
        let (keys, more_keys) = (KEYS.to_string(), KEYS_OF_1M_WINDOWS.to_string());
        let pages = (self.records / 5).to_string();
        for [topic, kind, records, keys] in [
            ["small", "small", &many, &keys],
            ["many-keys", "small", "1000000", "1000000"],
            ["many-windows", "small", &more_keys, &more_keys],
            ["pages", "page_views", &pages, &keys],
        ] {
            process::say(&format!("==> fill topic {topic}"));
            self.ask(&["fill", &self.brokers, topic, kind, records, keys])?;
        }
        self.ask(&["topic", &self.brokers, "paced"])?;
        Ok(())
    }

    fn run(&mut self, run: u32) -> anyhow::Result<()> {
        for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
            let own = self.count(run, Contender::Footfall, delivery)?;
            if self.alone {
                continue;
            }
            let other = self.count(run, Contender::KafkaStreams, delivery)?;
            let (own_digest, digest) = (digest(&own.outputs), digest(&other.outputs));
            ensure!(
                own_digest == digest,
                "the results differ: {own_digest} and {digest}"
            );
            let ratio = own.per_cpu / other.per_cpu;
            match delivery {
                Delivery::AtLeastOnce => self.add(CPU_RATIO_AT_LEAST, "", ratio),
                Delivery::ExactlyOnce => {
                    self.add(CPU_RATIO_EXACTLY, "", ratio);
                    self.add(THROUGHPUT_RATIO, "", own.rate / other.rate);
                    self.add(CHANGELOG_RATIO, "", own.changelog / other.changelog);
                }
            }
        }
        self.page_views(run)?;
        self.million_keys(run)?;
        self.restore(run)?;
        self.latency(run)
    }

    fn count(
        &mut self,
        run: u32,
        contender: Contender,
        delivery: Delivery,
    ) -> anyhow::Result<Measured> {
        let job = self.job(run, contender, delivery, "small", "");
        let life = self.begin(&job)?;
        let rate = self.follow(&job)?;
        let cpu = usage::cpu(life.pid)?.as_secs_f64();
        let memory = usage::peak_resident(life.pid)?;
        drop(life);
        let changelog = self.bytes_of(&job.changelog())?;
        let outputs = self.ask(&["read", &self.brokers, &job.to()])?;
        let written = outputs
            .split(' ')
            .next()
            .and_then(|count| count.parse().ok());
        let of = format!("{}, {}", delivery.name(), contender.name());
        #[expect(clippy::cast_precision_loss, reason = "millions")]
        let records = self.records as f64;
        self.add(&format!("throughput, {of}"), "k/s", rate / 1e3);
        self.add(
            &format!("CPU per million records, {of}"),
            "s",
            cpu / records * 1e6,
        );
        self.add(&format!("peak resident memory, {of}"), "MiB", memory);
        self.add(
            &format!("changelog, {of}"),
            "MiB",
            changelog / f64::from(1 << 20),
        );
        self.add(
            &format!("results written, {of}"),
            "k",
            written.unwrap_or(f64::NAN) / 1e3,
        );
        Ok(Measured {
            rate,
            per_cpu: records / cpu,
            changelog,
            outputs,
        })
    }

    fn page_views(&mut self, run: u32) -> anyhow::Result<()> {
        let job = self.job(
            run,
            Contender::Footfall,
            Delivery::ExactlyOnce,
            "pages",
            BY_URL,
        );
        let _life = self.begin(&job)?;
        let rate = self.follow(&job)?;
        self.add(PAGE_VIEWS, "k/s", rate / 1e3);
        Ok(())
    }

    fn million_keys(&mut self, run: u32) -> anyhow::Result<()> {
        let job = self.job(
            run,
            Contender::Footfall,
            Delivery::ExactlyOnce,
            "many-keys",
            "",
        );
        let life = self.begin(&job)?;
        self.follow(&job)?;
        self.add(MEMORY_1M, "MiB", usage::peak_resident(life.pid)?);
        Ok(())
    }

    fn restore(&mut self, run: u32) -> anyhow::Result<()> {
        for contender in [Contender::Footfall, Contender::KafkaStreams] {
            if self.alone && contender == Contender::KafkaStreams {
                continue;
            }
            let job = self.job(run, contender, Delivery::ExactlyOnce, "many-windows", "");
            let life = self.begin(&job)?;
            self.follow(&job)?;
            kill_at_once(life)?;
            let kept = self.ready_in(&job)?;
            let state = job.state(&self.folder);
            if state.exists() {
                fs::remove_dir_all(&state)
                    .with_context(|| format!("remove {}", state.display()))?;
            }
            let deleted = self.ready_in(&job)?;
            let (of_kept, of_deleted) = match contender {
                Contender::Footfall => (RESTORE_KEPT.into(), RESTORE_DELETED.into()),
                Contender::KafkaStreams => {
                    let of = |what| format!("{what}, Kafka Streams");
                    (of(RESTORE_KEPT), of(RESTORE_DELETED))
                }
            };
            self.add(&of_deleted, "ms", deleted);
            self.add(&of_kept, "ms", kept);
        }
        Ok(())
    }

    fn latency(&mut self, run: u32) -> anyhow::Result<()> {
        let job = self.job(run, Contender::Footfall, Delivery::ExactlyOnce, "paced", "");
        let _life = self.begin(&job)?;
        let said = self.ask(&["pace", &self.brokers, "paced", &job.to(), "50000", "5"])?;
        let p99 = said
            .split(' ')
            .nth(1)
            .and_then(|number| number.parse().ok());
        self.add(LATENCY, "ms", p99.context("expected P50 P99 MAX")?);
        Ok(())
    }

    fn job<'a>(
        &self,
        run: u32,
        contender: Contender,
        delivery: Delivery,
        from: &'a str,
        more: &'a str,
    ) -> Job<'a> {
        let of = format!("{}-{}", contender.name(), delivery.name());
        Job {
            contender,
            delivery,
            group: format!("run{run}-{from}-{}", of.replace(' ', "-")),
            from,
            more,
        }
    }

    /// A life that is ready to count.
    fn begin(&self, job: &Job<'_>) -> anyhow::Result<Life> {
        if job.contender == Contender::KafkaStreams {
            self.ask(&["topic", &self.brokers, &job.to()])?;
        }
        let start = job.start(&self.folder, &self.brokers)?;
        let mut stack = Stack::new(self.folder.join(&job.group))?;
        let pid = stack.start(start.name, &start.line)?;
        stack.wait_for(start.name, |log| start.is_ready(log))?;
        Ok(Life { stack, pid })
    }

    /// How long a life takes until it is ready, in milliseconds; it is killed then.
    #[expect(
        clippy::disallowed_methods,
        reason = "the time that a restore takes is what is measured"
    )]
    fn ready_in(&self, job: &Job<'_>) -> anyhow::Result<f64> {
        let begin = Instant::now();
        let life = self.begin(job)?;
        let taken = begin.elapsed();
        kill_at_once(life)?;
        Ok(taken.as_secs_f64() * 1e3)
    }

    /// Waits until a job has committed every record, and says how many it did a second.
    fn follow(&self, job: &Job<'_>) -> anyhow::Result<f64> {
        let said = self.ask(&["follow", &self.brokers, &job.group, job.from])?;
        let looks: Vec<(f64, f64)> = said
            .lines()
            .filter_map(|line| {
                let (time, records) = line.split_once(' ')?;
                Some((time.parse().ok()?, records.parse().ok()?))
            })
            .collect();
        let (Some(last), Some(first)) = (looks.last(), looks.iter().find(|look| look.1 > 0.0))
        else {
            bail!("expected looks at the group, found {said:?}");
        };
        // The first records wait for the group to come together.
        let first = if first.1 < last.1 { *first } else { (0.0, 0.0) };
        process::say(&format!(
            "    {}: {:.0} records in {:.2} s",
            job.group, last.1, last.0
        ));
        Ok((last.1 - first.1) / (last.0 - first.0))
    }

    /// What the partitions of a topic take on disk.
    fn bytes_of(&self, topic: &str) -> anyhow::Result<f64> {
        let mut bytes = 0.0;
        for partition in fs::read_dir(self.folder.join("kafka/log"))? {
            let partition = partition?;
            let name = partition.file_name();
            let of = name.to_str().and_then(|name| name.rsplit_once('-'));
            if of.is_none_or(|(name, _)| name != topic) {
                continue;
            }
            for segment in fs::read_dir(partition.path())? {
                let segment = segment?;
                if segment.path().extension().is_some_and(|kind| kind == "log") {
                    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
                    let length = segment.metadata()?.len() as f64;
                    bytes += length;
                }
            }
        }
        ensure!(
            bytes > 0.0,
            "topic `{topic}` has no data below {}",
            self.folder.display()
        );
        Ok(bytes)
    }

    /// What the helper says.
    fn ask(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let helper = cargo::target().join("release/examples/bench");
        let mut command = Command::new(helper);
        command.args(arguments).stderr(Stdio::inherit());
        let output = command
            .output()
            .context("run the helper of the benchmark")?;
        ensure!(
            output.status.success(),
            "the helper failed at {arguments:?}: {}",
            output.status
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    fn add(&mut self, name: &str, unit: &'static str, value: f64) {
        process::say(&format!("    {name}: {value:.2} {unit}"));
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.into());
        }
        let entry = self.values.entry(name.into()).or_insert((unit, Vec::new()));
        entry.1.push(value);
    }

    fn figures(&self) -> Vec<Figure> {
        let figures = self.names.iter().filter_map(|name| {
            let (unit, values) = self.values.get(name)?;
            let figure = Figure::of(name, unit, values.clone());
            let Some((_, must, aim, is_more_better)) = BOUNDS.iter().find(|bound| bound.0 == name)
            else {
                return Some(figure);
            };
            let figure = figure.judged(*must, *aim);
            Some(if *is_more_better {
                figure.higher()
            } else {
                figure
            })
        });
        figures.collect()
    }
}

/// Without a chance to say goodbye.
fn kill_at_once(life: Life) -> anyhow::Result<()> {
    let pid = i32::try_from(life.pid).context("a pid")?;
    kill(Pid::from_raw(pid), Signal::SIGKILL).context("kill a contender")?;
    drop(life.stack);
    Ok(())
}

/// Windows and their digest, without the number of records that it took to write them.
fn digest(outputs: &str) -> &str {
    outputs
        .split_once(' ')
        .map_or(outputs, |(_, digest)| digest)
}
