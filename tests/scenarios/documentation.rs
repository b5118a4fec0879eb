//! What the SDK's page says of its options is what its types say.

use footfall_tests::program;
use std::{collections::BTreeMap, fs};

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
