//! `cargo xtask demo`: everything built, running and ready, until Ctrl-C.

use crate::{
    cargo, kafka, pages, process,
    requirements::{self, BUILD, KAFKA},
    sdk,
    stack::{self, Stack},
};
use anyhow::bail;
use std::{
    ffi::OsString,
    fs,
    net::{TcpStream, ToSocketAddrs as _},
    path::Path,
    time::Duration,
};

/// The streams of `demo-site/config/aggregation.toml`.
const STREAMS: &[&str] = &["page-views-per-minute", "top-pages", "top-clicks"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Use this Kafka instead of the embedded broker; missing topics are made there
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "kafka")]
    brokers: Option<String>,
    /// Start a local Apache Kafka first and use that
    #[arg(long)]
    kafka: bool,
    /// Where the gateway listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    gateway: String,
    /// Where the aggregation processor listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8081")]
    aggregation: String,
    /// Where the shop and its dashboard listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8082")]
    site: String,
}

/// Builds, starts, waits until all is ready, prints the addresses, and stops all on Ctrl-C.
///
/// # Errors
/// One line that says what is missing, in use, or has ended; nothing is left running.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    stack::require_free(&options.gateway, "the gateway", "--gateway")?;
    stack::require_free(
        &options.aggregation,
        "the aggregation processor",
        "--aggregation",
    )?;
    stack::require_free(&options.site, "the shop", "--site")?;
    if let Some(brokers) = &options.brokers {
        require_broker(brokers)?;
    }
    requirements::ensure(if options.kafka {
        &[BUILD, KAFKA]
    } else {
        &[BUILD]
    })?;
    sdk::build(cargo::root())?;
    pages::build(cargo::root())?;
    cargo::build_programs()?;

    let mut stack = Stack::new(cargo::target().join("demo"))?;
    let kafka = start_kafka(&mut stack, options)?;
    start_gateway(&mut stack, options, &kafka)?;
    start_aggregation(&mut stack, options, &kafka)?;
    start_site(&mut stack, options)?;
    announce(options, &kafka);
    stack.wait_for_stop()?;
    process::say("");
    Ok(())
}

/// The Kafka that the demo runs on.
struct Kafka {
    brokers: String,
    /// What to call it.
    kind: &'static str,
    /// Whether it is Apache Kafka, or as good: topics can be made there, and transactions isolate.
    is_whole: bool,
}

fn start_kafka(stack: &mut Stack, options: &Options) -> anyhow::Result<Kafka> {
    if let Some(brokers) = &options.brokers {
        return Ok(Kafka {
            brokers: brokers.clone(),
            kind: "yours",
            is_whole: true,
        });
    }
    if options.kafka {
        let broker = kafka::start(stack, 0, &cargo::target().join("demo/kafka"))?;
        return Ok(Kafka {
            brokers: broker.address,
            kind: "a local Apache Kafka",
            is_whole: true,
        });
    }
    process::say("==> start the embedded broker");
    let mut line = vec![cargo::program("footfall-embedded-broker").into()];
    for topic in topics() {
        line.extend(["--topic".into(), format!("{topic}:4").into()]);
    }
    stack.start("broker", &line)?;
    let brokers = stack.wait_for("broker", ready_line)?;
    let kind = "embedded in the demo: it keeps little and forgets all when it stops";
    Ok(Kafka {
        brokers,
        kind,
        is_whole: false,
    })
}

/// Every topic of the demo, for the embedded broker, which makes none by itself.
fn topics() -> Vec<String> {
    let events = "footfall.events.v1";
    let mut topics = vec![
        events.to_owned(),
        format!("{events}.rejected"),
        format!("{events}.dlq"),
    ];
    for stream in STREAMS {
        topics.push(format!("footfall.{stream}.v1"));
        topics.push(format!("footfall.{stream}.v1.late"));
        topics.push(format!("footfall-demo-{stream}-repartition"));
        topics.push(format!("footfall-demo-{stream}-changelog"));
    }
    topics
}

