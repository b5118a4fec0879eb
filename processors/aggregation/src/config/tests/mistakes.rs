use super::{STREAM, refusal};

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
            "loop.toml:7: streams.pages.to: expected a topic that does not lead back to `events`, or one of the circle among `circular_topics`, if it is meant to be one, found `events` (events > events)",
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
            "ahead.toml",
            r#"to = "pages""#,
            "to = \"pages\"\nmax_ahead = \"an hour\"",
            "ahead.toml:8: streams.pages.max_ahead: expected `none`, or a duration such as `200ms`, `5s`, `10m`, `24h` or `7d`, found `an hour`",
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
