//! `aggregation.toml`: its keys, and what they come to.

mod graph;
mod join;
mod keys;
mod route;
mod stream;
mod windows;

pub use keys::PROGRAM;

use crate::core::{NullValues, Unit};
use footfall_runtime::Delivery;
use footfall_service::{
    config::{self, Document, Form, Problem, Problems},
    folder,
    http::check_listeners,
    kafka::{CreateTopics, Settings},
};
use footfall_streams::{Table, Topology, table};
use route::RouteReader;
use serde::Deserialize;
use serde::Deserializer;
use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, time::Duration};
use stream::StreamReader;

/// A configuration that has been checked.
#[derive(Debug)]
pub struct Config {
    /// Address of the HTTP interface.
    pub listen: String,
    /// Address of a second one for operators.
    pub admin: Option<String>,
    /// Where others can ask it, if that is to be known from here.
    pub advertise: Option<String>,
    /// How the streams are run.
    pub runtime: footfall_runtime::Config,
    /// The streams.
    pub topology: Topology,
    /// Origins whose pages may ask; `*` is all.
    pub origins: Vec<String>,
    /// Whether the sources' records are shown as they arrive.
    pub tail: bool,
}

/// By their names.
type Tables = BTreeMap<String, Table>;

/// The document's own shape.
#[derive(Debug, Deserialize)]
struct File {
    listen: String,
    admin: Option<String>,
    advertise: Option<String>,
    group: String,
    delivery: Delivery,
    state_dir: Option<PathBuf>,
    workers: NonZeroUsize,
    standby: bool,
    #[serde(deserialize_with = "config::duration")]
    commit_interval: Duration,
    kafka: Settings,
    topics: CreateTopics,
    #[serde(default)]
    shared_topics: Vec<String>,
    #[serde(default)]
    circular_topics: Vec<String>,
    #[serde(default)]
    origins: Vec<String>,
    tail: bool,
    #[serde(default, deserialize_with = "in_order")]
    tables: Vec<(String, TableTable)>,
    #[serde(default, deserialize_with = "in_order")]
    streams: Vec<(String, StreamTable)>,
    #[serde(default, deserialize_with = "in_order")]
    routes: Vec<(String, RouteTable)>,
}

/// One `[tables.NAME]`.
#[derive(Debug, Deserialize)]
struct TableTable {
    from: String,
    max_bytes: usize,
}

/// One of `join`.
#[derive(Debug, Deserialize)]
struct JoinTable {
    table: String,
    by: Option<String>,
    r#as: String,
    missing: String,
}

/// One `[routes.NAME]`.
#[derive(Debug, Deserialize)]
struct RouteTable {
    from: Vec<String>,
    r#where: Option<String>,
    deletions: String,
    #[serde(default)]
    join: Vec<JoinTable>,
    #[serde(default)]
    keep: Vec<String>,
    #[serde(default)]
    drop: Vec<String>,
    #[serde(default, deserialize_with = "in_order")]
    rename: Vec<(String, String)>,
    #[serde(default, deserialize_with = "in_order")]
    set: Vec<(String, String)>,
    key: Option<String>,
    #[serde(default)]
    split: Vec<BranchTable>,
    to: Option<String>,
    dlq: Option<String>,
}

/// One of `split`.
#[derive(Debug, Deserialize)]
struct BranchTable {
    r#where: String,
    to: String,
}

/// One `[streams.NAME]`.
#[derive(Debug, Deserialize)]
struct StreamTable {
    from: String,
    start: StartWord,
    version: u32,
    r#where: Option<String>,
    #[serde(default)]
    join: Vec<JoinTable>,
    key: Option<String>,
    time: String,
    null_values: NullValues,
    window: WindowTable,
    #[serde(default, deserialize_with = "in_order")]
    aggregate: Vec<(String, String)>,
    emit: String,
    #[serde(default)]
    idle_timeout: Option<i64>,
    max_ahead: String,
    dedupe: Option<DedupeTable>,
    to: String,
    codec: String,
    late: Option<String>,
    dlq: Option<String>,
}

