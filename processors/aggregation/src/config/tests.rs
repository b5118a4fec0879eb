mod joins;

use super::*;
use footfall_service::config::{Inputs, Key, load};
use footfall_streams::{Emit, Function, hours, seconds};
use std::{fs, path::PathBuf};

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

fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("aggregation.toml")
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
fn every_mistake_is_told_with_line_key_expectation_and_finding() {
    for (name, from, to, expected) in [
        (
            "advance.toml",
            r#"advance = "1m""#,
            r#"advance = "6m""#,
            "advance.toml:6: streams.pages.window.advance: expected up to the window's size of `5m`, found `6m`",
        ),
        (
            "zero.toml",
            r#"size = "5m""#,
            r#"size = "0s""#,
            "zero.toml:6: streams.pages.window.size: expected more than `0ms`, found `0ms`",
        ),
        (
            "grace.toml",
            r#", grace = "30s""#,
            "",
            "grace.toml:4: streams.pages.window.grace: expected a duration such as `200ms`, `5s`, `10m`, `24h` or `7d`, found nothing",
        ),
        (
            "duration.toml",
            r#"size = "5m""#,
            r#"size = "5 minutes""#,
            "duration.toml:6: streams.pages.window.size: expected a duration such as `200ms`, `5s`, `10m`, `24h` or `7d`, found `5 minutes`",
        ),
        (
            "topic.toml",
            r#"to = "pages""#,
            r#"to = "top pages""#,
            "topic.toml:7: streams.pages.to: expected a topic name that Kafka takes: 1 to 249 of `A-Z a-z 0-9 . _ -`, and not `.` or `..`, found `top pages`",
        ),
        (
            "loop.toml",
            r#"to = "pages""#,
            r#"to = "events""#,
            "loop.toml:7: streams.pages.to: expected another topic than `from`, found `events`",
        ),
        (
            "pointer.toml",
            r#"to = "pages""#,
            "to = \"pages\"\nkey = \"page.url\"",
            "pointer.toml:8: streams.pages.key: expected a JSON pointer such as `/page/url`, found `page.url`",
        ),
        (
            "time.toml",
            r#"to = "pages""#,
            "to = \"pages\"\ntime = \"sent_at\"",
            "time.toml:8: streams.pages.time: expected `record`, or a JSON pointer such as `/page/url`, found `sent_at`",
        ),
        (
            "function.toml",
            r#"to = "pages""#,
            "to = \"pages\"\naggregate = { x = \"median(/n)\" }",
            "function.toml:8: streams.pages.aggregate.x: expected one of `count()`, `sum(/pointer)`, `min(/pointer)`, `max(/pointer)`, `mean(/pointer)`, `distinct(/pointer)`, `quantile(/pointer, 0.95)`, `quantiles(/pointer, 0.5, 0.95)`, `first(/pointer)`, `last(/pointer)`, `top(/pointer, 10)`, found `median(/n)`",
        ),
        (
            "reserved.toml",
            r#"to = "pages""#,
            "to = \"pages\"\naggregate = { end = \"count()\" }",
            "reserved.toml:8: streams.pages.aggregate.end: expected a name other than key, key_base64, start, end, final, closed_by, found `end`",
        ),
        (
            "dedupe.toml",
            r#"to = "pages""#,
            "to = \"pages\"\ndedupe = { by = \"id\", within = \"0s\" }",
            "dedupe.toml:8: streams.pages.dedupe.by: expected a JSON pointer such as `/page/url`, found `id`\n\
             dedupe.toml:8: streams.pages.dedupe.within: expected a duration of more than `0ms`, found `0ms`",
        ),
        (
            "idle.toml",
            r#"to = "pages""#,
            "to = \"pages\"\nidle_timeout = \"0s\"",
            "idle.toml:8: streams.pages.idle_timeout: expected more than `0ms`, found `0ms`",
        ),
        (
            "codec.toml",
            r#"to = "pages""#,
            "to = \"pages\"\naggregate = { total = \"sum(/n)\" }\ncodec = \"streams\"",
            "codec.toml:9: streams.pages.codec: expected `json`, or a single aggregate that is a whole number: `count()` or `distinct(/pointer)`, found `streams`",
        ),
        (
            "both.toml",
            "grace",
            "calendar = \"day\", grace",
            "both.toml:6: streams.pages.window: expected one of `size`, `calendar` and `gap`, found more than one",
        ),
        (
            "neither.toml",
            "size = \"5m\", advance = \"1m\", ",
            "",
            "neither.toml:6: streams.pages.window: expected one of `size`, `calendar` and `gap`, found none of them",
        ),
        (
            "advance.toml",
            "size = \"5m\"",
            "calendar = \"day\"",
            "advance.toml:6: streams.pages.window.advance: expected nothing with `calendar`, whose windows do not begin in steps, found `1m`",
        ),
        (
            "gap.toml",
            "size = \"5m\", advance = \"1m\"",
            "gap = \"0s\"",
            "gap.toml:6: streams.pages.window.gap: expected more than `0ms`, found `0ms`",
        ),
        (
            "zone.toml",
            "size = \"5m\", advance = \"1m\"",
            "calendar = \"day\", time_zone = \"Europe/Atlantis\"",
            "zone.toml:6: streams.pages.window.time_zone: expected the IANA name of a time zone, such as `Asia/Seoul`, found `Europe/Atlantis`",
        ),
        (
            "zoned.toml",
            "grace",
            "time_zone = \"UTC\", grace",
            "zoned.toml:6: streams.pages.window.time_zone: expected nothing without `calendar`; other windows are the same in every time zone, found `UTC`",
        ),
        (
            "name.toml",
            "[streams.pages]",
            "[streams.\"top pages\"]",
            "name.toml:4: streams.top pages: expected a name of `A-Z a-z 0-9 . _ -`, short enough for topics that are named `GROUP-NAME-repartition`, found `top pages`",
        ),
        (
            "origin.toml",
            "[kafka]",
            "origins = [\"https://a.example/\"]\n[kafka]",
            "origin.toml:2: origins: expected `*`, or origins such as `https://shop.example`, without a path, found `https://a.example/`",
        ),
    ] {
        let text = STREAM.replace(from, to);
        assert_ne!(text, STREAM, "{name}");
        assert_eq!(refusal(name, &text), expected);
    }
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

#[test]
fn a_wrong_expression_says_what_is_wrong_with_it() {
    let text = STREAM.replace("to = \"pages\"", "to = \"pages\"\nwhere = 'type =='");
    let refusal = refusal("where.toml", &text);
    let expected =
        "where.toml:8: streams.pages.where: expected a CEL expression, found `type ==` (";
    assert!(refusal.starts_with(expected), "{refusal}");
}

#[test]
fn keys_that_are_not_known_are_refused() {
    for key in ["idle = \"30s\"", "state_dir = \"x\""] {
        let text = STREAM.replace("to = \"pages\"", &format!("to = \"pages\"\n{key}"));
        let refusal = refusal("unknown.toml", &text);
        assert!(
            refusal.contains("expected a known key (aggregate, codec, dedupe, dlq, emit, from"),
            "{refusal}"
        );
        assert!(
            refusal.starts_with("unknown.toml:8: streams.pages."),
            "{refusal}"
        );
    }
}

#[test]
fn without_streams_there_is_nothing_to_do() {
    let text = "[kafka]\nbrokers = \"127.0.0.1:9092\"\n";
    let expected = "streams: expected at least one `[streams.NAME]` or `[routes.NAME]` in the configuration file, found none";
    assert!(refusal("empty.toml", text).ends_with(expected));
}

#[test]
fn the_sample_is_right() {
    let config = read_file(&sample()).unwrap();
    let stream = &config.topology.streams()[0];
    assert_eq!((&*stream.name, stream.rekeyed), ("top-pages", true));
}

#[test]
fn the_sample_shows_every_key_with_its_default() {
    let text = fs::read_to_string(sample()).unwrap();
    let shows = |key: &Key| {
        let name = key.path.rsplit('.').next().unwrap();
        let lines = text.lines().map(|line| line.trim_start_matches("# "));
        let mut shown = lines.filter(|line| line.starts_with(&format!("{name} = ")));
        let value = shown.next().map(|line| {
            line.split_once(" = ")
                .unwrap()
                .1
                .trim_matches('"')
                .to_owned()
        });
        match (value, key.default) {
            (Some(value), footfall_service::config::Default::Value(default)) => value == default,
            (Some(_), _) => true,
            (None, _) => {
                text.contains(&format!("[{}", key.path)) || text.contains(&format!("{name} = "))
            }
        }
    };
    for key in PROGRAM.keys() {
        assert!(shows(key), "{}", key.path);
        if let Form::Named(keys) = key.form {
            for key in keys {
                assert!(shows(key), "streams.NAME.{}", key.path);
            }
        }
    }
}

const ROUTE: &str = r#"
[kafka]
brokers = "127.0.0.1:9092"
[routes.people]
from = ["events", "old"]
rename = { "/a" = "/b" }
split = [{ where = 'type == "click"', to = "clicks" }]
to = "others"
"#;

#[test]
fn a_route_reads_topics_and_writes_others() {
    let config = read_text("route.toml", ROUTE).unwrap();
    let [route] = config.topology.routes() else {
        panic!("{:?}", config.topology)
    };
    let from: Vec<_> = route
        .from
        .iter()
        .map(|inlet| (&*inlet.topic, inlet.dlq.as_deref()))
        .collect();
    assert_eq!(
        from,
        [("events", Some("events.dlq")), ("old", Some("old.dlq"))]
    );
    let to: Vec<_> = route.to.iter().map(|topic| &**topic).collect();
    assert_eq!(to, ["clicks", "others"]);
    let steps = route.convert.describe();
    let expected = [
        ("rename", "/a to /b".to_owned()),
        ("split", "clicks where type == \"click\"".to_owned()),
    ];
    assert_eq!(steps, expected);
}

#[test]
fn every_mistake_in_a_route_is_told() {
    for (name, from, to, expected) in [
        (
            "pointer.toml",
            "\"/b\" }",
            "\"b\" }",
            "pointer.toml:6: routes.people.rename./a: expected a JSON pointer such as `/page/url`, found `b`",
        ),
        (
            "loop.toml",
            "to = \"others\"",
            "to = \"old\"",
            "loop.toml:8: routes.people.to: expected other topics than `from`, found `old`",
        ),
        (
            "cel.toml",
            "type == \"click\"",
            "type ==",
            "cel.toml:7: routes.people.split[0].where: expected a CEL expression, found `type ==` (",
        ),
        (
            "empty.toml",
            "from = [\"events\", \"old\"]",
            "from = []",
            "empty.toml:5: routes.people.from: expected one topic or more, found none",
        ),
    ] {
        let text = ROUTE.replace(from, to);
        assert_ne!(text, ROUTE, "{name}");
        let refusal = refusal(name, &text);
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}
