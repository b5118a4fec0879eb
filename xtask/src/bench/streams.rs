//! `cargo xtask bench streams`: hopping windows on a real broker, with Kafka Streams on the same topic in the same run.

mod contender;
mod live;
mod state;

use super::{figure::Figure, report, report::Machine, usage};
use crate::{
    cargo, kafka, process,
    requirements::{self, BUILD, KAFKA},
    stack::Stack,
};
use anyhow::{Context as _, bail, ensure};
use contender::{Contender, Delivery, Job, ONLY};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
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
    (TAKE_OVER, 3_000.0, 3_000.0, false),
    (LATENCY, 300.0, 150.0, false),
    (PAUSE, 2_000.0, 2_000.0, false),
];

const CPU_RATIO_EXACTLY: &str = "records per CPU second against Kafka Streams, exactly once";
const CPU_RATIO_AT_LEAST: &str = "records per CPU second against Kafka Streams, at least once";
const THROUGHPUT: &str = "throughput, exactly once, Footfall";
const THROUGHPUT_RATIO: &str = "throughput against Kafka Streams, exactly once";
const THROUGHPUT_OFTEN_RATIO: &str =
    "throughput against Kafka Streams, exactly once, commits every ms";
const PAGE_VIEWS: &str = "throughput of page views as JSON, by /page/url, with a repartition";
const MEMORY: &str = "peak resident memory, exactly once, Footfall";
const MEMORY_1M: &str = "peak resident memory at 1 M keys";
const CHANGELOG_RATIO: &str = "changelog bytes against Kafka Streams";
const RESTORE_DELETED: &str = "restore of 1 M windows after kill -9, state deleted";
const RESTORE_KEPT: &str = "restore of 1 M windows after kill -9, state kept";
const TAKE_OVER: &str = "take-over of 1 M windows by a standby";
const PAUSE: &str = "longest pause of partitions that stay while an instance comes and goes";
const LATENCY: &str = "newest input to visible output at 50 k records/s, p99";

const KEYS: u64 = 10_000;
/// Each is in five windows.
const KEYS_OF_1M_WINDOWS: u64 = 200_000;
/// As often as commits can be asked for; each takes longer than that.
const OFTEN: &str = "1ms";
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
    /// How many windows there are, and a digest of their newest results.
    windows: String,
}

/// A contender at work.
struct Life {
    stack: Stack,
    pid: u32,
    /// Of its HTTP interface, if it has one.
    address: Option<String>,
}

impl Bench {
    /// Fills the topics that every run reads.
    fn prepare(&self) -> anyhow::Result<()> {
        let many = self.records.to_string();
        let (keys, more_keys) = (KEYS.to_string(), KEYS_OF_1M_WINDOWS.to_string());
        let twice = (2 * KEYS_OF_1M_WINDOWS).to_string();
        let pages = (self.records / 5).to_string();
        for [topic, kind, records, keys] in [
            ["small", "small", &many, &keys],
            ["many-keys", "small", "1000000", "1000000"],
            ["many-windows", "small", &more_keys, &more_keys],
            ["twice-as-many", "small", &twice, &twice],
            ["pages", "page_views", &pages, &keys],
        ] {
            process::say(&format!("==> fill topic {topic}"));
            self.ask(&["fill", &self.brokers, topic, kind, records, keys])?;
        }
        for topic in ["paced", "moving"] {
            self.ask(&["topic", &self.brokers, topic])?;
        }
        Ok(())
    }

    fn run(&mut self, run: u32) -> anyhow::Result<()> {
        for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
            let job = self.job(run, Contender::Footfall, delivery, "small");
            let own = self.count(&job, "")?;
            let often = match delivery {
                Delivery::ExactlyOnce => {
                    let job = Job {
                        group: format!("{}-often", job.group),
                        settings: format!("commit_interval = '{OFTEN}'"),
                        ..job
                    };
                    Some(self.count(&job, ", commits every ms")?)
                }
                Delivery::AtLeastOnce => None,
            };
            if self.alone {
                continue;
            }
            let job = self.job(run, Contender::KafkaStreams, delivery, "small");
            let other = self.count(&job, "")?;
            for own in often.iter().chain([&own]) {
                ensure!(
                    own.windows == other.windows,
                    "the results differ: {} and {}",
                    own.windows,
                    other.windows
                );
            }
            if let Some(often) = often {
                self.add(THROUGHPUT_OFTEN_RATIO, "", often.rate / other.rate);
            }
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
        self.take_over(run)?;
        self.latency(run)?;
        self.pause(run)
    }

