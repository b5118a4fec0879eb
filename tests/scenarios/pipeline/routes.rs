//! Streams without windows: records of several topics, changed and split.

use footfall_tests::{
    aggregation::Aggregation,
    kafka::{Kafka, NewRecord},
    record::Record,
};

fn record<'a>(key: &'a str, value: &'a str, timestamp: i64) -> NewRecord<'a> {
    NewRecord {
        timestamp,
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
        ..NewRecord::default()
    }
}

/// Key, value and timestamp.
fn said(record: &Record) -> (Option<&str>, String, i64) {
    let value = record.value.clone().unwrap_or_default();
    let value = String::from_utf8(value).unwrap();
    (record.key_text(), value, record.timestamp)
}

#[tokio::test]
async fn a_route_merges_topics_changes_values_and_splits_them() {
    let kafka = Kafka::shared().await;
    let (new, old) = (Kafka::unique("new"), Kafka::unique("old"));
    kafka.create_topic(&new, 2).await;
    kafka.create_topic(&old, 3).await;
    let begin = 1_764_000_000_000;
    let click = r#"{"type":"click","user":"u1","amount":1.50,"client":{"ip":"::1"}}"#;
    let view = r#"{"type":"page_view","user":"u2","amount":2}"#;
    let vital = r#"{"type":"vital","user":"u3"}"#;
    let records = [
        record("a", click, begin + 1),
        record("b", "not json", begin + 2),
    ];
    kafka.produce_all(&new, records).await;
    let records = [record("c", view, begin + 3), record("d", vital, begin + 4)];
    kafka.produce_all(&old, records).await;
    let config = format!(
        "[routes.split]\nfrom = ['{new}', '{old}']\nwhere = 'type != \"vital\"'\nkey = '/user'\n\
         drop = ['/client']\nrename = {{ '/amount' = '/price/amount' }}\n\
         split = [{{ where = 'type == \"click\"', to = '{new}.clicks' }}]\nto = '{new}.others'\n"
    );
    let _aggregation = Aggregation::start(kafka, &config).await;
    let clicks = kafka.records(&format!("{new}.clicks"), 1).await;
    let changed = r#"{"type":"click","user":"u1","price":{"amount":1.50}}"#;
    let expected = (Some("u1"), changed.to_owned(), begin + 1);
    assert_eq!(clicks.iter().map(said).collect::<Vec<_>>(), [expected]);
    let others = kafka.records(&format!("{new}.others"), 1).await;
    let changed = r#"{"type":"page_view","user":"u2","price":{"amount":2}}"#;
    let expected = (Some("u2"), changed.to_owned(), begin + 3);
    assert_eq!(others.iter().map(said).collect::<Vec<_>>(), [expected]);
    let unusable = kafka.records(&format!("{new}.dlq"), 1).await;
    let expected = (Some("b"), "not json".to_owned(), begin + 2);
    assert_eq!(unusable.iter().map(said).collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn a_row_and_its_deletion_meet_on_every_topic() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("rows");
    kafka.create_topic(&source, 1).await;
    let at = 1_764_000_000_000;
    let deletion = |timestamp| NewRecord {
        timestamp,
        key: Some(b"k"),
        ..NewRecord::default()
    };
    let row = r#"{"type":"a","user":"u"}"#;
    kafka.produce(&source, &record("k", row, at)).await;
    kafka.produce(&source, &deletion(at + 1)).await;
    let config = format!(
        "[routes.r]\nfrom = ['{source}']\nwhere = 'type != \"vital\"'\nto = '{source}.all'\n\
         [routes.split]\nfrom = ['{source}']\nto = '{source}.others'\n\
         split = [{{ where = 'type == \"a\"', to = '{source}.as' }}]\n\
         [routes.none]\nfrom = ['{source}']\nwhere = 'type == \"a\"'\nto = '{source}.rows'\ndeletions = 'skip'\n\
         [routes.by-user]\nfrom = ['{source}']\nkey = '/user'\nto = '{source}.by-user'\n"
    );
    let _aggregation = Aggregation::start(kafka, &config).await;
    let read = async |topic: &str, count| {
        let records = kafka.records(&format!("{source}.{topic}"), count).await;
        let said = records.iter().map(|record| {
            let value = record.value.clone();
            let value = value.map(|value| String::from_utf8(value).unwrap());
            (record.key_text().unwrap().to_owned(), value)
        });
        said.collect::<Vec<_>>()
    };
    let row_of = |key: &str| (key.to_owned(), Some(row.to_owned()));
    let deleted = ("k".to_owned(), None);
    assert_eq!(read("all", 2).await, [row_of("k"), deleted.clone()]);
    assert_eq!(read("as", 2).await, [row_of("k"), deleted.clone()]);
    assert_eq!(read("others", 1).await, std::slice::from_ref(&deleted));
    assert_eq!(read("dlq", 1).await, [deleted]);
    assert_eq!(read("by-user", 1).await, [row_of("u")]);
    assert_eq!(read("rows", 1).await, [row_of("k")]);
}