fn start_gateway(stack: &mut Stack, options: &Options, kafka: &Kafka) -> anyhow::Result<()> {
    process::say("==> start the gateway");
    let mut line = processor("footfall-gateway", &options.gateway, kafka);
    line.extend(["--drain-delay", "0s"].map(OsString::from));
    stack.start("gateway", &line)?;
    stack.wait_for("gateway", |_| ready_with_kafka(&options.gateway))
}

fn start_aggregation(stack: &mut Stack, options: &Options, kafka: &Kafka) -> anyhow::Result<()> {
    process::say("==> start the aggregation processor");
    let config = cargo::root().join("demo-site/config/aggregation.toml");
    let mut line = processor("footfall-aggregation", &options.aggregation, kafka);
    line.extend(["--config".into(), config.into()]);
    if !kafka.is_whole {
        line.extend(["--delivery", "at_least_once"].map(OsString::from));
    }
    line.extend(["--origins".into(), origins(&options.site).into()]);
    stack.start("aggregation", &line)?;
    stack.wait_for("aggregation", |_| ready_with_kafka(&options.aggregation))
}

/// The dashboard's origin, by number and by name: people type either.
fn origins(site: &str) -> String {
    let named = site.replace("127.0.0.1:", "localhost:");
    format!("http://{site},http://{named}")
}

fn start_site(stack: &mut Stack, options: &Options) -> anyhow::Result<()> {
    process::say("==> start the shop");
    let line = [
        cargo::program("footfall-demo-site").into(),
        "--listen".into(),
        options.site.clone().into(),
        "--gateway".into(),
        format!("http://{}", options.gateway).into(),
        "--aggregation".into(),
        format!("http://{}", options.aggregation).into(),
        "--sdk".into(),
        cargo::root().join("sdk-wasm/dist").into(),
        "--site".into(),
        cargo::root().join("demo-site").into(),
    ];
    stack.start("shop", &line)?;
    stack.wait_for("shop", |_| stack::fetch(&options.site, "/livez").map(drop))
}

/// The command line of a program that takes the usual keys.
fn processor(name: &str, listen: &str, kafka: &Kafka) -> Vec<OsString> {
    let create = if kafka.is_whole { "true" } else { "false" };
    let flags = [
        "--listen",
        listen,
        "--kafka-brokers",
        &kafka.brokers,
        "--topics-create",
        create,
    ];
    std::iter::once(cargo::program(name).into())
        .chain(flags.map(OsString::from))
        .collect()
}

fn ready_with_kafka(address: &str) -> Result<(), String> {
    let body = stack::fetch(address, "/readyz")?;
    if body.contains(r#""kafka":"up""#) {
        Ok(())
    } else {
        Err(format!("it answers {body}"))
    }
}

/// The address in the line `ready HOST:PORT` of a log.
fn ready_line(log: &Path) -> Result<String, String> {
    let text = fs::read_to_string(log).map_err(|error| error.to_string())?;
    let address = text.lines().find_map(|line| line.strip_prefix("ready "));
    address
        .map(str::to_owned)
        .ok_or_else(|| "it has not said that it is ready".into())
}

fn require_broker(brokers: &str) -> anyhow::Result<()> {
    let answers = |broker: &str| {
        let addresses = broker.trim().to_socket_addrs().ok()?;
        addresses
            .into_iter()
            .find(|address| TcpStream::connect_timeout(address, Duration::from_secs(3)).is_ok())
    };
    if brokers.split(',').any(|broker| answers(broker).is_some()) {
        return Ok(());
    }
    bail!(
        "no broker answers at {brokers}; start your Kafka, or leave --brokers out for the embedded broker"
    )
}

fn announce(options: &Options, kafka: &Kafka) {
    let Options {
        gateway,
        aggregation,
        site,
        ..
    } = options;
    let logs = cargo::target().join("demo");
    process::say(&format!(
        "
Footfall is running. Open the shop, click around, and watch the dashboard.

  shop         http://{site}/
  dashboard    http://{site}/dashboard/
  gateway      http://{gateway}/
  streams      http://{aggregation}/
  kafka        {brokers} ({kind})
  logs         {logs}/

Ctrl-C stops everything.",
        brokers = kafka.brokers,
        kind = kafka.kind,
        logs = logs.display()
    ));
}
