//! State belongs to the definition that it was counted by.

use super::*;

/// Every key of a stream, with two values that are both right.
const FULL: &str = r#"
[kafka]
brokers = "127.0.0.1:9092"
[tables.users]
from = "users"
[streams.pages]
from = "events"
where = 'type == "page_view" && profile.vip'
join = [{ table = "users", by = "/user", as = "/profile", missing = "skip" }]
key = "/page/url"
time = "/at"
null_values = "skip"
dedupe = { by = "/id", within = "1h" }
window = { size = "6m", advance = "2m", offset = "1m", grace = "30s" }
aggregate = { n = "count()", total = "sum(/amount)" }
emit = "updates"
idle_timeout = "5m"
to = "pages"
late = "pages.late"
dlq = "events.dlq"
"#;

/// What has changed to the eyes of the state.
fn changes(from: &str, to: &str) -> Vec<String> {
    assert_eq!(FULL.matches(from).count(), 1, "{from}");
    let shape = |text: &str| {
        let config = read_text("full.toml", text).unwrap_or_else(|problems| panic!("{problems:?}"));
        config.topology.streams()[0].shape()
    };
    shape(&FULL.replace(from, to)).differences(&shape(FULL))
}

#[test]
fn every_part_of_a_definition_that_changes_results_is_known_to_its_state() {
    let calendar = r#"calendar = "day", grace"#;
    for (part, from, to) in [
        ("from", r#"from = "events""#, r#"from = "others""#),
        ("where", "page_view", "click"),
        (
            "where",
            "where = 'type == \"page_view\" && profile.vip'",
            "",
        ),
        ("join", r#"from = "users""#, r#"from = "people""#),
        ("join", r#"by = "/user", "#, ""),
        ("join", "missing = \"skip\"", "missing = \"dlq\""),
        ("key", "key = \"/page/url\"", "key = \"/page/path\""),
        ("key", "key = \"/page/url\"", ""),
        ("time", "time = \"/at\"", "time = \"/sent_at\""),
        ("time", "time = \"/at\"", ""),
        ("null_values", "\"skip\"\ndedupe", "\"count\"\ndedupe"),
        ("dedupe by", "by = \"/id\"", "by = \"/name\""),
        ("dedupe within", "within = \"1h\"", "within = \"2h\""),
        ("window", "size = \"6m\"", "size = \"8m\""),
        ("window", "advance = \"2m\"", "advance = \"3m\""),
        ("window", "offset = \"1m\", ", ""),
        ("window", "grace = \"30s\"", "grace = \"31s\""),
        (
            "window",
            r#"size = "6m", advance = "2m", offset = "1m", grace"#,
            calendar,
        ),
        (
            "window",
            r#"size = "6m", advance = "2m", offset = "1m""#,
            r#"gap = "6m""#,
        ),
        ("aggregate", "sum(/amount)", "sum(/price)"),
        ("aggregate", "sum(/amount)", "max(/amount)"),
        ("aggregate", "n = \"count()\", ", ""),
    ] {
        let changes = changes(from, to);
        let [change] = &*changes else {
            panic!("{part}: {changes:?}");
        };
        assert!(change.starts_with(&format!("`{part}` was ")), "{change}");
    }
    // Where the row comes changes what the condition reads, too.
    let elsewhere = changes("as = \"/profile\"", "as = \"/page\"");
    assert!(elsewhere[0].starts_with("`join` was "), "{elsewhere:?}");
}

#[test]
fn what_only_says_when_and_where_results_go_may_change() {
    for (from, to) in [
        (r#"emit = "updates""#, r#"emit = "final""#),
        (r#"idle_timeout = "5m""#, ""),
        (r#"to = "pages""#, r#"to = "elsewhere""#),
        (r#"late = "pages.late""#, r#"late = "none""#),
        (r#"dlq = "events.dlq""#, r#"dlq = "none""#),
        (r#"[streams.pages]"#, "[streams.others]"),
        (r#"from = "events""#, "from = \"events\"\nversion = 2"),
        (
            r#"from = "events""#,
            "from = \"events\"\nstart = \"latest\"",
        ),
    ] {
        assert_eq!(changes(from, to), [""; 0], "{to}");
    }
}

#[test]
fn a_version_is_a_part_of_internal_topics_names() {
    let topics = |version: u32| {
        let text = FULL.replace("key =", &format!("version = {version}\nkey ="));
        let config = read_text("full.toml", &text).unwrap();
        let stream = &config.topology.streams()[0];
        [stream.changelog("g"), stream.repartition("g")].map(|topic| topic.to_string())
    };
    assert_eq!(topics(1), ["g-pages-changelog", "g-pages-repartition"]);
    assert_eq!(
        topics(2),
        ["g-pages-v2-changelog", "g-pages-v2-repartition"]
    );
}

#[test]
fn two_streams_never_have_the_same_internal_topics() {
    let second =
        "[streams.pages-v2]\nfrom = 'events'\nto = 'b'\nwindow = { size = '1m', grace = '0s' }\n";
    let text = FULL.replace("key =", "version = 2\nkey =") + second;
    let found = refusal("full.toml", &text);
    let expected = "expected another name or version than those that come to the internal topics of `pages`, found `1`";
    assert!(found.ends_with(expected), "{found}");
}
