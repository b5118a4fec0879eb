//! Conditions, expressions and pointers over values as the gateway carries them: byte for byte.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    wait,
};

const BEGIN: i64 = 1_764_000_000_000;

/// What cannot be text, what no double can be, what stands twice, what is in a list.
const VALUES: [&str; 3] = [
    r#"{"email":"a@x.example","properties":{"plan":"pro","note":"\ud800"},"items":[{"email":"b@x.example","n":1}],"\u0065mail":"c@x.example","seconds":90}"#,
    r#"{"properties":{"plan":"free","plan":"pro","n":1e400},"seconds":90.5}"#,
    r#"{"properties":{"plan":"free"},"email":{"email":"d@x.example"},"seconds":90.0}"#,
];

#[tokio::test]
async fn conditions_and_changes_mean_what_they_say_over_any_json() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("conditions");
    kafka.create_topic(&source, 1).await;
    let records = VALUES.iter().map(|value| NewRecord {
        timestamp: BEGIN,
        key: Some(b"k"),
        value: Some(value.as_bytes()),
        ..NewRecord::default()
    });
    kafka.produce_all(&source, records).await;
    let config = format!(
        "[streams.pro]\nfrom = '{source}'\nwhere = 'properties.plan == \"pro\" && timestamp(record.timestamp / 1000) > timestamp(\"2025-01-01T00:00:00Z\")'\n\
         window = {{ size = '1h', grace = '1m' }}\nto = '{source}.counts'\n\
         [streams.none]\nfrom = '{source}'\nwhere = 'list != 5 || type(string) == int'\n\
         window = {{ size = '1h', grace = '1m' }}\nto = '{source}.none'\n\
         [routes.private]\nfrom = ['{source}']\ndrop = ['/email', '/items/0/email']\n\
         set = {{ '/minutes' = 'seconds / 60', '/seconds/no' = 'true' }}\nto = '{source}.private'\n"
    );
    let aggregation = Aggregation::start(kafka, &config).await;

    let changed = kafka.records(&format!("{source}.private"), 3).await;
    let changed: Vec<_> = changed.iter().map(|record| record.value_text()).collect();
    let expected = [
        r#"{"properties":{"plan":"pro","note":"\ud800"},"items":[{"n":1}],"seconds":90,"minutes":1.5}"#,
        r#"{"properties":{"plan":"free","plan":"pro","n":1e400},"seconds":90.5,"minutes":1.5083333333333333}"#,
        r#"{"properties":{"plan":"free"},"seconds":90.0,"minutes":1.5}"#,
    ];
    assert_eq!(changed, expected);

    // A partition that is named often is asked once.
    let often = vec!["0"; 3_000].join(",");
    let windows = wait::until("both records of the plan to be counted", async || {
        let once = aggregation
            .get("/v1/streams/pro/windows?partitions=0")
            .await?;
        let is_all = once["windows"][0]["count"] == 2;
        is_all
            .then_some(once.clone())
            .ok_or_else(|| once.to_string())
    })
    .await;
    let path = format!("/v1/streams/pro/windows?partitions={often}");
    let asked_often = aggregation.get(&path).await.unwrap();
    assert_eq!(asked_often["windows"], windows["windows"]);
    assert_eq!(asked_often["partitions"], windows["partitions"]);
    let none = aggregation.get("/v1/streams/none/windows").await.unwrap();
    assert_eq!(none["windows"].as_array().map(Vec::len), Some(0), "{none}");
    let dead = kafka.read(&format!("{source}.dlq")).await.unwrap();
    assert!(dead.is_empty(), "{dead:?}");
}
