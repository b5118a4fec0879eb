use super::{read_text, refusal};
use footfall_streams::Missing;

const JOINS: &str = r#"
[kafka]
brokers = "127.0.0.1:9092"
[tables.users]
from = "users.v1"
max_bytes = "2MiB"
[routes.people]
from = ["events"]
where = 'type == "click"'
join = [{ table = "users", by = "/user", as = "/profile", missing = "skip" }]
to = "people"
[streams.countries]
from = "events"
where = 'profile.country != "US"'
join = [{ table = "users", as = "/profile" }]
window = { size = "5m", grace = "0s" }
to = "countries"
"#;

#[test]
fn a_join_names_a_table_and_where_its_rows_belong() {
    let config = read_text("join.toml", JOINS).unwrap();
    let [join] = &*config.topology.routes()[0].joins else {
        panic!("{:?}", config.topology)
    };
    assert_eq!(
        (&*join.table.topic, join.table.max_bytes),
        ("users.v1", 2 << 20)
    );
    assert_eq!(join.missing, Missing::Skip);
    assert_eq!(config.topology.streams()[0].joins[0].missing, Missing::Keep);
}

#[test]
fn a_condition_decides_before_the_join_unless_it_names_the_row() {
    let plan = read_text("join.toml", JOINS).unwrap().topology.describe();
    let route = "
route people
  from          events
  where         type == \"click\"
  join          users.v1 by /user as /profile, and only records that have a row
  to            people
";
    assert!(plan.contains(route), "{plan}");
    let stream = "
stream countries
  from          events
  join          users.v1 by the record's key as /profile
  where         profile.country != \"US\"
";
    assert!(plan.contains(stream), "{plan}");
}

#[test]
fn every_mistake_in_a_join_is_told() {
    for (name, from, to, expected) in [
        (
            "table.toml",
            "table = \"users\", by",
            "table = \"user\", by",
            "table.toml:10: routes.people.join[0].table: expected the name of a table: `users`, found `user`",
        ),
        (
            "by.toml",
            "\"/user\"",
            "\"user\"",
            "by.toml:10: routes.people.join[0].by: expected a JSON pointer such as `/user`, found `user`",
        ),
        (
            "as.toml",
            "users\", as = \"/profile\"",
            "users\", as = \"profile\"",
            "as.toml:15: streams.countries.join[0].as: expected a JSON pointer such as `/user`, found `profile`",
        ),
        (
            "missing.toml",
            "\"skip\"",
            "\"drop\"",
            "missing.toml:10: routes.people.join[0].missing: expected one of `keep`, `skip`, `dlq`, found `drop`",
        ),
        (
            "twice.toml",
            "[routes.people]",
            "[tables.people]\nfrom = \"users.v1\"\n[routes.people]",
            "twice.toml:8: tables.people.from: expected another topic than that of `tables.users`, found `users.v1`",
        ),
        (
            "none.toml",
            "[tables.users]\nfrom = \"users.v1\"\nmax_bytes = \"2MiB\"\n",
            "",
            "none.toml:12: streams.countries.join[0].table: expected the name of a `[tables.NAME]`, found `users`\n\
             none.toml:7: routes.people.join[0].table: expected the name of a `[tables.NAME]`, found `users`",
        ),
    ] {
        let text = JOINS.replace(from, to);
        assert_ne!(text, JOINS, "{name}");
        assert_eq!(refusal(name, &text), expected);
    }
}
