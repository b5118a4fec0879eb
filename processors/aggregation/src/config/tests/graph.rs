use super::{read_text, refusal};

/// What is wrong with these streams and routes; nothing, if nothing is.
fn wrong(file: &str) -> String {
    let text = format!("[kafka]\nbrokers = \"127.0.0.1:9092\"\n{file}");
    match read_text("graph.toml", &text) {
        Ok(_) => String::new(),
        Err(_) => refusal("graph.toml", &text),
    }
}

const WINDOW: &str = "window = { size = \"1m\", grace = \"1m\" }";

fn stream(name: &str, from: &str, to: &str, more: &str) -> String {
    format!("[streams.{name}]\nfrom = \"{from}\"\nto = \"{to}\"\n{WINDOW}\n{more}\n")
}

fn route(name: &str, from: &str, to: &str, more: &str) -> String {
    format!("[routes.{name}]\nfrom = [\"{from}\"]\nto = \"{to}\"\n{more}\n")
}

#[test]
fn a_circle_is_refused_by_the_key_that_closes_it() {
    for (file, key, circle) in [
        (stream("s", "x", "x", ""), "5: streams.s.to", "`x` (x > x)"),
        (
            stream("s", "x", "y", "dlq = \"x\""),
            "7: streams.s.dlq",
            "`x` (x > x)",
        ),
        (
            stream("s", "x", "y", "late = \"x\""),
            "7: streams.s.late",
            "`x` (x > x)",
        ),
        (route("r", "x", "x", ""), "5: routes.r.to", "`x` (x > x)"),
        (
            route("r", "x", "y", "dlq = \"x\""),
            "6: routes.r.dlq",
            "`x` (x > x)",
        ),
        (
            route(
                "r",
                "x",
                "y",
                "split = [{ where = \"a == 1\", to = \"z\" }, { where = \"b == 1\", to = \"x\" }]",
            ),
            "6: routes.r.split[1].to",
            "`x` (x > x)",
        ),
        (
            route("one", "x", "y", "")
                + &route("two", "y", "z", "")
                + &route("three", "z", "x", ""),
            "13: routes.three.to",
            "`x` (z > x > y > z)",
        ),
        (
            stream("s", "x", "y", "") + &route("r", "y", "x", ""),
            "10: routes.r.to",
            "`x` (y > x > y)",
        ),
        // By the names that are left out.
        (
            stream("s", "x", "y", "") + &route("r", "x.dlq", "x", ""),
            "10: routes.r.to",
            "`x` (x.dlq > x > x.dlq)",
        ),
        (
            stream("s", "x", "y", "") + &stream("t", "y.late", "x", ""),
            "10: streams.t.to",
            "`x` (y.late > x > y.late)",
        ),
        (
            route("r", "x", "y", "") + &route("again", "y", "z", "dlq = \"x\""),
            "10: routes.again.dlq",
            "`x` (y > x > y)",
        ),
        // What a table is made of by what is joined with it.
        (
            "[tables.t]\nfrom = \"rows\"\n".to_owned()
                + &route(
                    "r",
                    "x",
                    "rows",
                    "join = [{ table = \"t\", as = \"/row\" }]",
                ),
            "7: routes.r.to",
            "`rows` (rows > rows)",
        ),
    ] {
        let wrong = wrong(&file);
        assert!(
            wrong.contains(&format!(
                "graph.toml:{key}: expected a topic that does not lead back to"
            )),
            "{wrong}"
        );
        assert!(wrong.ends_with(&format!("found {circle}")), "{wrong}");
        assert_eq!(wrong.lines().count(), 1, "{wrong}");
    }
}

#[test]
fn a_circle_may_be_meant() {
    let redrive = stream("s", "x", "y", "") + &route("r", "x.dlq", "x", "");
    for topic in ["x", "x.dlq"] {
        let text = format!(
            "circular_topics = [\"{topic}\"]\n[kafka]\nbrokers = \"127.0.0.1:9092\"\n{redrive}"
        );
        read_text("meant.toml", &text).unwrap();
    }
}

#[test]
fn records_that_cannot_be_told_apart_are_refused_in_one_topic() {
    for (file, key, other) in [
        (
            stream("s", "x", "out", "") + &stream("t", "y", "out", ""),
            "10: streams.t.to",
            "streams.s.to",
        ),
        (
            stream("s", "x", "out", "") + &route("r", "y", "out", ""),
            "10: routes.r.to",
            "streams.s.to",
        ),
        (
            stream("s", "x", "out", "late = \"out\""),
            "7: streams.s.late",
            "streams.s.to",
        ),
        (
            route("r", "x", "out", "dlq = \"out\""),
            "6: routes.r.dlq",
            "routes.r.to",
        ),
        (
            stream("s", "x", "out", "") + &stream("t", "y", "x.dlq", ""),
            "10: streams.t.to",
            "streams.s.dlq",
        ),
        (
            stream("s", "x", "out", "") + &route("r", "y", "out.late", ""),
            "10: routes.r.to",
            "streams.s.late",
        ),
        (
            "[tables.t]\nfrom = \"rows\"\n".to_owned() + &route("r", "x", "y", "dlq = \"rows\""),
            "8: routes.r.dlq",
            "tables.t.from",
        ),
    ] {
        let expected = format!(
            "graph.toml:{key}: expected another topic than that of `{other}`, or the topic among `shared_topics`"
        );
        let wrong = wrong(&file);
        assert!(wrong.starts_with(&expected), "{wrong}");
        assert_eq!(wrong.lines().count(), 1, "{wrong}");
    }
    let text = stream("s", "x", "out", "") + &stream("t", "y", "out", "");
    let text = format!(
        "shared_topics = [\"out\", \"out.late\"]\n[kafka]\nbrokers = \"127.0.0.1:9092\"\n{text}"
    );
    read_text("meant.toml", &text).unwrap();
}

#[test]
fn what_can_be_told_apart_may_share_a_topic() {
    for file in [
        route("one", "x", "out", "") + &route("two", "y", "out", ""),
        route(
            "r",
            "x",
            "out",
            "split = [{ where = \"a == 1\", to = \"out\" }]",
        ),
        stream("s", "x", "a", "") + &stream("t", "x", "b", ""),
        stream("s", "x", "a", "late = \"bad\"\ndlq = \"bad\"")
            + &stream("t", "y", "b", "dlq = \"bad\""),
        stream("s", "x", "y", "") + &route("r", "x.dlq", "z", "") + &stream("t", "y", "yy", ""),
        "[tables.t]\nfrom = \"rows\"\n".to_owned() + &route("r", "x", "rows", ""),
        stream("s", "x", "y", "late = \"none\"\ndlq = \"none\""),
    ] {
        assert_eq!(wrong(&file), "", "{file}");
    }
}

#[test]
fn names_and_internal_topics_are_their_owners() {
    let both = stream("s", "x", "y", "") + &route("s", "x", "z", "");
    let expected =
        "graph.toml:8: routes.s: expected another name than that of `streams.s`, found `s`";
    assert_eq!(wrong(&both), expected);
    for topic in [
        "footfall-aggregation-s-changelog",
        "footfall-aggregation-s-repartition",
    ] {
        let wrong = wrong(&(stream("s", "x", "y", "") + &route("r", "y", topic, "")));
        let expected = "graph.toml:10: routes.r.to: expected another topic than those that `streams.s` keeps its state in";
        assert!(wrong.starts_with(expected), "{wrong}");
    }
}