/// Lengths in milliseconds.
#[derive(Debug, Deserialize)]
struct WindowTable {
    size: Option<i64>,
    advance: Option<i64>,
    offset: Option<i64>,
    calendar: Option<Unit>,
    time_zone: Option<String>,
    gap: Option<i64>,
    grace: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StartWord {
    Earliest,
    Latest,
}

#[derive(Debug, Deserialize)]
struct DedupeTable {
    by: Option<String>,
    /// In milliseconds.
    within: Option<i64>,
}

/// Turns the checked document into a configuration.
///
/// # Errors
/// Everything that shows only when values are seen together, or that takes more than their form.
pub fn read(document: &Document) -> Result<Config, Problems> {
    let file: File = document.read()?;
    let mut problems = check(document, &file);
    problems.extend(graph::check(document, &file));
    let tables = tables(document, &file, &mut problems);
    let streams: Vec<_> = file
        .streams
        .iter()
        .filter_map(|(name, table)| {
            let reader = StreamReader {
                document,
                group: &file.group,
                name,
                table,
                tables: &tables,
                problems: &mut problems,
            };
            reader.read()
        })
        .collect();
    let routes: Vec<_> = file
        .routes
        .iter()
        .filter_map(|(name, table)| {
            let reader = RouteReader {
                document,
                name,
                table,
                tables: &tables,
                problems: &mut problems,
            };
            reader.read()
        })
        .collect();
    problems.extend(stream::one_place_each(document, &streams));
    let topology = Topology::new(&file.group, streams).with_routes(routes);
    let runtime = footfall_runtime::Config {
        kafka: file.kafka,
        group: file.group,
        commit_interval: file.commit_interval,
        delivery: file.delivery,
        state_dir: file.state_dir,
        workers: file.workers,
        standby: file.standby,
        topics: file.topics,
        address: None,
    };
    problems.extend(runtime.check_properties(document));
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok(Config {
        listen: file.listen,
        admin: file.admin,
        advertise: file.advertise,
        topology,
        runtime,
        origins: file.origins,
        tail: file.tail,
    })
}

/// The tables by their names.
fn tables(document: &Document, file: &File, problems: &mut Vec<Problem>) -> Tables {
    let mut tables = Tables::new();
    for (name, TableTable { from, max_bytes }) in &file.tables {
        if let Some((other, _)) = tables.iter().find(|(_, table)| *table.topic == **from) {
            let expected = format!("another topic than that of `tables.{other}`");
            let path = format!("tables.{name}.from");
            problems.push(document.problem(&path, expected, format!("`{from}`")));
        }
        tables.insert(name.clone(), table(from).max_bytes(*max_bytes));
    }
    tables
}

/// What is wrong outside of the streams.
fn check(document: &Document, file: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |key: &str, expected: &str, found: String| {
        problems.push(document.problem(key, expected, found));
    };
    if file.commit_interval.is_zero() {
        problem("commit_interval", "`1ms` or more", "`0ms`".into());
    }
    if file.standby && file.state_dir.is_none() {
        let expected = "a `state_dir`, which the state of other processes is kept in";
        problem("standby", expected, "none".into());
    }
    if file.streams.is_empty() && file.routes.is_empty() {
        problem(
            "streams",
            "at least one `[streams.NAME]` or `[routes.NAME]` in the configuration file",
            "none".into(),
        );
    }
    if Form::Topic.read_text(&file.group).is_none() {
        let expected = "a name of `A-Z a-z 0-9 . _ -`, because internal topics are named after it";
        problem(
            "group",
            expected,
            format!("`{}`", file.group.escape_debug()),
        );
    }
    if let Some(address) = &file.advertise
        && !(address.starts_with("http://") && is_origin(address))
    {
        let expected = "`http://HOST:PORT`, without a path";
        problem(
            "advertise",
            expected,
            format!("`{}`", address.escape_debug()),
        );
    }
    if let Some(Err(error)) = file.state_dir.as_deref().map(folder::check) {
        let expected = "a folder that can be written";
        problem("state_dir", expected, error.to_string());
    }
    for origin in &file.origins {
        if !is_origin(origin) {
            let expected = "`*`, or origins such as `https://shop.example`, without a path";
            problem("origins", expected, format!("`{}`", origin.escape_debug()));
        }
    }
    problems.extend(check_listeners(
        document,
        &file.listen,
        file.admin.as_deref(),
    ));
    problems
}

/// A table whose order counts: of streams for who lists them, of aggregates for `top=`.
fn in_order<'de, D, T>(deserializer: D) -> Result<Vec<(String, T)>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let table = serde_json::Map::deserialize(deserializer)?;
    let entries = table.into_iter().map(|(name, value)| {
        let value = serde_json::from_value(value).map_err(serde::de::Error::custom)?;
        Ok((name, value))
    });
    entries.collect()
}

/// As browsers send it: a scheme, a host and perhaps a port.
fn is_origin(text: &str) -> bool {
    let host = text.split_once("://").map(|(_, host)| host);
    text == "*"
        || host.is_some_and(|host| {
            !host.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) && !host.contains('/')
        })
}

#[cfg(test)]
mod tests;
