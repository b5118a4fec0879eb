//! Who counts: this project's binary, or Kafka Streams.

use crate::{bench::target::free_address, cargo, kafka, process, stack};
use anyhow::Context as _;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The instance that has all the work.
pub(super) const ONLY: &str = "only";

/// Who counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    Footfall,
    KafkaStreams,
}

/// What a crash may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    ExactlyOnce,
    AtLeastOnce,
}

/// One life of a contender on one topic.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) contender: Contender,
    pub(super) delivery: Delivery,
    /// The consumer group, by which everything of it is named.
    pub(super) group: String,
    pub(super) from: &'a str,
    /// Which of several that share the work, by its name.
    pub(super) instance: &'a str,
    /// More for the file, before its tables.
    pub(super) settings: String,
    /// More of `[streams.count]`.
    pub(super) more: &'a str,
}

/// How a contender is started, and how one sees that it is ready.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) name: &'static str,
    pub(super) line: Vec<OsString>,
    /// Of the HTTP interface, if it has one.
    pub(super) address: Option<String>,
}

impl Contender {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Footfall => "Footfall",
            Self::KafkaStreams => "Kafka Streams",
        }
    }
}

impl Delivery {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly once",
            Self::AtLeastOnce => "at least once",
        }
    }
}

impl Job<'_> {
    pub(super) fn to(&self) -> String {
        format!("{}-out", self.group)
    }

    /// Where it keeps its state on this machine.
    pub(super) fn state(&self, folder: &Path) -> PathBuf {
        folder.join(&self.group).join(self.instance).join("state")
    }

    /// The topic that holds its state.
    pub(super) fn changelog(&self) -> String {
        match self.contender {
            Contender::Footfall => format!("{}-count-changelog", self.group),
            Contender::KafkaStreams => {
                format!(
                    "{}-KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog",
                    self.group
                )
            }
        }
    }

    pub(super) fn start(&self, folder: &Path, brokers: &str) -> anyhow::Result<Start> {
        let own = folder.join(&self.group).join(self.instance);
        fs::create_dir_all(&own).with_context(|| format!("make folder {}", own.display()))?;
        match self.contender {
            Contender::Footfall => self.footfall(&own, brokers),
            Contender::KafkaStreams => Ok(self.kafka_streams(folder, brokers)),
        }
    }

    fn footfall(&self, own: &Path, brokers: &str) -> anyhow::Result<Start> {
        let Self {
            group,
            from,
            instance,
            settings,
            more,
            ..
        } = self;
        let delivery = match self.delivery {
            Delivery::ExactlyOnce => "exactly_once",
            Delivery::AtLeastOnce => "at_least_once",
        };
        let (address, state, to) = (free_address()?, own.join("state"), self.to());
        let state = state.display();
        // One that has a name is given its partitions back at once after a kill, and not only when
        // it is taken for dead; one of several leaves its partitions to the others.
        let member = match *instance {
            ONLY => "[kafka.consumer]\n'group.instance.id' = 'one'\n",
            _ => "",
        };
        let config = format!(
            "listen = '{address}'\ngroup = '{group}'\ndelivery = '{delivery}'\nstate_dir = '{state}'\n\
             {settings}\n[kafka]\nbrokers = '{brokers}'\n{member}\
             [streams.count]\nfrom = '{from}'\nto = '{to}'\n{more}\n\
             window = {{ size = '5m', advance = '1m', grace = '1m' }}\n"
        );
        let file = own.join("aggregation.toml");
        fs::write(&file, config).with_context(|| format!("write {}", file.display()))?;
        let program = cargo::target().join("release/footfall-aggregation");
        Ok(Start {
            name: "footfall",
            line: vec![program.into(), "--config".into(), file.into()],
            address: Some(address),
        })
    }

    fn kafka_streams(&self, folder: &Path, brokers: &str) -> Start {
        let guarantee = match self.delivery {
            Delivery::ExactlyOnce => "exactly_once_v2",
            Delivery::AtLeastOnce => "at_least_once",
        };
        let mut class_path = OsString::from(java_folder().join("libs/*"));
        class_path.push(":");
        class_path.push(java_folder().join("classes"));
        let mut line: Vec<OsString> = [
            "java",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
        ]
        .map(OsString::from)
        .into();
        line.extend([class_path, "HoppingCount".into(), brokers.into()]);
        line.extend([OsString::from(&self.group), guarantee.into()]);
        line.extend([
            self.state(folder).into(),
            self.from.into(),
            self.to().into(),
        ]);
        Start {
            name: "kafka-streams",
            line,
            address: None,
        }
    }
}

impl Start {
    /// Whether it counts, or would if there were records.
    pub(super) fn is_ready(&self, log: &Path) -> Result<(), String> {
        match &self.address {
            Some(address) => {
                let said = stack::fetch(address, "/readyz")?;
                said.contains(r#""ready":true"#).then_some(()).ok_or(said)
            }
            None => {
                let log = fs::read_to_string(log).unwrap_or_default();
                log.contains("running").then_some(()).ok_or(log)
            }
        }
    }
}

/// Fetches Kafka Streams and compiles the program that uses it.
///
/// # Errors
/// When Maven or the compiler fails.
pub(super) fn prepare_kafka_streams() -> anyhow::Result<()> {
    let libraries = kafka::fetch_jars("xtask/streams/pom.xml", &java_folder())?;
    let mut compile = Command::new("javac");
    compile
        .arg("-cp")
        .arg(libraries.join("*"))
        .arg("-d")
        .arg(java_folder().join("classes"))
        .arg(cargo::root().join("xtask/streams/HoppingCount.java"));
    process::run("compile the program of Kafka Streams", &mut compile)
}

fn java_folder() -> PathBuf {
    cargo::target().join("bench/kafka-streams")
}
