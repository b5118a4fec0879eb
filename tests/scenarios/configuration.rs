//! Wrong configurations: exit code 2, and a message that says where, what was expected and found.

use footfall_tests::program::Program;
use std::fs;
use tempfile::TempDir;

/// Runs a program with this file and `--check`, and returns its exit code and what it said, the
/// file's folder left out.
async fn check(program: &str, config: &str) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("footfall.toml");
    fs::write(&file, config).unwrap();
    let mut program = Program::start(
        program,
        ["--check", "--config", &file.display().to_string()],
    );
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
        &["kafka.brokers: expected `host:port[,host:port]`, found nothing"],
    )
    .await;
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
