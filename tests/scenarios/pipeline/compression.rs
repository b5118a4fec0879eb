//! Every codec of Kafka, wherever records are read or written, and batches that cannot be read.

use super::results::until_counts;
use footfall_tests::{
    aggregation::Aggregation,
    client,
    kafka::{Kafka, NewRecord},
    wait,
};
use nix::sys::signal::Signal;

const BEGIN: i64 = 1_764_000_000_000;
/// Long enough that a codec has something to do.
const PAD: &str =
    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";

async fn produce(kafka: &Kafka, codec: &str, topic: &str, records: &[(i32, &str, &str)]) {
    let producer = kafka.producer(&[("compression.type", codec), ("linger.ms", "50")]);
    let records = records.iter().map(|(partition, key, value)| NewRecord {
        partition: Some(*partition),
        timestamp: BEGIN,
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
    });
    let limit = Some(std::time::Duration::from_secs(10));
    producer.produce_all(topic, records, limit).await;
}

/// The codec of a topic's last batch that holds records.
fn codec_of(kafka: &Kafka, topic: &str) -> &'static str {
    let batches = kafka.batches(topic, 0);
    let records = batches.iter().rev();
    let mut codecs = records.map(|batch| batch.codec);
    // What ends a transaction is a batch of its own, and never compressed.
    codecs.find(|codec| *codec != "none").unwrap_or("none")
}

async fn counted(aggregation: &Aggregation) -> Result<Vec<(String, u64)>, String> {
    let answer = aggregation.get("/v1/streams/names/windows").await?;
    let windows = answer["windows"].as_array().cloned().unwrap_or_default();
    let counts = windows.iter().map(|window| {
        let key = window["key"].as_str().unwrap_or_default();
        (key.to_owned(), window["count"].as_u64().unwrap_or_default())
    });
    Ok(counts.collect())
}

async fn until_counted(aggregation: &Aggregation, count: u64) {
    wait::until(&format!("a count of {count}"), async || {
        let found = counted(aggregation).await?;
        (found == [("ann".to_owned(), count)])
            .then_some(())
            .ok_or(format!("{found:?}"))
    })
    .await;
}

/// Source, table, output and changelog with this codec, over a kill.
async fn works_with(codec: &str) {
    let kafka = Kafka::shared().await;
    let [source, users, group] =
        ["source", "users", "group"].map(|name| Kafka::unique(&format!("{name}-{codec}")));
    let (output, changelog) = (format!("{source}.out"), format!("{group}-names-changelog"));
    for topic in [&source, &output] {
        kafka.create_topic(topic, 1).await;
    }
    let compact = [("cleanup.policy", "compact")];
    kafka.create_topic_with(&users, 1, &compact).await;
    let topic_level = match codec {
        "none" => "uncompressed",
        codec => codec,
    };
    let settings = [compact[0], ("compression.type", topic_level)];
    kafka.create_topic_with(&changelog, 1, &settings).await;

    let row = format!(r#"{{"name":"ann","pad":"{PAD}"}}"#);
    produce(kafka, codec, &users, &[(0, "u1", &row)]).await;
    let value = format!(r#"{{"user":"u1","pad":"{PAD}"}}"#);
    let record = (0, "k", value.as_str());
    produce(kafka, codec, &source, &[record, record, record]).await;
    let config = format!(
        "commit_interval = '20ms'\n[kafka.producer]\n'compression.type' = '{codec}'\n\
         [kafka.consumer]\n'group.instance.id' = 'one'\n\
         [tables.users]\nfrom = '{users}'\nmax_bytes = '1MiB'\n\
         [streams.names]\nfrom = '{source}'\nto = '{output}'\nkey = '/row/name'\n\
         join = [{{ table = 'users', by = '/user', as = '/row' }}]\n\
         aggregate = {{ count = 'count()', pad = 'last(/pad)' }}\n\
         window = {{ size = '1h', grace = '24h' }}\n"
    );
    let mut aggregation = Aggregation::start_in_group(kafka, &config, &group).await;
    until_counted(&aggregation, 3).await;
    kafka.records(&output, 1).await;
    assert_eq!(codec_of(kafka, &source), codec, "the source");
    assert_eq!(codec_of(kafka, &users), codec, "the table");
    assert_eq!(codec_of(kafka, &output), codec, "the output");
    assert_eq!(codec_of(kafka, &changelog), codec, "the changelog");

    aggregation.program.signal(Signal::SIGKILL);
    aggregation.program.exit().await;
    produce(kafka, codec, &source, &[record]).await;
    aggregation.start_again().await;
    until_counted(&aggregation, 4).await;
    let metrics = aggregation.metrics().await.unwrap();
    assert!(metrics.sum("footfall_restored_total") > 0.0);
    assert_eq!(metrics.sum("footfall_read_errors_total"), 0.0);
}

#[tokio::test]
async fn sources_tables_outputs_and_changelogs_may_have_any_codec() {
    tokio::join!(
        works_with("none"),
        works_with("gzip"),
        works_with("snappy"),
        works_with("lz4"),
        works_with("zstd"),
    );
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_stops_its_partition_alone_until_it_can() {
    let kafka = Kafka::shared().await;
    let source = Kafka::unique("source");
    kafka.create_topic(&source, 2).await;
    let (first, second) = (
        format!(r#"{{"pad":"a{PAD}"}}"#),
        format!(r#"{{"pad":"b{PAD}"}}"#),
    );
    for value in [&first, &second, &first] {
        produce(kafka, "zstd", &source, &[(0, "stuck", value)]).await;
    }
    let batches = kafka.batches(&source, 0);
    assert_eq!((batches.len(), batches[1].codec), (3, "zstd"));
    kafka.damage(&source, 0, &batches[1]);

    let (group, output) = (Kafka::unique("group"), format!("{source}.out"));
    let config = format!(
        "commit_interval = '20ms'\n[streams.keys]\nfrom = '{source}'\nto = '{output}'\n\
         window = {{ size = '1h', grace = '24h' }}\n"
    );
    let aggregation = Aggregation::launch(kafka, &config, &group);
    let expected =
        format!("topic `{source}`, partition 0 cannot be read on from offset 1: Decompression");
    let reason = aggregation.until_held_up(&expected).await;
    assert!(reason.ends_with("and it is tried again"), "{reason}");
    let ready = client::get(&format!("{}/readyz", aggregation.url)).await;
    assert_eq!(ready.unwrap().status, 503);
    // The other one goes on, also when the group gives out its partitions anew.
    let beside = Aggregation::launch(kafka, &config, &group);
    produce(kafka, "none", &source, &[(1, "free", first.as_str()); 4]).await;
    until_counts(kafka, &output, &[("free", 4), ("stuck", 1)]).await;
    drop(beside);
    wait::until("several tries", async || {
        let metrics = aggregation.metrics().await?;
        let code = "code=\"BadCompression\"";
        let tries = metrics.sum_with("footfall_read_errors_total", code);
        (tries >= 4.0).then_some(()).ok_or(format!("{tries}"))
    })
    .await;
    until_counts(kafka, &output, &[("free", 4), ("stuck", 1)]).await;
    assert_eq!(kafka.committed(&group, &source, 0), Some(1));
    let log = aggregation.program.stderr();
    assert!(
        log.matches(&expected).count() <= 2,
        "once for each time it had it: {log}"
    );

    kafka.mend(&source, 0, &batches[1]);
    until_counts(kafka, &output, &[("free", 4), ("stuck", 3)]).await;
    client::until_answers(&format!("{}/readyz", aggregation.url), r#""ready":true"#).await;
}
