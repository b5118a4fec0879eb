//! Holds `docs/gateway.md` to the keys.

use super::PROGRAM;
use footfall_service::config::{Default, Form, Key};
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../docs/gateway.md");

/// A key's row in the page's table.
fn row(prefix: &str, key: &Key) -> String {
    let default = match key.default {
        Default::Value(value) => format!("`{value}`"),
        Default::Absent => "none".into(),
        Default::Required => "required".into(),
    };
    let form = if let Form::Choice(words) = key.form {
        format!("`{}`", words.join("`, `"))
    } else {
        key.form.placeholder().replace('|', "` or `")
    };
    let form = if form.starts_with('`') {
        form
    } else {
        format!("`{form}`")
    };
    format!(
        "| `{prefix}{}` | {form} | {default} | {} |",
        key.path, key.help
    )
}

fn rows() -> Vec<String> {
    let mut rows = Vec::new();
    for key in PROGRAM.keys() {
        rows.push(row("", key));
        if let Form::Tables(keys) = key.form {
            let prefix = format!("{}[].", key.path);
            rows.extend(keys.iter().map(|own| row(&prefix, own)));
        }
    }
    rows
}

#[test]
fn the_page_has_a_row_for_every_key_and_for_nothing_else() {
    let wanted = rows();
    let is_row = |line: &&str| line.starts_with("| `") && line.matches(" | ").count() == 3;
    let written: BTreeSet<&str> = PAGE.lines().filter(is_row).collect();
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let missing: Vec<_> = wanted.difference(&written).collect();
    let unknown: Vec<_> = written.difference(&wanted).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "docs/gateway.md misses {missing:#?} and has {unknown:#?}"
    );
}
