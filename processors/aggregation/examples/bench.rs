//! What `cargo xtask bench streams` asks of Kafka: it fills topics, follows a group, and reads results.

use anyhow::{Context as _, bail};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
    producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer},
};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

const PARTITIONS: i32 = 4;
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a group is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// What comes first is not measured.
const WARM_UP: Duration = Duration::from_secs(5);
/// When the records of a filled topic begin: 2026-01-01.
const BEGINNING: i64 = 1_767_225_600_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["topic", brokers, topic] => create(brokers, topic).await,
        ["fill", brokers, topic, kind, records, keys] => {
            create(brokers, topic).await?;
            fill(brokers, topic, kind, records.parse()?, keys.parse()?)
        }
        ["follow", brokers, group, topic] => follow(brokers, group, topic),
        ["read", brokers, topic] => read(brokers, topic),
        ["pace", brokers, from, to, rate, seconds] => {
            pace(brokers, from, to, rate.parse()?, seconds.parse()?)
        }
        ["gaps", brokers, from, to, rate, seconds] => {
            gaps(brokers, from, to, rate.parse()?, seconds.parse()?)
        }
        _ => bail!(
            "expected topic BROKERS TOPIC, fill BROKERS TOPIC small|page_views RECORDS KEYS, follow BROKERS GROUP \
             TOPIC, read BROKERS TOPIC, pace BROKERS FROM TO RATE SECONDS or gaps BROKERS FROM TO RATE SECONDS, found {arguments:?}"
        ),
    }
}

fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

async fn create(brokers: &str, topic: &str) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create()?;
    // The records are older than a week.
    let new =
        NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1)).set("retention.ms", "-1");
    for made in admin.create_topics([&new], &AdminOptions::new()).await? {
        match made {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => bail!("make topic `{topic}`: {code}"),
        }
    }
    Ok(())
}

fn producer(brokers: &str) -> anyhow::Result<ThreadedProducer<DefaultProducerContext>> {
    let mut config = client(brokers);
    config
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", "5");
    Ok(config.create()?)
}

/// A record for each millisecond, by keys in turn.
fn fill(brokers: &str, topic: &str, kind: &str, records: i64, keys: i64) -> anyhow::Result<()> {
    let producer = producer(brokers)?;
    for number in 0..records {
        // A step that shares nothing with the number of keys: in no order, and all equally often.
        let key = number.wrapping_mul(7_919) % keys;
        let (key, value) = match kind {
            "small" => (
                format!("key-{key:06}"),
                "a value of thirty bytes or so.".into(),
            ),
            "page_views" => (
                format!("visitor-{}", number % 5_000),
                page_view(number, key),
            ),
            other => bail!("expected small or page_views, found {other}"),
        };
        send(&producer, topic, &key, &value, BEGINNING + number)?;
    }
    producer.flush(PATIENCE)?;
    Ok(())
}

/// About 750 bytes, as the gateway writes them; one of five is a click.
fn page_view(number: i64, page: i64) -> String {
    let kind = if number % 5 == 4 {
        "click"
    } else {
        "page_view"
    };
    format!(
        r#"{{"v":1,"id":"0199d0a4-7c1e-7003-8000-{number:012x}","type":"{kind}","write_key":"shop","received":{now},"sent":{now},"time":{now},"seq":{number},"visitor":"0199d0a4-7c1e-7003-9000-{page:012x}","session":"0199d0a4-7c1e-7003-a000-{page:012x}","page":{{"url":"https://shop.example/catalogue/outdoor/tents/{page}","title":"Forest green tents for four, all seasons: number {page} of our outdoor catalogue","referrer":"https://shop.example/catalogue/outdoor?page=3"}},"client":{{"ip":"192.0.2.0","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36","language":"en-GB"}},"properties":{{"category":"outdoor/tents","price":349.5,"currency":"EUR","stock":17}}}}"#,
        now = BEGINNING + number
    )
}

fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    key: &str,
    value: &str,
    time: i64,
) -> anyhow::Result<()> {
    let mut record = BaseRecord::to(topic)
        .key(key)
        .payload(value)
        .timestamp(time);
    while let Err((error, refused)) = producer.send(record) {
        if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
            return Err(error.into());
        }
        record = refused;
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Says how many records a group has committed, `SECONDS RECORDS` a line, until it has all.
fn follow(brokers: &str, group: &str, topic: &str) -> anyhow::Result<()> {
    let mut config = client(brokers);
    // Otherwise it waits for the end of each transaction.
    config
        .set("group.id", group)
        .set("isolation.level", "read_uncommitted");
    let consumer: BaseConsumer = config.create()?;
    let mut asked = TopicPartitionList::new();
    let mut all = 0;
    for partition in 0..PARTITIONS {
        asked.add_partition(topic, partition);
        all += consumer.fetch_watermarks(topic, partition, PATIENCE)?.1;
    }
    let start = now();
    let mut committed = -1;
    while committed < all {
        let offsets = consumer.committed_offsets(asked.clone(), PATIENCE)?;
        let found: i64 = offsets
            .elements()
            .iter()
            .filter_map(|place| place.offset().to_raw().filter(|offset| *offset >= 0))
            .sum();
        if found != committed {
            committed = found;
            writeln!(
                std::io::stdout(),
                "{:.3} {found}",
                start.elapsed().as_secs_f64()
            )?;
        }
        sleep(LOOK);
    }
    Ok(())
}

/// Says how many records a topic has, and a digest of the newest count of each key and window,
/// whether it was written by Kafka Streams or by Footfall.
fn read(brokers: &str, topic: &str) -> anyhow::Result<()> {
    let mut config = client(brokers);
    config
        .set("group.id", "bench")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create()?;
    let mut assignment = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let (mut records, mut open) = (0_u64, PARTITIONS);
    let mut newest = BTreeMap::new();
    while open > 0 {
        // Nothing may also mean that something else than a record has come.
        let Some(polled) = consumer.poll(PATIENCE) else {
            continue;
        };
        match polled {
            Ok(message) => {
                let (window, count) = result(&message).context("a result that is understood")?;
                newest.insert(window, count);
                records += 1;
            }
            Err(KafkaError::PartitionEOF(_)) => open -= 1,
            Err(error) => return Err(error.into()),
        }
    }
    let mut digest = DefaultHasher::new();
    newest.hash(&mut digest);
    let windows = newest.len();
    writeln!(
        std::io::stdout(),
        "{records} {windows} {:016x}",
        digest.finish()
    )?;
    Ok(())
}

/// Key and start of a window, and its count.
fn result(message: &BorrowedMessage<'_>) -> Option<((String, i64), i64)> {
    let (key, value) = (message.key()?, message.payload()?);
    if let Ok(value) = value.try_into() {
        let (key, start) = key.split_last_chunk()?;
        let key = str::from_utf8(key).ok()?.to_owned();
        return Some(((key, i64::from_be_bytes(*start)), i64::from_be_bytes(value)));
    }
    let value: serde_json::Value = serde_json::from_slice(value).ok()?;
    let key = value["key"].as_str()?.to_owned();
    Some(((key, value["start"].as_i64()?), value["count"].as_i64()?))
}

/// Writes records at a steady pace, and says how long after the newest record of each result it was
/// there to be read: `P50 P99 MAX` in milliseconds. One partition stands for all of them, so that
/// reading takes little from what is measured.
fn pace(brokers: &str, from: &str, to: &str, rate: u64, seconds: u64) -> anyhow::Result<()> {
    let consumer = newest(brokers, to, 1)?;
    let writing = write_steadily(brokers, from, rate, seconds);
    let mut waits = Vec::new();
    let begin = now();
    while !writing.is_finished() {
        if let Some(message) = consumer.poll(LOOK)
            && let Some(time) = message?.timestamp().to_millis()
            && begin.elapsed() > WARM_UP
        {
            waits.push(wall_clock() - time);
        }
    }
    joined(writing)?;
    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 100).copied();
    let (p50, p99) = (at(50).context("results")?, at(99).context("results")?);
    let most = waits.last().context("results")?;
    writeln!(std::io::stdout(), "{p50} {p99} {most}")?;
    Ok(())
}

/// Writes records at a steady pace, and says for how long, in milliseconds, no result came in each
/// partition at most, the shortest time first.
fn gaps(brokers: &str, from: &str, to: &str, rate: u64, seconds: u64) -> anyhow::Result<()> {
    let consumer = newest(brokers, to, PARTITIONS)?;
    let writing = write_steadily(brokers, from, rate, seconds);
    let mut seen = BTreeMap::new();
    while !writing.is_finished() {
        if let Some(message) = consumer.poll(LOOK) {
            let now = now();
            let (last, longest) = seen
                .entry(message?.partition())
                .or_insert((now, Duration::ZERO));
            *longest = (*longest).max(now - std::mem::replace(last, now));
        }
    }
    joined(writing)?;
    let mut gaps: Vec<_> = seen
        .values()
        .map(|(_, longest)| longest.as_millis())
        .collect();
    gaps.sort_unstable();
    let gaps: Vec<_> = gaps.iter().map(u128::to_string).collect();
    writeln!(std::io::stdout(), "{}", gaps.join(" "))?;
    Ok(())
}

/// Reads what comes from now on in the first partitions of a topic.
fn newest(brokers: &str, topic: &str, partitions: i32) -> anyhow::Result<BaseConsumer> {
    let mut config = client(brokers);
    config
        .set("group.id", "bench")
        .set("fetch.wait.max.ms", "5")
        .set("fetch.queue.backoff.ms", "1");
    let consumer: BaseConsumer = config.create()?;
    let mut assignment = TopicPartitionList::new();
    for partition in 0..partitions {
        assignment.add_partition_offset(topic, partition, Offset::End)?;
    }
    consumer.assign(&assignment)?;
    Ok(consumer)
}

type Writing = std::thread::JoinHandle<anyhow::Result<()>>;

/// Writes what is due each millisecond.
fn write_steadily(brokers: &str, from: &str, rate: u64, seconds: u64) -> Writing {
    let (brokers, from) = (brokers.to_owned(), from.to_owned());
    std::thread::spawn(move || {
        let producer = producer(&brokers)?;
        let start = now();
        let mut written = 0;
        while written < rate * seconds {
            let elapsed = start.elapsed().min(Duration::from_secs(seconds));
            let due = u128::from(rate) * elapsed.as_micros() / 1_000_000;
            while u128::from(written) < due {
                let key = format!("key-{:06}", written.wrapping_mul(7_919) % 10_000);
                let value = "a value of thirty bytes or so.";
                send(&producer, &from, &key, value, wall_clock())?;
                written += 1;
            }
            sleep(Duration::from_millis(1));
        }
        producer.flush(PATIENCE)?;
        Ok(())
    })
}

fn joined(writing: Writing) -> anyhow::Result<()> {
    let ended = writing.join();
    ended.map_err(|_| anyhow::anyhow!("the writer panicked"))?
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn wall_clock() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
