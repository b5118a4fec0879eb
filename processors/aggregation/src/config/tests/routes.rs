use super::{read_text, refusal};

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
            "loop.toml:8: routes.people.to: expected a topic that does not lead back to `old`, or one of the circle among `circular_topics`, if it is meant to be one, found `old` (old > old)",
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
