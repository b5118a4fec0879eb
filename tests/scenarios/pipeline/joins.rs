//! Records with rows of a table in them.

use footfall_tests::{
    aggregation::Aggregation,
    client,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;

const BEGIN: i64 = 1_764_000_000_000;

fn record<'a>(key: &'a str, value: Option<&'a str>) -> NewRecord<'a> {
    NewRecord {
        timestamp: BEGIN,
        key: Some(key.as_bytes()),
        value: value.map(str::as_bytes),
        ..NewRecord::default()
    }
}

/// Waits until the table is known to be so large.
async fn until_table(aggregation: &Aggregation, table: &str, rows: usize, bytes: usize) {
    let url = format!("{}/metrics", aggregation.url);
    let lines = [
        format!("footfall_table_rows{{topic=\"{table}\"}} {rows}\n"),
        format!("footfall_table_bytes{{topic=\"{table}\"}} {bytes}\n"),
    ];
    wait::until(&format!("{rows} rows of {bytes} bytes"), async || {
        let answer = client::get(&url).await?;
        let is_so = lines.iter().all(|line| answer.body.contains(line));
        is_so.then_some(()).ok_or(answer.body)
    })
    .await;
}

struct Scene {
    kafka: &'static Kafka,
    events: String,
    users: String,
}

impl Scene {
    async fn new() -> Self {
        let scene = Self {
            kafka: Kafka::shared().await,
            events: Kafka::unique("events"),
            users: Kafka::unique("users"),
        };
        scene.kafka.create_topic(&scene.events, 2).await;
        let policy = [("cleanup.policy", "compact")];
        let users = &scene.users;
        scene.kafka.create_topic_with(users, 3, &policy).await;
        scene
    }

    async fn users(&self, rows: &[(&str, Option<&str>)]) {
        let rows = rows.iter().map(|(key, value)| record(key, *value));
        self.kafka.produce_all(&self.users, rows).await;
    }

    /// One event of each of these users.
    async fn events(&self, users: &[&str]) {
        for user in users {
            let value = format!(r#"{{"user":"{user}","n":1.50}}"#);
            self.kafka
                .produce(&self.events, &record("k", Some(&value)))
                .await;
        }
    }

    /// The values of a topic, of which there are so many.
    async fn values(&self, topic: &str, count: usize) -> Vec<String> {
        let topic = format!("{}.{topic}", self.events);
        let records = self.kafka.records(&topic, count).await;
        let values = records.iter().map(|record| record.value_text().to_owned());
        values.collect()
    }

    /// The counts of countries, which sum up to so many.
    async fn countries(&self, sum: u64) -> Vec<(String, u64)> {
        let topic = format!("{}.countries", self.events);
        wait::until(&format!("{sum} events by country"), async || {
            let mut newest = std::collections::BTreeMap::new();
            for record in self.kafka.read(&topic).await? {
                let result = record.json();
                let key = result["key"].as_str().unwrap().to_owned();
                let count = result["count"].as_u64().unwrap();
                assert!(count > newest.insert(key, count).unwrap_or(0), "{result}");
            }
            let found: u64 = newest.values().sum();
            let is_all = found == sum;
            is_all
                .then(|| newest.into_iter().collect())
                .ok_or(format!("{found} are there"))
        })
        .await
    }

    fn launch(&self, config: &str) -> Aggregation {
        Aggregation::launch(self.kafka, config, &Kafka::unique("aggregation"))
    }

    fn config(&self, max_bytes: &str) -> String {
        let Self { events, users, .. } = self;
        let join = "table = 'users', by = '/user', as = '/profile'";
        format!(
            "[tables.users]\nfrom = '{users}'\nmax_bytes = '{max_bytes}'\n\
             [routes.people]\nfrom = ['{events}']\njoin = [{{ {join} }}]\nto = '{events}.people'\n\
             [streams.countries]\nfrom = '{events}'\njoin = [{{ {join}, missing = 'dlq' }}]\n\
             key = '/profile/country'\nto = '{events}.countries'\n\
             window = {{ size = '5m', grace = '1m' }}\n"
        )
    }
}

fn counts(of: &[(&str, u64)]) -> Vec<(String, u64)> {
    let counts = of.iter().map(|(key, count)| ((*key).to_owned(), *count));
    counts.collect()
}

#[tokio::test]
async fn records_get_the_newest_rows_before_and_after_a_kill() {
    let scene = Scene::new().await;
    let korea = r#"{"country":"KR"}"#;
    scene
        .users(&[("u1", Some(korea)), ("u2", Some(r#"{"country":"US"}"#))])
        .await;
    scene.events(&["u1", "u2", "u3"]).await;
    let mut aggregation = Aggregation::start(scene.kafka, &scene.config("1MiB")).await;
    // All of the table was there before the first event.
    let mut expected = vec![
        r#"{"user":"u1","n":1.50,"profile":{"country":"KR"}}"#,
        r#"{"user":"u2","n":1.50,"profile":{"country":"US"}}"#,
        r#"{"user":"u3","n":1.50}"#,
    ];
    assert_eq!(scene.values("people", 3).await, expected);
    assert_eq!(scene.countries(2).await, counts(&[("KR", 1), ("US", 1)]));
    let dead = format!("{}.dlq", scene.events);
    let rowless = &scene.kafka.records(&dead, 1).await[0];
    assert_eq!(rowless.value_text(), r#"{"user":"u3","n":1.50}"#);
    assert_eq!(rowless.header("footfall-error-code"), Some("no_row"));
    let topology = aggregation.get("/v1/topology").await.unwrap();
    let partitions = topology["streams"][0]["partitions"].as_array().unwrap();
    let dead = partitions
        .iter()
        .map(|row| row["dead_letters"].as_u64().unwrap());
    assert_eq!(dead.sum::<u64>(), 1, "{topology}");

    scene
        .users(&[("u1", Some(r#"{"country":"Japan"}"#)), ("u2", None)])
        .await;
    until_table(&aggregation, &scene.users, 1, 2 + 19 + 128).await;
    scene.events(&["u1", "u2"]).await;
    let changed = [
        r#"{"user":"u1","n":1.50,"profile":{"country":"Japan"}}"#,
        r#"{"user":"u2","n":1.50}"#,
    ];
    expected.extend(changed);
    assert_eq!(scene.values("people", 5).await, expected);

    aggregation.program.signal(Signal::SIGKILL);
    aggregation.program.exit().await;
    scene.events(&["u1", "u2"]).await;
    aggregation.start_again().await;
    expected.extend(changed);
    assert_eq!(scene.values("people", 7).await, expected);
    let all = counts(&[("Japan", 2), ("KR", 1), ("US", 1)]);
    assert_eq!(scene.countries(4).await, all);
}

#[tokio::test]
async fn a_table_that_needs_more_memory_than_it_may_holds_everything_up_and_says_so() {
    let scene = Scene::new().await;
    let row = r#"{"country":"KR"}"#;
    scene.users(&[("u1", Some(row)), ("u2", Some(row))]).await;
    scene.events(&["u1"]).await;
    let aggregation = scene.launch(&scene.config("200"));
    let expected = format!(
        "table `{}` is not read: its rows need more than the 200 bytes that `max_bytes` allows",
        scene.users
    );
    aggregation.until_held_up(&expected).await;
    let people = scene.kafka.read(&format!("{}.people", scene.events)).await;
    assert_eq!(people, Ok(vec![]));
}

#[tokio::test]
async fn a_table_that_is_not_there_yet_is_waited_for() {
    let mut scene = Scene::new().await;
    scene.users = Kafka::unique("users");
    scene.events(&["u1"]).await;
    let aggregation = scene.launch(&scene.config("1MiB"));
    let users = &scene.users;
    let expected = format!("table `{users}` is not read: the topic does not exist yet");
    aggregation.until_held_up(&expected).await;
    scene.kafka.create_topic(users, 1).await;
    assert_eq!(
        scene.values("people", 1).await,
        [r#"{"user":"u1","n":1.50}"#]
    );
}
