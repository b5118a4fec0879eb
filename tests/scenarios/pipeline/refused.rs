//! Records that Kafka refuses cost only themselves, whatever is made of them.

use super::batch::now;
use footfall_tests::{
    aggregation::Aggregation,
    client,
    kafka::{Kafka, NewRecord},
    record::Record,
    wait,
};
use std::{fmt::Write as _, time::Duration};

const MODES: [&str; 2] = ["exactly_once", "at_least_once"];
const MINUTE: i64 = 60_000;

/// A source and its neighbour, in one process with a delivery mode.
struct Scene {
    kafka: &'static Kafka,
    source: String,
    neighbour: String,
    mode: &'static str,
}

impl Scene {
    async fn new(mode: &'static str, settings: &[(&str, &str)]) -> Self {
        Self::on(Kafka::shared().await, mode, settings).await
    }

    async fn on(kafka: &'static Kafka, mode: &'static str, settings: &[(&str, &str)]) -> Self {
        let scene = Self {
            kafka,
            source: Kafka::unique("source"),
            neighbour: Kafka::unique("neighbour"),
            mode,
        };
        kafka.create_topic_with(&scene.source, 1, settings).await;
        kafka.create_topic(&scene.neighbour, 1).await;
        scene
    }

    /// Makes a topic of the source's name with this ending.
    async fn make(&self, ending: &str, settings: &[(&str, &str)]) {
        let topic = self.topic(ending);
        self.kafka.create_topic_with(&topic, 1, settings).await;
    }

    fn topic(&self, ending: &str) -> String {
        format!("{}.{ending}", self.source)
    }

    /// Starts these streams and routes, in whose text `SOURCE` stands for the source, and one that
    /// counts the neighbour.
    async fn start(&self, text: &str) -> Aggregation {
        self.start_in_group(text, &Kafka::unique("group")).await
    }

    async fn start_in_group(&self, text: &str, group: &str) -> Aggregation {
        let Self {
            source,
            neighbour,
            mode,
            ..
        } = self;
        let text = text.replace("SOURCE", source);
        let config = format!(
            "delivery = '{mode}'\ncommit_interval = '50ms'\n{text}\n\
             [streams.neighbour]\nfrom = '{neighbour}'\nto = '{neighbour}.out'\n\
             window = {{ size = '1h', grace = '1h' }}\n"
        );
        let brokers = self.kafka.secure.as_ref().unwrap_or(&self.kafka.brokers);
        let started = Aggregation::launch_at(brokers, &config, group);
        started.until_ready().await;
        started
    }

    async fn produce(&self, values: &[(&[u8], i64)]) {
        let records = values.iter().map(|(value, timestamp)| NewRecord {
            timestamp: *timestamp,
            key: Some(b"k"),
            value: Some(value),
            ..NewRecord::default()
        });
        let large = [("message.max.bytes", "10000000"), ("linger.ms", "50")];
        let producer = self.kafka.producer(&large);
        producer.produce_all(&self.source, records, None).await;
    }

    /// Waits until all of `records` are counted by windows of `topic`.
    async fn until_counted(&self, topic: &str, records: u64) {
        wait::until(&format!("a count of {records} in {topic}"), async || {
            let found = self.kafka.read(topic).await?;
            let counts = found.iter().map(|record| record.json()["count"].as_u64());
            let greatest = counts.max().flatten();
            (greatest == Some(records))
                .then_some(())
                .ok_or(format!("{greatest:?} in {found:?}"))
        })
        .await;
    }

    /// What comes to the neighbour is counted.
    async fn neighbour_goes_on(&self) {
        let record = NewRecord {
            timestamp: now(),
            key: Some(b"n"),
            ..NewRecord::default()
        };
        self.kafka.produce(&self.neighbour, &record).await;
        let topic = format!("{}.out", self.neighbour);
        self.kafka.records(&topic, 1).await;
    }

    async fn dead_letter(&self, code: &str) -> Record {
        let topic = self.topic("dlq");
        let letters = self.kafka.records(&topic, 1).await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        let letter = letters.into_iter().next().unwrap();
        assert_eq!(letter.header("footfall-error-code"), Some(code));
        assert_eq!(letter.header("footfall-source-topic"), Some(&*self.source));
        letter
    }
}

