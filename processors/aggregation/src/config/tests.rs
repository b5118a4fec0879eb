mod graph;
mod joins;
mod mistakes;
mod routes;
mod sample;
mod shapes;

use super::*;
use footfall_service::config::{Inputs, load};
use footfall_streams::{Emit, Function, hours, seconds};
use std::fs;

const STREAM: &str = r#"
[kafka]
brokers = "127.0.0.1:9092"
[streams.pages]
from = "events"
window = { size = "5m", advance = "1m", grace = "30s" }
to = "pages"
"#;

/// Reads a text as if it stood in a file of its own.
fn read_text(name: &str, text: &str) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, text).unwrap();
    read_file(&file)
}

fn read_file(file: &std::path::Path) -> Result<Config, Problems> {
    let inputs = Inputs {
        arguments: [
            "footfall-aggregation".as_ref(),
            "--config".as_ref(),
            file.as_os_str(),
        ]
        .map(std::ffi::OsStr::to_owned)
        .to_vec(),
        environment: Vec::new(),
    };
    load(&PROGRAM, inputs).and_then(|loaded| read(&loaded.document))
}

/// The refusal of a file, without the folder that it is in.
#[track_caller]
fn refusal(name: &str, text: &str) -> String {
    let problems = read_text(name, text).unwrap_err();
    let lines = problems.0.iter().map(|problem| {
        let problem = problem.to_string();
        problem[problem.find(name).unwrap_or_default()..].to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_short_stream_counts_updates_by_the_records_own_key() {
    let config = read_text("short.toml", STREAM).unwrap();
    let stream = &config.topology.streams()[0];
    assert_eq!(
        (&*stream.name, &*stream.from, &*stream.to),
        ("pages", "events", "pages")
    );
    assert_eq!(stream.late.as_deref(), Some("pages.late"));
    assert_eq!(stream.dlq.as_deref(), Some("events.dlq"));
    assert_eq!((stream.rekeyed, stream.emit), (false, Emit::Updates));
    assert_eq!(stream.windows.size().as_millis(), 300_000);
    assert_eq!(stream.windows.advance().as_millis(), 60_000);
    assert_eq!(stream.windows.grace().as_millis(), 30_000);
    assert_eq!(stream.aggregates.len(), 1);
    assert_eq!(
        (
            &*stream.aggregates[0].name,
            stream.aggregates[0].function.clone()
        ),
        ("count", Function::Count)
    );
    assert_eq!(config.runtime.group, "footfall-aggregation");
    assert_eq!(config.runtime.commit_interval, Duration::from_millis(100));
    assert_eq!(config.runtime.delivery, Delivery::ExactlyOnce);
    assert!(config.runtime.topics.create && !config.tail);
}

#[test]
fn a_window_without_an_advance_is_tumbling() {
    let text = STREAM.replace(r#"advance = "1m", "#, "");
    let config = read_text("tumbling.toml", &text).unwrap();
    assert_eq!(
        config.topology.streams()[0].windows.advance().as_millis(),
        300_000
    );
}

#[test]
fn streams_and_aggregates_stay_in_the_order_of_the_file() {
    let text = STREAM.replace(
        "to = \"pages\"",
        "to = \"pages\"\naggregate = { views = \"count()\", total = \"sum(/n)\", least = \"min(/n)\" }\n\
         [streams.early]\nfrom = \"events\"\nwindow = { size = \"1m\", grace = \"0s\" }\nto = \"early\"",
    );
    let config = read_text("order.toml", &text).unwrap();
    let names: Vec<_> = config
        .topology
        .streams()
        .iter()
        .map(|stream| &*stream.name)
        .collect();
    assert_eq!(names, ["pages", "early"]);
    let aggregates = config.topology.streams()[0].aggregates.iter();
    let aggregates: Vec<_> = aggregates.map(|aggregation| &*aggregation.name).collect();
    assert_eq!(aggregates, ["views", "total", "least"]);
}

#[test]
fn none_means_that_late_records_and_dead_letters_are_only_counted() {
    let text = STREAM.replace(
        "to = \"pages\"",
        "to = \"pages\"\nlate = \"none\"\ndlq = \"none\"",
    );
    let config = read_text("none.toml", &text).unwrap();
    let stream = &config.topology.streams()[0];
    assert_eq!((&stream.late, &stream.dlq), (&None, &None));
}

#[test]
fn records_may_be_an_hour_ahead_of_the_clock_unless_it_is_said() {
    let limit = |text: &str| {
        let text = STREAM.replace("to = \"pages\"", text);
        let config = read_text("ahead.toml", &text).unwrap();
        config.topology.streams()[0].max_ahead
    };
    assert_eq!(limit("to = \"pages\""), Some(hours(1)));
    assert_eq!(
        limit("to = \"pages\"\nmax_ahead = \"30s\""),
        Some(seconds(30))
    );
    assert_eq!(limit("to = \"pages\"\nmax_ahead = \"none\""), None);
}

#[test]
fn duplicates_and_silence_have_their_times() {
    let text = STREAM.replace(
        "to = \"pages\"",
        "to = \"pages\"\nemit = \"both\"\nidle_timeout = \"30s\"\ndedupe = { by = \"/id\", within = \"1h\" }",
    );
    let config = read_text("both.toml", &text).unwrap();
    let stream = &config.topology.streams()[0];
    assert_eq!(stream.emit, Emit::Both);
    assert_eq!(stream.idle_timeout, Some(seconds(30)));
    assert_eq!(stream.dedupe, Some(hours(1)));
}

#[test]
fn windows_may_have_an_offset_or_be_the_days_of_a_time_zone_or_sessions() {
    let windows = |window: &str| {
        let text = STREAM.replace("size = \"5m\", advance = \"1m\"", window);
        let config = read_text("windows.toml", &text).unwrap();
        config.topology.streams()[0].windows.to_string()
    };
    assert_eq!(
        windows("size = \"1d\", offset = \"6h\""),
        "windows of 86400000 ms every 86400000 ms from 21600000 ms on with a grace of 30000 ms"
    );
    assert_eq!(
        windows("calendar = \"month\", time_zone = \"Asia/Seoul\""),
        "months in Asia/Seoul with a grace of 30000 ms"
    );
    assert_eq!(
        windows("gap = \"30m\""),
        "sessions with a gap of 1800000 ms with a grace of 30000 ms"
    );
    assert_eq!(
        windows("calendar = \"day\""),
        "days in UTC with a grace of 30000 ms"
    );
}