    /// Counts all records; `how` says what is other than usual.
    fn count(&mut self, job: &Job<'_>, how: &str) -> anyhow::Result<Measured> {
        let life = self.begin(job)?;
        let rate = self.follow(job)?;
        let cpu = usage::cpu(life.pid)?.as_secs_f64();
        let memory = usage::peak_resident(life.pid)?;
        drop(life);
        let changelog = self.bytes_of(&job.changelog())?;
        let outputs = self.ask(&["read", &self.brokers, &job.to()])?;
        let (written, windows) = outputs.split_once(' ').context("expected results")?;
        let written: f64 = written.parse().context("how many results there are")?;
        let of = format!("{}, {}{how}", job.delivery.name(), job.contender.name());
        #[expect(clippy::cast_precision_loss, reason = "millions")]
        let records = self.records as f64;
        for (figure, unit, value) in [
            ("throughput", "k/s", rate / 1e3),
            ("CPU per million records", "s", cpu / records * 1e6),
            ("peak resident memory", "MiB", memory),
            ("changelog", "MiB", changelog / f64::from(1 << 20)),
            ("results written", "k", written / 1e3),
        ] {
            self.add(&format!("{figure}, {of}"), unit, value);
        }
        Ok(Measured {
            rate,
            per_cpu: records / cpu,
            changelog,
            windows: windows.to_owned(),
        })
    }

    fn page_views(&mut self, run: u32) -> anyhow::Result<()> {
        let job = Job {
            more: BY_URL,
            ..self.own_job(run, "pages")
        };
        let _life = self.begin(&job)?;
        let rate = self.follow(&job)?;
        self.add(PAGE_VIEWS, "k/s", rate / 1e3);
        Ok(())
    }

    fn million_keys(&mut self, run: u32) -> anyhow::Result<()> {
        let job = self.own_job(run, "many-keys");
        let life = self.begin(&job)?;
        self.follow(&job)?;
        self.add(MEMORY_1M, "MiB", usage::peak_resident(life.pid)?);
        Ok(())
    }

    fn job<'a>(
        &self,
        run: u32,
        contender: Contender,
        delivery: Delivery,
        from: &'a str,
    ) -> Job<'a> {
        let of = format!("{}-{}", contender.name(), delivery.name());
        Job {
            contender,
            delivery,
            group: format!("run{run}-{from}-{}", of.replace(' ', "-")),
            from,
            instance: ONLY,
            settings: String::new(),
            more: "",
        }
    }

    /// What this project's program does exactly once.
    fn own_job<'a>(&self, run: u32, from: &'a str) -> Job<'a> {
        self.job(run, Contender::Footfall, Delivery::ExactlyOnce, from)
    }

    /// A life that is ready to count.
    fn begin(&self, job: &Job<'_>) -> anyhow::Result<Life> {
        if job.contender == Contender::KafkaStreams {
            self.ask(&["topic", &self.brokers, &job.to()])?;
        }
        let start = job.start(&self.folder, &self.brokers)?;
        let mut stack = Stack::new(self.folder.join(&job.group).join(job.instance))?;
        let pid = stack.start(start.name, &start.line)?;
        stack.wait_for(start.name, |log| start.is_ready(log))?;
        Ok(Life {
            stack,
            pid,
            address: start.address,
        })
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
        said(self.begin_to_ask(arguments)?, arguments)
    }

    /// Starts the helper.
    fn begin_to_ask(&self, arguments: &[&str]) -> anyhow::Result<Child> {
        let helper = cargo::target().join("release/examples/bench");
        let mut command = Command::new(helper);
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        command.spawn().context("run the helper of the benchmark")
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

/// What the helper has said, once it has ended.
fn said(helper: Child, arguments: &[&str]) -> anyhow::Result<String> {
    let output = helper
        .wait_with_output()
        .context("wait for the helper of the benchmark")?;
    ensure!(
        output.status.success(),
        "the helper failed at {arguments:?}: {}",
        output.status
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