/// A JSON object with text that cannot be compressed.
fn large(bytes: usize) -> String {
    let mut text = String::from(r#"{"v":""#);
    while text.len() < bytes {
        let _infallible = write!(text, "{}", uuid::Uuid::new_v4().simple());
    }
    text + r#""}"#
}

#[tokio::test]
async fn an_event_time_that_the_results_topic_refuses_is_a_dead_letter_and_moves_no_time() {
    for mode in MODES {
        let scene = Scene::new(mode, &[]).await;
        let narrow = [("message.timestamp.after.max.ms", "60000")];
        scene.make("out", &narrow).await;
        let aggregation = scene
            .start(
                "[streams.s]\nfrom = 'SOURCE'\ntime = '/at'\nto = 'SOURCE.out'\n\
                 window = { size = '1h', grace = '1m' }\n",
            )
            .await;
        let hour = now() / (60 * MINUTE) * (60 * MINUTE);
        let times = [
            hour - MINUTE,
            hour - MINUTE + 1,
            now() + 30 * MINUTE,
            hour - MINUTE + 2,
        ];
        let values = times.map(|at| format!(r#"{{"at":{at}}}"#));
        let records: Vec<_> = values
            .iter()
            .map(|value| (value.as_bytes(), now()))
            .collect();
        scene.produce(&records).await;
        let letter = scene.dead_letter("refused_timestamp").await;
        assert_eq!(letter.value_text(), values[2]);
        let reason = letter.header("footfall-error").unwrap();
        assert!(reason.contains(&scene.topic("out")), "{reason}");
        scene.until_counted(&scene.topic("out"), 3).await;
        assert_eq!(scene.kafka.read(&scene.topic("out.late")).await, Ok(vec![]));
        scene.neighbour_goes_on().await;
        aggregation.until_ready().await;
        let ready = aggregation.get("/readyz").await.unwrap();
        assert_eq!(ready["ready"], true, "{ready}");
    }
}

#[tokio::test]
async fn a_record_that_is_too_large_for_where_it_is_routed_to_is_a_dead_letter() {
    for mode in MODES {
        let scene = Scene::new(mode, &[]).await;
        scene
            .make("routed", &[("max.message.bytes", "10000")])
            .await;
        let _aggregation = scene
            .start(
                "[streams.s]\nfrom = 'SOURCE'\nto = 'SOURCE.out'\n\
                 window = { size = '1h', grace = '1h' }\n\
                 [routes.r]\nfrom = 'SOURCE'\nto = 'SOURCE.routed'\n",
            )
            .await;
        // More than the topic takes of a batch, and only one that it takes in none.
        let mut values: Vec<_> = (0..8).map(|_| large(3_000)).collect();
        values.insert(5, large(20_000));
        let hour = now() / (60 * MINUTE) * (60 * MINUTE);
        let records: Vec<_> = values
            .iter()
            .map(|value| (value.as_bytes(), hour))
            .collect();
        scene.produce(&records).await;
        let letter = scene.dead_letter("refused_too_large").await;
        assert_eq!(letter.value_text(), values[5]);
        assert_eq!(letter.header("footfall-source-offset"), Some("5"));
        let reason = letter.header("footfall-error").unwrap();
        assert!(
            reason.ends_with("whose `max.message.bytes` is 10000"),
            "{reason}"
        );
        let routed = scene.kafka.records(&scene.topic("routed"), 8).await;
        let mut found: Vec<_> = routed
            .iter()
            .map(|record| record.value_text().to_owned())
            .collect();
        let mut expected = values.clone();
        expected.remove(5);
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{mode}");
        scene.until_counted(&scene.topic("out"), 9).await;
        scene.neighbour_goes_on().await;
    }
}

#[tokio::test]
async fn the_record_that_makes_a_result_too_large_is_a_dead_letter_and_the_others_count() {
    for mode in MODES {
        let scene = Scene::new(mode, &[]).await;
        scene.make("out", &[("max.message.bytes", "10000")]).await;
        let _aggregation = scene
            .start(
                "[streams.s]\nfrom = 'SOURCE'\nto = 'SOURCE.out'\n\
                 window = { size = '1h', grace = '1h' }\n\
                 aggregate = { count = 'count()', v = 'last(/v)' }\n",
            )
            .await;
        let mut values: Vec<_> = (0..9).map(|_| large(100)).collect();
        values[8] = large(20_000);
        let hour = now() / (60 * MINUTE) * (60 * MINUTE);
        let records: Vec<_> = values
            .iter()
            .map(|value| (value.as_bytes(), hour))
            .collect();
        scene.produce(&records).await;
        let letter = scene.dead_letter("refused_too_large").await;
        assert_eq!(letter.value_text(), values[8]);
        scene.until_counted(&scene.topic("out"), 8).await;
        scene.neighbour_goes_on().await;
    }
}

#[tokio::test]
async fn a_dead_letter_that_does_not_fit_is_written_without_its_value() {
    for mode in MODES {
        let scene = Scene::new(mode, &[]).await;
        scene.make("dlq", &[("max.message.bytes", "500000")]).await;
        let _aggregation = scene
            .start(
                "[streams.s]\nfrom = 'SOURCE'\nkey = '/k'\nto = 'SOURCE.out'\n\
                 window = { size = '1h', grace = '1h' }\n",
            )
            .await;
        let hour = now() / (60 * MINUTE) * (60 * MINUTE);
        let broken = &large(1_000_100)[..1_000_000];
        let records = [(broken.as_bytes(), hour), (br#"{"k":"a"}"#, hour)];
        scene.produce(&records).await;
        let letter = scene.dead_letter("undecodable").await;
        assert_eq!(letter.value, None);
        assert_eq!(letter.header("footfall-value-bytes"), Some("1000000"));
        assert_eq!(letter.header("footfall-value-sha256").unwrap().len(), 64);
        scene.until_counted(&scene.topic("out"), 1).await;
        scene.neighbour_goes_on().await;
    }
}

#[tokio::test]
async fn a_record_of_two_megabytes_that_its_topic_takes_is_counted_by_a_key_in_it() {
    let scene = Scene::new("exactly_once", &[("max.message.bytes", "10485760")]).await;
    let _aggregation = scene
        .start(
            "[streams.s]\nfrom = 'SOURCE'\nkey = '/k'\nto = 'SOURCE.out'\n\
             window = { size = '1h', grace = '1h' }\n",
        )
        .await;
    let hour = now() / (60 * MINUTE) * (60 * MINUTE);
    let value = large(2_000_000).replacen('{', r#"{"k":"a","#, 1);
    let broken = &large(2_000_000)[..2_000_000];
    scene
        .produce(&[(value.as_bytes(), hour), (broken.as_bytes(), hour)])
        .await;
    scene.until_counted(&scene.topic("out"), 1).await;
    let letter = scene.dead_letter("undecodable").await;
    assert_eq!(letter.value_text(), broken);
}

/// How the process reaches the broker as a user whose rights can be taken away.
fn as_user(kafka: &Kafka) -> String {
    format!(
        "[kafka.properties]\n'security.protocol' = 'SASL_SSL'\n\
         'ssl.ca.location' = '{}'\n'sasl.mechanisms' = 'SCRAM-SHA-512'\n\
         'sasl.username' = 'footfall'\n'sasl.password' = 'secret'\n",
        kafka.certificate().display()
    )
}

#[tokio::test]
async fn a_topic_that_may_not_be_written_holds_what_depends_on_it_and_nothing_else() {
    let kafka: &'static Kafka = Box::leak(Box::new(Kafka::start_secure().await));
    for mode in MODES {
        let scene = Scene::on(kafka, mode, &[]).await;
        scene.make("routed", &[]).await;
        let routed = scene.topic("routed");
        let route = "[routes.r]\nfrom = 'SOURCE'\nto = 'SOURCE.routed'\n";
        let aggregation = scene.start(&(as_user(kafka) + route)).await;
        let hour = now() / (60 * MINUTE) * (60 * MINUTE);
        scene.produce(&[(b"1", hour)]).await;
        kafka.records(&routed, 1).await;
        kafka.java("Writes.java", &["forbid", &routed]).await;
        scene.produce(&[(b"2", hour)]).await;
        let reason = aggregation.until_held_up("may not write to it").await;
        assert!(reason.contains(&routed), "{mode}: {reason}");
        scene.neighbour_goes_on().await;
        // It is tried again meanwhile, which is no news.
        for _ in 0..40 {
            let answer = client::get(&format!("{}/readyz", aggregation.url))
                .await
                .unwrap();
            assert_eq!(answer.json()["reason"], reason, "{mode}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(
            aggregation
                .program
                .stderr()
                .matches("may not write")
                .count(),
            1
        );
        kafka.java("Writes.java", &["allow", &routed]).await;
        kafka.records(&routed, 2).await;
        client::until_answers(&format!("{}/readyz", aggregation.url), r#""ready":true"#).await;
    }
}

#[tokio::test]
async fn a_topic_that_is_gone_holds_what_depends_on_it_until_it_is_back() {
    for mode in MODES {
        let scene = Scene::new(mode, &[]).await;
        for ending in ["routed", "dlq"] {
            scene.make(ending, &[]).await;
        }
        let neighbour = format!("{}.out", scene.neighbour);
        for topic in [
            &neighbour,
            &format!("{neighbour}.late"),
            &format!("{}.dlq", scene.neighbour),
        ] {
            scene.kafka.create_topic(topic, 1).await;
        }
        let compact = [("cleanup.policy", "compact")];
        let group = Kafka::unique("group");
        let changelog = format!("{group}-neighbour-changelog");
        scene.kafka.create_topic_with(&changelog, 1, &compact).await;
        let text = "[topics]\ncreate = false\n[routes.r]\nfrom = 'SOURCE'\nto = 'SOURCE.routed'\n";
        let aggregation = scene.start_in_group(text, &group).await;
        let hour = now() / (60 * MINUTE) * (60 * MINUTE);
        scene.produce(&[(b"1", hour)]).await;
        scene.kafka.records(&scene.topic("routed"), 1).await;
        scene.kafka.delete_topic(&scene.topic("routed")).await;
        scene.produce(&[(b"2", hour)]).await;
        let reason = aggregation.until_held_up(&scene.topic("routed")).await;
        assert!(
            reason.contains("missing") || reason.contains("does not exist"),
            "{reason}"
        );
        scene.neighbour_goes_on().await;
        scene.make("routed", &[]).await;
        scene.kafka.records(&scene.topic("routed"), 1).await;
        client::until_answers(&format!("{}/readyz", aggregation.url), r#""ready":true"#).await;
    }
}

#[tokio::test]
async fn a_thousand_long_values_are_counted_by_top_and_survive_a_restart() {
    let scene = Scene::new("exactly_once", &[]).await;
    let mut aggregation = scene
        .start(
            "[streams.s]\nfrom = 'SOURCE'\nto = 'SOURCE.out'\n\
             window = { size = '1h', grace = '1h' }\n\
             aggregate = { count = 'count()', pages = 'top(/v, 10)' }\n",
        )
        .await;
    let hour = now() / (60 * MINUTE) * (60 * MINUTE);
    let values: Vec<_> = (0..1_000).map(|_| large(2_000)).collect();
    let records: Vec<_> = values
        .iter()
        .map(|value| (value.as_bytes(), hour))
        .collect();
    scene.produce(&records).await;
    scene.until_counted(&scene.topic("out"), 1_000).await;
    scene.neighbour_goes_on().await;
    aggregation
        .program
        .signal(nix::sys::signal::Signal::SIGKILL);
    aggregation.program.exit().await;
    aggregation.start_again().await;
    scene.produce(&records[..1]).await;
    scene.until_counted(&scene.topic("out"), 1_001).await;
    let newest = scene.kafka.read(&scene.topic("out")).await.unwrap();
    let pages = newest.last().unwrap().json()["pages"].clone();
    assert_eq!(pages.as_array().unwrap().len(), 10, "{pages}");
}
