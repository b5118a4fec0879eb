//! A local single-node Apache Kafka (KRaft), fetched with Maven.

mod secure;

use crate::{
    cargo, process,
    requirements::{self, KAFKA},
    stack::{self, Stack},
};
use anyhow::Context as _;
use std::{
    ffi::OsString,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

/// Any id will do: one node talks to itself.
const CLUSTER_ID: &str = "Zm9vdGZhbGwtbG9jYWwta2E";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Port of the broker on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 9092)]
    port: u16,
    /// Folder of its data [default: target/kafka/data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Also listen for TLS with SASL/SCRAM-SHA-512 on a free port. Its certificate is DATA/certificate.pem, the user
    /// `footfall`, the password `secret`
    #[arg(long)]
    secure: bool,
    /// Tell clients that the broker is at this address, whether or not it is
    #[arg(long, value_name = "HOST:PORT", hide = true)]
    advertise: Option<String>,
    /// Stop when stdin is closed, so that the broker ends with the program that started it
    #[arg(long)]
    stop_with_stdin: bool,
}

/// `cargo xtask kafka`: runs the broker until Ctrl-C. When it takes connections, stdout gets one
/// line, `ready HOST:PORT pid N`.
///
/// # Errors
/// When it cannot be fetched or started, or ends by itself.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if options.stop_with_stdin {
        std::thread::spawn(|| {
            // Read to the end for the end alone; a broken pipe is an end too.
            let _end = std::io::stdin().read_to_end(&mut Vec::new());
            process::interrupt();
        });
    }
    let data = options
        .data
        .clone()
        .unwrap_or_else(|| folder().join("data"));
    let mut stack = Stack::new(data.clone())?;
    let advertise = options.advertise.as_deref();
    let broker = start_with(&mut stack, options.port, &data, options.secure, advertise)?;
    if let Some(secure) = &broker.secure {
        writeln!(std::io::stdout(), "secure {secure}")?;
    }
    writeln!(
        std::io::stdout(),
        "ready {} pid {}",
        broker.address,
        broker.pid
    )?;
    process::say("==> Apache Kafka is up; Ctrl-C stops it");
    stack.wait_for_stop()
}

/// A broker that takes connections.
#[derive(Debug)]
pub(crate) struct Broker {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// The Java process.
    pub(crate) pid: u32,
    /// `127.0.0.1:PORT` of the listener with TLS, if there is one.
    secure: Option<String>,
}

/// Starts a broker as a part of `stack` and waits until it takes connections.
///
/// # Errors
/// When it cannot be fetched or started.
pub(crate) fn start(stack: &mut Stack, port: u16, data: &Path) -> anyhow::Result<Broker> {
    start_with(stack, port, data, false, None)
}

fn start_with(
    stack: &mut Stack,
    port: u16,
    data: &Path,
    secure: bool,
    advertise: Option<&str>,
) -> anyhow::Result<Broker> {
    requirements::ensure(&[KAFKA])?;
    let libraries = fetch()?;
    let address = format!("127.0.0.1:{}", free_port(port)?);
    stack::require_free(&address, "Apache Kafka", "--port")?;
    let mut text = properties(&address, free_port_beside(&address)?, data);
    if let Some(advertised) = advertise {
        text.push_str(&format!("advertised.listeners=PLAINTEXT://{advertised}\n"));
    }
    let secure = if secure {
        Some(format!("127.0.0.1:{}", free_port_beside(&address)?))
    } else {
        None
    };
    if let Some(secure) = &secure {
        text = secure::listener(&text, secure, data)?;
    }
    let properties = data.join("server.properties");
    fs::create_dir_all(data).with_context(|| format!("make folder {}", data.display()))?;
    fs::write(&properties, text).with_context(|| format!("write {}", properties.display()))?;
    if !data.join("log/meta.properties").exists() {
        let mut format = java(&libraries, "kafka.tools.StorageTool");
        format.extend(["format", "--cluster-id", CLUSTER_ID, "--config"].map(OsString::from));
        format.push(properties.clone().into());
        if secure.is_some() {
            format.extend(["--add-scram", secure::CREDENTIALS].map(OsString::from));
        }
        let mut command = Command::new(&format[0]);
        process::run(
            "format the storage of Apache Kafka",
            command.args(&format[1..]).stdout(std::io::stderr()),
        )?;
    }
    let mut line = java(&libraries, "kafka.Kafka");
    line.push(properties.into());
    let pid = stack.start("kafka", &line)?;
    stack.wait_for("kafka", |_| {
        TcpStream::connect(&address).map_err(|error| format!("{address} does not answer ({error})"))
    })?;
    Ok(Broker {
        address,
        pid,
        secure,
    })
}

/// Where Kafka's jars and, by default, its data lie.
pub(crate) fn folder() -> PathBuf {
    cargo::target().join("kafka")
}

/// Fetches the jars unless they are there already, and says where they are.
///
/// # Errors
/// When Maven fails.
pub(crate) fn fetch() -> anyhow::Result<PathBuf> {
    fetch_jars("xtask/kafka/pom.xml", &folder())
}

/// Fetches the jars that a project of Maven's names into `folder`, unless they are there already,
/// and says where they are.
///
/// # Errors
/// When Maven fails.
pub(crate) fn fetch_jars(project: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let project = cargo::root().join(project);
    let libraries = folder.join("libs");
    let complete = folder.join("fetched-pom.xml");
    let wanted = fs::read(&project).with_context(|| format!("read {}", project.display()))?;
    if fs::read(&complete).is_ok_and(|fetched| fetched == wanted) {
        return Ok(libraries);
    }
    if libraries.exists() {
        fs::remove_dir_all(&libraries).with_context(|| format!("empty {}", libraries.display()))?;
    }
    let mut maven = Command::new("mvn");
    maven
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(&project)
        .arg("dependency:copy-dependencies");
    maven.arg(format!("-DoutputDirectory={}", libraries.display()));
    // Maven writes colour codes to stdout even when it has nothing to say; our stdout is for others
    // to read.
    maven.stdout(std::io::stderr());
    process::run("fetch jars with Maven", &mut maven)?;
    fs::write(&complete, wanted).with_context(|| format!("write {}", complete.display()))?;
    Ok(libraries)
}

fn java(libraries: &Path, class: &str) -> Vec<OsString> {
    let class_path = libraries.join("*");
    [
        "java",
        "-Xmx512m",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
    ]
    .map(OsString::from)
    .into_iter()
    .chain([class_path.into(), class.into()])
    .collect()
}

/// The broker's configuration.
fn properties(address: &str, controller_port: u16, data: &Path) -> String {
    let controller = format!("127.0.0.1:{controller_port}");
    let log = data.join("log");
    // Kafka deletes by the time of records, and event times may be old.
    let log = log.display();
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{address},CONTROLLER://{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={log}
log.retention.ms=-1
num.partitions=4
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
"
    )
}

/// `port`, or a free one instead of 0.
/// One that the broker's first listener, which does not listen yet, will not take.
fn free_port_beside(address: &str) -> anyhow::Result<u16> {
    loop {
        let port = free_port(0)?;
        if !address.ends_with(&format!(":{port}")) {
            return Ok(port);
        }
    }
}

fn free_port(port: u16) -> anyhow::Result<u16> {
    if port != 0 {
        return Ok(port);
    }
    let listener = TcpListener::bind("127.0.0.1:0").context("find a free port")?;
    Ok(listener.local_addr()?.port())
}
