use super::{PROGRAM, read_file, read_text};
use footfall_service::config::{Default, Form, Key};
use std::{fs, path::PathBuf};

fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("aggregation.toml")
}

#[test]
fn the_sample_is_right() {
    let config = read_file(&sample()).unwrap();
    let stream = &config.topology.streams()[0];
    assert_eq!((&*stream.name, stream.rekeyed), ("top-pages", true));
}

#[test]
fn the_sample_shows_every_key_with_its_default() {
    let text = fs::read_to_string(sample()).unwrap();
    let shows = |key: &Key| {
        let name = key.path.rsplit('.').next().unwrap();
        let lines = text.lines().map(|line| line.trim_start_matches("# "));
        let mut shown = lines.filter(|line| line.starts_with(&format!("{name} = ")));
        let value = shown.next().map(|line| {
            line.split_once(" = ")
                .unwrap()
                .1
                .trim_matches('"')
                .to_owned()
        });
        match (value, key.default) {
            (Some(value), Default::Value(default)) => value == default,
            (Some(_), _) => true,
            (None, _) => {
                text.contains(&format!("[{}", key.path)) || text.contains(&format!("{name} = "))
            }
        }
    };
    for key in PROGRAM.keys() {
        assert!(shows(key), "{}", key.path);
        if let Form::Named(keys) = key.form {
            for key in keys {
                assert!(shows(key), "streams.NAME.{}", key.path);
            }
        }
    }
}

#[test]
fn the_properties_that_the_sample_shows_make_working_clients() {
    let text = fs::read_to_string(sample()).unwrap();
    let shown = ["security.protocol", "fetch.wait.max.ms", "compression.type"];
    let text = shown.iter().fold(text, |text, name| {
        let (hidden, used) = (format!("# \"{name}\""), format!("\"{name}\""));
        assert!(text.contains(&hidden), "{name}");
        text.replace(&hidden, &used)
    });
    let config = read_text("sample.toml", &text).unwrap();
    let kafka = &config.runtime.kafka;
    assert_eq!(kafka.producer["compression.type"], "zstd");
    assert_eq!(kafka.properties["security.protocol"], "ssl");
}
