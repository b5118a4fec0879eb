//! Wrong configurations: exit code 2, and a message that says where, what was expected and found.

use footfall_tests::program::{self, Program};
use std::{fs, process::Command};
use tempfile::TempDir;

/// Runs a program with this file and `--check`, and returns its exit code and what it said, the
/// file's folder left out.
async fn check(program: &str, config: &str) -> (Option<i32>, String) {
    check_with(program, config, &[]).await
}

/// The same with environment variables.
async fn check_with(name: &str, config: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("footfall.toml");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program::path(name));
    command.arg("--check").arg("--config").arg(&file);
    command.envs(variables.iter().copied());
    let mut program = Program::start_command(name, command);
    let code = program.exit().await.code();
    let said = program
        .stderr()
        .replace(&format!("{}/", folder.path().display()), "");
    (code, said)
}

/// Asserts that a wrong configuration is refused, and that the message has each of `parts`.
async fn refuses(program: &str, config: &str, parts: &[&str]) {
    let (code, said) = check(program, config).await;
    assert_eq!(code, Some(2), "{said}");
    for part in parts {
        assert!(said.contains(part), "`{part}` is missing in: {said}");
    }
}

const KAFKA: &str = "kafka.brokers = 'localhost:9092'\n";

fn stream(window: &str) -> String {
    format!(
        "group = 'g'\n{KAFKA}[streams.views]\nfrom = 'views'\nto = 'counts'\nwindow = {window}\n"
    )
}

#[tokio::test]
async fn the_gateway_refuses_an_unknown_key() {
    let config = format!("{KAFKA}[limits]\nbdoy = '1MiB'\n");
    refuses(
        "footfall-gateway",
        &config,
        &["footfall.toml:3: limits.bdoy: expected a known key", "body"],
    )
    .await;
}

