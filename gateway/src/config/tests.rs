use super::*;
use footfall_service::config::{Default as KeyDefault, Document, Form, Inputs, load};
use serde_json::Value;

const SAMPLE: &str = include_str!("../../gateway.toml");

fn document(file: &str, arguments: &[&str]) -> Result<Document, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, file).unwrap();
    let mut all = vec![
        "footfall-gateway".into(),
        "--config".into(),
        path.clone().into(),
    ];
    all.extend(arguments.iter().map(Into::into));
    let inputs = Inputs {
        arguments: all,
        environment: Vec::new(),
    };
    let loaded = load(&PROGRAM, inputs).map_err(|problems| problems.to_string());
    loaded
        .map(|loaded| loaded.document)
        .map_err(|problems| problems.replace(&path.display().to_string(), "gateway.toml"))
}

fn config(file: &str) -> Result<Config, String> {
    let document = document(file, &["--check"])?;
    Config::read(&document).map_err(|problems| {
        let text = problems.to_string();
        let start = text.find("gateway.toml").unwrap_or_default();
        text[start..].to_owned()
    })
}

/// The sample with every key that is commented out put to use.
fn uncommented() -> String {
    let lines = SAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => key,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The same without the files that it names, which are not on this machine.
fn without_files(file: &str) -> String {
    let named = ["certificate =", "key = \"/", "dir = \"sdk"];
    let lines = file.lines();
    let kept = lines.filter(|line| !named.iter().any(|named| line.starts_with(named)));
    kept.collect::<Vec<_>>().join("\n")
}

fn value_at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}

#[test]
fn the_sample_is_right_as_it_is_and_with_every_key_in_use() {
    assert!(config(SAMPLE).unwrap().sites.is_empty());
    let all = config(&without_files(&uncommented())).unwrap();
    assert!(!all.sites.is_empty() && all.admin.is_some());
}

#[test]
fn the_sample_names_every_key_with_its_default() {
    let sample: Value = document(&uncommented(), &[]).unwrap().read().unwrap();
    let defaults: Value = document("kafka.brokers = 'b:1'", &[])
        .unwrap()
        .read()
        .unwrap();
    for key in PROGRAM.keys() {
        let shown = value_at(&sample, key.path);
        assert!(shown.is_some(), "{} is not in the sample", key.path);
        if let KeyDefault::Value(_) = key.default {
            assert_eq!(shown, value_at(&defaults, key.path), "{}", key.path);
        }
        if let Form::Tables(keys) = key.form {
            for inner in keys {
                assert!(
                    shown.unwrap()[0].get(inner.path).is_some(),
                    "{}",
                    inner.path
                );
            }
        }
    }
}

#[test]
fn a_network_an_origin_and_a_write_key_that_are_none_are_named_with_their_place() {
    let file = "kafka.brokers = 'b:1'\ntrusted_proxies = ['10.0.0.0/33']\n";
    assert_eq!(
        config(file).unwrap_err(),
        "gateway.toml:2: trusted_proxies: expected addresses or networks such as `10.0.0.0/8`, found `10.0.0.0/33`"
    );
    let site = |rest: &str| format!("kafka.brokers = 'b:1'\n[[sites]]\n{rest}\n");
    assert_eq!(
        config(&site("write_key = 'a b'")).unwrap_err(),
        "gateway.toml:3: sites[0].write_key: expected 1 to 64 of `A-Z a-z 0-9 - _`, found `a b`"
    );
    for origin in ["shop.example", "https://shop.example/", "https://"] {
        let file = site(&format!("write_key = 'a'\norigins = ['{origin}']"));
        assert_eq!(
            config(&file).unwrap_err(),
            format!(
                "gateway.toml:4: sites[0].origins: expected origins such as `https://shop.example`, `null` or `*`, found `{origin}`"
            )
        );
    }
}

#[test]
fn two_sites_with_one_write_key_are_refused() {
    let file = "kafka.brokers = 'b:1'\n[[sites]]\nwrite_key = 'a'\n[[sites]]\nwrite_key = 'a'\n";
    assert_eq!(
        config(file).unwrap_err(),
        "gateway.toml:5: sites[1].write_key: expected a write key that no other site has, found `a`"
    );
}

#[test]
fn a_kafka_property_that_librdkafka_does_not_know_is_named() {
    let file = "kafka.brokers = 'b:1'\n[kafka.producer]\n'linger.mss' = 5\n";
    assert_eq!(
        config(file).unwrap_err(),
        "gateway.toml:3: kafka.producer.linger.mss: expected a property that librdkafka takes, found `5` (No such configuration property: \"linger.mss\")"
    );
}

#[test]
fn connections_are_kept_for_longer_than_load_balancers_keep_theirs_by_default() {
    let limits = config("kafka.brokers = 'b:1'").unwrap().limits;
    // Of those in use, AWS's keeps them longest that nobody has to be told of: 60 s.
    assert!(limits.idle_timeout > Duration::from_secs(60));
}
