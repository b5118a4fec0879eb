//! What the SDK's page says of its options is what its types say, and of its fields what their list says.

use footfall_tests::program;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};

fn read(path: &str) -> String {
    fs::read_to_string(program::root().join(path)).unwrap()
}

/// By name: the kind of value, and the default.
type Options = BTreeMap<String, [String; 2]>;

/// Those of the types: a comment that ends with the default, and the member.
fn declared() -> Options {
    let types = read("sdk-wasm/index.d.ts");
    let (_, body) = types.split_once("export interface Options {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let members = body.split("/**").skip(1).map(|member| {
        let (comment, code) = member.split_once("*/").expect("a comment and a member");
        let (name, kind) = code.trim().split_once(": ").unwrap();
        let default = comment
            .split_once("Default: ")
            .map_or("required", |(_, default)| default.trim());
        let default = default.trim_end_matches('.').replace('`', "");
        let is_required = !name.ends_with('?');
        assert_eq!(is_required, default == "required", "the default of {name}");
        let kind = match kind.trim_end_matches(';') {
            "number | string" => "size or time",
            "Properties" => "object",
            list if list.ends_with("[]") => "list",
            function if function.starts_with("()") => "function",
            choices if choices.starts_with('"') => &choices.replace('"', "").replace(" | ", ", "),
            plain => plain,
        };
        (
            name.trim_end_matches('?').to_owned(),
            [kind.to_owned(), default],
        )
    });
    members.collect()
}

/// Those of the page's table.
fn documented() -> Options {
    let page = read("docs/sdk.md");
    let (_, section) = page.split_once("\n## Options\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let options = rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let kind = match cells[2] {
            "size" | "time" => "size or time",
            other => other,
        };
        let plain = |cell: &str| cell.replace('`', "");
        (plain(cells[1]), [kind.to_owned(), plain(cells[3])])
    });
    options.collect()
}

#[test]
fn every_option_is_documented_with_its_type_and_its_default() {
    assert_eq!(documented(), declared());
    assert!(declared().len() > 15);
}

#[test]
fn the_defaults_that_the_scripts_use_are_those_of_the_types() {
    let scripts = read("sdk-wasm/script/settings.ts");
    let rust = read("sdk-wasm/src/options.rs");
    let declared = declared();
    for name in ["storage", "capture"] {
        let line = format!("{name}: \"{}\"", declared[name][1]);
        assert!(scripts.contains(&line), "{line}");
    }
    for (name, code) in [
        ("batchCount", "20"),
        ("batchBytes", "16 << 10"),
        ("batchAge", "3_000"),
        ("queueBytes", "256 << 10"),
        ("maxAge", "7 * 24 * 60 * 60_000"),
    ] {
        let line = format!("(\"{name}\", {code})");
        assert!(
            rust.contains(&line),
            "{line} stands for {}",
            declared[name][1]
        );
    }
}

#[test]
fn every_field_is_documented_with_its_purpose_and_an_example() {
    let list: Value = serde_json::from_str(&read("sdk-wasm/fields.json")).unwrap();
    let rows = list["fields"].as_array().unwrap().iter().map(|field| {
        let name = field["name"].as_str().unwrap();
        let of = match field["types"].as_array() {
            Some(types) => types
                .iter()
                .map(|kind| format!("`{}`", kind.as_str().unwrap()))
                .collect::<Vec<_>>()
                .join(", "),
            None if name.starts_with("events[]") => "every event".into(),
            None => "the batch".into(),
        };
        let example = &field["example"];
        let example = example
            .as_str()
            .map_or_else(|| example.to_string(), str::to_owned);
        let purpose = field["purpose"].as_str().unwrap();
        format!("| `{name}` | {of} | {purpose} | `{example}` |")
    });
    let page = read("docs/sdk.md");
    let (_, table) = page
        .split_once("| field | of | is | example |\n|---|---|---|---|\n")
        .expect("a table of fields");
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows: Vec<_> = rows.collect();
    assert_eq!(table.lines().collect::<Vec<_>>(), rows);
}

/// All of the Rust below a folder.
fn rust_below(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &rust_below(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn every_difference_from_kafka_streams_names_a_test_that_there_is() {
    let page = read("docs/kafka-streams.md");
    let code =
        ["processors", "tests/scenarios"].map(|folder| rust_below(&program::root().join(folder)));
    let (_, differences) = page
        .split_once("| shown by |\n|---|---|---|---|\n")
        .unwrap();
    let (differences, _) = differences.split_once("\n\n").unwrap();
    for row in differences.lines() {
        let shown_by = row.rsplit(" | ").next().unwrap();
        assert!(shown_by.starts_with('`'), "{row}");
    }
    // Tests have long names; nothing else on the page has.
    let names = page
        .split('`')
        .filter(|word| word.matches('_').count() >= 4);
    let names: Vec<_> = names.collect();
    assert!(names.len() > differences.lines().count());
    for name in names {
        let is_there = code
            .iter()
            .any(|code| code.contains(&format!("fn {name}(")));
        assert!(is_there, "docs/kafka-streams.md names `{name}`");
    }
}

/// A table of the page, and the figures of the last measurement that its cells are the medians of.
const COMPARED: &[(&str, [&str; 4])] = &[
    (
        "download, bytes of brotli",
        [
            "all with the tag, brotli 11",
            "all of Plausible",
            "all of Snowplow",
            "all of PostHog",
        ],
    ),
    (
        "main thread at boot, ms of CPU",
        [
            "CPU at boot, Footfall, net of an empty script",
            "CPU at boot, Plausible, net of an empty script",
            "CPU at boot, Snowplow, net of an empty script",
            "CPU at boot, PostHog, net of an empty script",
        ],
    ),
    (
        "longest task at boot, ms of CPU",
        [
            "longest task at boot, Footfall",
            "longest task at boot, Plausible",
            "longest task at boot, Snowplow",
            "longest task at boot, PostHog",
        ],
    ),
    (
        "inside the handlers of a click, p99, µs",
        [
            "inside a click's handlers, p99",
            "inside a click's handlers, p99, Plausible",
            "inside a click's handlers, p99, Snowplow",
            "inside a click's handlers, p99, PostHog",
        ],
    ),
];

/// The cells of a table's row that begins so.
fn cells(text: &str, first: &str) -> Vec<String> {
    let row = text
        .lines()
        .find(|line| line.starts_with(&format!("| {first} |")));
    let row = row.unwrap_or_else(|| panic!("no row `{first}`"));
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn how_it_compares_is_what_was_measured_last() {
    let page = read("docs/sdk.md");
    let (_, page) = page.split_once("\n## How it compares\n").unwrap();
    let measured = read("docs/benchmarks.md");
    let (_, measured) = measured.split_once("\n## The SDK\n").unwrap();
    let said = measured
        .lines()
        .find(|line| line.starts_with("20"))
        .unwrap();
    let (date_and_browser, _) = said.split_once(", Plausible").unwrap();
    assert!(page.contains(date_and_browser), "{date_and_browser}");
    for (row, figures) in COMPARED {
        let medians = figures.map(|figure| cells(measured, figure)[4].clone());
        assert_eq!(cells(page, row)[2..6], medians, "docs/sdk.md: {row}");
    }
}