#[tokio::test]
async fn the_gateway_refuses_a_bad_duration() {
    let config = format!("{KAFKA}[drain]\ntimeout = '5 seconds'\n");
    refuses(
        "footfall-gateway",
        &config,
        &[
            "footfall.toml:3: drain.timeout: expected a duration such as `200ms`",
            "found `5 seconds`",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_gateway_refuses_a_topic_name_that_kafka_refuses() {
    let config = format!("{KAFKA}kafka.topic = 'web events'\n");
    refuses(
        "footfall-gateway",
        &config,
        &[
            "footfall.toml:2: kafka.topic: expected a topic name",
            "`web events`",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_gateway_refuses_a_burst_that_is_less_than_a_whole_batch() {
    let config = format!("{KAFKA}[[sites]]\nwrite_key = 'shop'\nrate = 10\nburst = 499\n");
    refuses(
        "footfall-gateway",
        &config,
        &["footfall.toml:5: sites[0].burst: expected", "500", "499"],
    )
    .await;
}

#[tokio::test]
async fn the_gateway_does_not_start_without_brokers() {
    refuses(
        "footfall-gateway",
        "",
        &["footfall.toml: kafka.brokers: expected `host:port[,host:port]`, found nothing"],
    )
    .await;
}

/// A right configuration of each program, with a line before it.
fn both(line: &str) -> [(&'static str, String); 2] {
    let stream = stream("{ size = '5m', advance = '1m', grace = '1m' }");
    [
        ("footfall-gateway", format!("{line}\n{KAFKA}")),
        ("footfall-aggregation", format!("{line}\n{stream}")),
    ]
}

#[tokio::test]
async fn an_address_that_nobody_could_listen_on_is_refused() {
    for (line, wrong) in [
        ("listen = '*:8080'", "listen: expected `host:port`"),
        ("listen = ':8080'", "listen: expected `host:port`"),
        ("listen = '127.0.0.1:+80'", "listen: expected `host:port`"),
        ("listen = '127.0.0.1:65536'", "listen: expected `host:port`"),
        // Of no machine: for documentation only.
        (
            "listen = '192.0.2.1:8080'",
            "listen: expected an address of this machine",
        ),
        (
            "admin = 'no-such-host.invalid:9080'",
            "admin: expected an address of this machine",
        ),
        (
            "listen = '0.0.0.0:4711'\nadmin = '127.0.0.1:4711'",
            "admin: expected another address than that of `listen`, 0.0.0.0:4711",
        ),
    ] {
        for (program, config) in both(line) {
            let place = format!("footfall.toml:{}: {wrong}", line.lines().count());
            refuses(program, &config, &[&place]).await;
        }
    }
}

#[tokio::test]
async fn a_kafka_property_that_does_not_exist_or_cannot_be_is_refused_by_every_program_alike() {
    for (table, property, found) in [
        (
            "properties",
            "'no.such' = 1",
            "`1` (No such configuration property",
        ),
        (
            "consumer",
            "'fetch.min.byte' = 1",
            "`1` (No such configuration property",
        ),
        ("producer", "'compression.type' = 'zzz'", "`zzz` ("),
        ("properties", "'socket.timeout.ms' = 'soon'", "`soon` ("),
        (
            "properties",
            "'ssl.ca.location' = '/no/such.pem'\n'security.protocol' = 'ssl'",
            "/no/such.pem",
        ),
    ] {
        for (program, config) in both("") {
            let line = config.lines().count() + 2;
            let config = format!("{config}[kafka.{table}]\n{property}\n");
            let name = property.split('\'').nth(1).unwrap();
            let place = format!("footfall.toml:{line}: kafka.{table}.{name}: expected");
            refuses(program, &config, &[&place, found]).await;
        }
    }
}

#[tokio::test]
async fn a_kafka_property_that_undoes_a_promise_is_refused_with_what_to_use_instead() {
    let [(gateway, _), (aggregation, _)] = both("");
    for (program, table, property, instead) in [
        (
            gateway,
            "properties",
            "'metadata.broker.list' = 'a:1'",
            "`kafka.brokers`",
        ),
        (
            gateway,
            "producer",
            "'request.required.acks' = 0",
            "`1`, `all`",
        ),
        (
            gateway,
            "producer",
            "'enable.idempotence' = true",
            "`false`",
        ),
        (
            gateway,
            "producer",
            "'transactional.id' = 'x'",
            "no transactions",
        ),
        (
            gateway,
            "producer",
            "'partitioner' = 'random'",
            "`murmur2_random`",
        ),
        (gateway, "producer", "'max.in.flight' = 5", "`1`"),
        (
            aggregation,
            "properties",
            "'bootstrap.servers' = 'a:1'",
            "`kafka.brokers`",
        ),
        (aggregation, "consumer", "'group.id' = 'x'", "`group`"),
        (
            aggregation,
            "consumer",
            "'enable.auto.commit' = true",
            "`commit_interval`",
        ),
        (
            aggregation,
            "properties",
            "'enable.auto.offset.store' = true",
            "`commit_interval`",
        ),
        (
            aggregation,
            "consumer",
            "'isolation.level' = 'read_uncommitted'",
            "`read_committed`",
        ),
        (
            aggregation,
            "consumer",
            "'auto.offset.reset' = 'latest'",
            "`start`",
        ),
        (
            aggregation,
            "producer",
            "'enable.idempotence' = false",
            "`true`",
        ),
        (
            aggregation,
            "producer",
            "'transactional.id' = 'x'",
            "`group`",
        ),
        (aggregation, "producer", "'acks' = 1", "`all`"),
        (
            aggregation,
            "producer",
            "'partitioner' = 'random'",
            "`murmur2_random`",
        ),
        (
            aggregation,
            "consumer",
            "'linger.ms' = 1",
            "`kafka.producer`",
        ),
    ] {
        let config = both("").into_iter().find(|(name, _)| *name == program);
        let config = format!("{}[kafka.{table}]\n{property}\n", config.unwrap().1);
        let line = config.lines().count();
        let name = property.split('\'').nth(1).unwrap();
        let place = format!("footfall.toml:{line}: kafka.{table}.{name}: expected");
        refuses(program, &config, &[&place, instead]).await;
    }
}

#[tokio::test]
async fn properties_that_clients_can_be_made_with_pass_the_check_in_every_table() {
    let properties = "[kafka.properties]\n'security.protocol' = 'ssl'\n'linger.ms' = 7\n'fetch.wait.max.ms' = 20\n\
        [kafka.consumer]\n'fetch.wait.max.ms' = 50\n[kafka.producer]\n'compression.type' = 'zstd'\n'acks' = 'all'\n";
    for (program, config) in both("") {
        let (code, said) = check(program, &format!("{config}{properties}")).await;
        assert_eq!(code, Some(0), "{said}");
    }
}

#[tokio::test]
async fn a_folder_for_state_that_cannot_be_written_is_refused() {
    let [_, (program, config)] = both("state_dir = '/proc/nowhere'");
    let wrong = "footfall.toml:1: state_dir: expected a folder that can be written";
    refuses(program, &config, &[wrong]).await;
}

#[tokio::test]
async fn a_variable_that_no_key_has_is_warned_of_whether_the_rest_is_right_or_not() {
    for (program, config) in both("") {
        let typo = [("FOOTFALL_KAFKA_BROKER", "a:1")];
        let warning = format!(
            "{program}: warning: environment variable FOOTFALL_KAFKA_BROKER is not one that {program} knows"
        );
        let (code, said) = check_with(program, &config, &typo).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&warning), "{said}");
        let (code, said) = check_with(program, "", &typo).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(&warning), "{said}");
    }
}

#[tokio::test]
async fn the_aggregation_refuses_an_advance_longer_than_its_window() {
    let config = stream("{ size = '5m', advance = '6m', grace = '1m' }");
    refuses(
        "footfall-aggregation",
        &config,
        &[
            "footfall.toml:6: streams.views.window.advance: expected",
            "6m",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_aggregation_refuses_a_window_without_grace() {
    let config = stream("{ size = '5m' }");
    refuses(
        "footfall-aggregation",
        &config,
        &[
            "footfall.toml:3: streams.views.window.grace",
            "found nothing",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_aggregation_refuses_a_predicate_that_is_no_cel() {
    let config = format!(
        "{}where = 'type =='\n",
        stream("{ size = '5m', grace = '1m' }")
    );
    refuses(
        "footfall-aggregation",
        &config,
        &["footfall.toml:7: streams.views.where: expected"],
    )
    .await;
}

#[tokio::test]
async fn the_aggregation_refuses_expressions_that_say_nothing() {
    let deep = format!("{}a == 1{}", "(".repeat(300), ")".repeat(300));
    for (expression, expected) in [
        (
            "page.url.startWith(\"/shop\")",
            "did you mean `startsWith`?",
        ),
        ("page.url.startsWith()", "another number of arguments"),
        ("page.url.matches(\"[\")", "expected a regular expression"),
        ("event-type == \"a\"", "written in backticks"),
        (&deep, "at most 64 brackets within each other"),
    ] {
        let stream = stream("{ size = '5m', grace = '1m' }");
        let config = format!("{stream}where = '''{expression}'''\n");
        let key = "footfall.toml:7: streams.views.where: expected a CEL expression";
        refuses("footfall-aggregation", &config, &[key, expected]).await;
        let config = format!(
            "{KAFKA}[routes.r]\nfrom = ['x']\nto = 'y'\nset = {{ '/a' = '''{expression}''' }}\n"
        );
        let key = "footfall.toml:5: routes.r.set./a: expected a CEL expression";
        refuses("footfall-aggregation", &config, &[key, expected]).await;
    }
}

#[tokio::test]
async fn the_aggregation_refuses_topics_that_lead_back_to_themselves() {
    let stream = stream("{ size = '5m', grace = '1m' }");
    for key in ["dlq", "late"] {
        let config = format!("{stream}{key} = 'views'\n");
        let line = format!(
            "footfall.toml:7: streams.views.{key}: expected a topic that does not lead back to `views`"
        );
        refuses(
            "footfall-aggregation",
            &config,
            &[&line, "`circular_topics`"],
        )
        .await;
    }
    let config = format!("{stream}[routes.back]\nfrom = ['counts.late']\nto = 'views'\n");
    let circle = "found `views` (counts.late > views > counts.late)";
    let line = "footfall.toml:9: routes.back.to: ";
    refuses("footfall-aggregation", &config, &[line, circle]).await;
    let meant = format!("circular_topics = ['views']\n{config}");
    let (code, said) = check("footfall-aggregation", &meant).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn the_aggregation_refuses_a_topic_name_that_kafka_refuses() {
    let config = format!("{}late = 'a/b'\n", stream("{ size = '5m', grace = '1m' }"));
    refuses(
        "footfall-aggregation",
        &config,
        &["footfall.toml:7: streams.views.late: expected a topic name"],
    )
    .await;
}

#[tokio::test]
async fn a_right_configuration_passes_the_check() {
    let (code, said) = check("footfall-gateway", KAFKA).await;
    assert_eq!(code, Some(0), "{said}");
    let config = stream("{ size = '5m', advance = '1m', grace = '1m' }");
    let (code, said) = check("footfall-aggregation", &config).await;
    assert_eq!(code, Some(0), "{said}");
}
