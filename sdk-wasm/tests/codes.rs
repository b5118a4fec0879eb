//! The two sides of the wire call each other by number, and each has its own list of what the numbers mean.

use std::collections::BTreeMap;

/// List and member, as `call.stop`, and the number.
type Codes = BTreeMap<String, Option<u32>>;

/// Reads what is written one to a line: where a list starts, and what a member is.
fn codes(source: &str, list: &str, member: &str) -> Codes {
    let mut codes = Codes::new();
    let mut current = "";
    for line in source.lines().map(str::trim) {
        if let Some((_, name)) = line.split_once(list) {
            current = name.trim_end_matches(" {");
        } else if let Some((name, number)) = line.split_once(" = ") {
            let name = name.trim_start_matches(member).trim_end_matches(": u32");
            let number = number.trim_end_matches([',', ';']).parse().ok();
            let before = codes.insert(format!("{current}.{name}").to_lowercase(), number);
            assert!(before.is_none(), "{current}.{name} is listed twice");
        }
    }
    codes
}

#[test]
fn the_numbers_mean_the_same_on_both_sides() {
    let rust = include_str!("../src/browser/code.rs");
    let rust = codes(rust, "pub(super) mod ", "pub(crate) const ");
    let script = codes(include_str!("../script/code.ts"), "export const enum ", "");
    let is_complete = rust.len() > 30 && rust.values().all(Option::is_some);
    assert!(is_complete, "expected numbers, found {rust:?}");
    assert_eq!(rust, script);
}
