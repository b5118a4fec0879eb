//! How far behind: what the group has not committed yet, and how old the oldest record of it is.

use crate::{
    clock,
    owners::Known,
    places::{Lag, Place},
    reader::Reader,
};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, KafkaResult},
};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    time::Duration,
};

/// How long one look for the oldest records of a topic may take.
const UNTIL_READ: Duration = Duration::from_secs(1);
/// After so long without another look, nothing is known to be counted any more.
const OVERDUE_MS: i64 = 6_000;
const TICK: Duration = Duration::from_millis(50);

/// How far behind a partition was when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    /// Records that were not counted yet.
    pub(crate) records: i64,
    /// When the oldest of them was written, by its timestamp, in milliseconds since the Unix epoch.
    pub(crate) oldest: Option<i64>,
    /// When that was so, by the wall clock.
    pub(crate) seen: i64,
}

impl Behind {
    /// The same at a later instant, in milliseconds since the Unix epoch. Until the next look is
    /// overdue, the oldest record may have been counted meanwhile.
    pub(crate) fn at(self, now: i64) -> Lag {
        let is_overdue = now.saturating_sub(self.seen) > OVERDUE_MS;
        let now = if is_overdue { now } else { self.seen };
        let age = |oldest| u64::try_from(now.saturating_sub(oldest)).unwrap_or(0);
        let age = match self.records {
            0 => Some(0),
            _ => self.oldest.map(age),
        };
        Lag {
            records: self.records,
            age: age.map(Duration::from_millis),
        }
    }
}

/// Where a partition has been counted to, and where it ends.
#[derive(Clone, Copy, Debug)]
struct Gap {
    begin: i64,
    /// What is before it is decided.
    stable: i64,
    end: i64,
}

/// For a client that reads a record or two: it should not fetch megabytes for that.
pub(crate) fn reads_little(config: &mut ClientConfig) {
    config.set("fetch.message.max.bytes", "65536");
    // All partitions share a queue, and each waits for so long once it is full.
    config.set("queued.min.messages", "1000");
    config.set("fetch.queue.backoff.ms", "5");
}

/// Measures each of these partitions. The clients take no part in the group; `written` sees records of
/// open transactions, too. What is behind the first record of one is not read before that is decided,
/// and is not counted yet.
///
/// # Errors
/// When Kafka does not answer.
pub(crate) fn measure(
    (client, written): (&BaseConsumer<Reader>, &BaseConsumer<Reader>),
    assigned: &BTreeSet<Place>,
    known: &Known,
    timeout: Duration,
) -> KafkaResult<BTreeMap<Place, Behind>> {
    let mut measured = BTreeMap::new();
    let mut gaps = BTreeMap::<String, BTreeMap<i32, Gap>>::new();
    for (topic, partition) in assigned {
        let Some((committed, _)) = known.get(&(topic.clone(), *partition)) else {
            continue;
        };
        let (low, end) = written.fetch_watermarks(topic, *partition, timeout)?;
        let begin = committed.map_or(low, |offset| offset.0.max(low));
        if begin < end {
            let (_, stable) = client.fetch_watermarks(topic, *partition, timeout)?;
            let gaps = gaps.entry(topic.clone()).or_default();
            gaps.insert(*partition, Gap { begin, stable, end });
        } else {
            measured.insert((topic.clone(), *partition), nothing());
        }
    }
    // One topic after the other: the event that says "end" names a partition and no topic.
    for (topic, gaps) in gaps {
        let decided = gaps.iter().filter(|(_, gap)| gap.begin < gap.stable);
        let decided = decided.map(|(partition, gap)| (*partition, *gap)).collect();
        let mut read = oldest(client, &topic, &decided)?;
        let is_open = |partition: &i32, gap: &Gap| {
            let is_read = read.get(partition).is_some_and(|behind| behind.records > 0);
            gap.stable < gap.end && !is_read
        };
        let open = gaps
            .iter()
            .filter(|(partition, gap)| is_open(partition, gap));
        let open = open.map(|(partition, gap)| {
            let begin = gap.begin.max(gap.stable);
            (*partition, Gap { begin, ..*gap })
        });
        let open = open.collect();
        read.extend(oldest(written, &topic, &open)?);
        for (partition, gap) in gaps {
            let unknown = Behind {
                records: gap.end - gap.begin,
                oldest: None,
                seen: clock::millis(),
            };
            let behind = read.get(&partition).copied().unwrap_or(unknown);
            measured.insert((topic.clone(), partition), behind);
        }
    }
    Ok(measured)
}

/// Reads the first record of each gap. One that only transactions have left holds none.
fn oldest(
    client: &BaseConsumer<Reader>,
    topic: &str,
    gaps: &BTreeMap<i32, Gap>,
) -> KafkaResult<BTreeMap<i32, Behind>> {
    if gaps.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut assignment = TopicPartitionList::new();
    for (partition, gap) in gaps {
        assignment.add_partition_offset(topic, *partition, Offset::Offset(gap.begin))?;
    }
    client.assign(&assignment)?;
    let mut read = BTreeMap::new();
    let until = clock::now() + UNTIL_READ;
    while read.len() < gaps.len() && clock::now() < until {
        match client.poll(TICK) {
            Some(Ok(record)) => {
                let partition = record.partition();
                let Entry::Vacant(entry) = read.entry(partition) else {
                    continue;
                };
                let end = gaps.get(&partition).map(|gap| gap.end);
                entry.insert(Behind {
                    records: end.map_or(1, |end| (end - record.offset()).max(1)),
                    oldest: record.timestamp().to_millis(),
                    seen: clock::millis(),
                });
                // Thousands may have come with it, which would have to be polled one by one.
                let mut enough = TopicPartitionList::new();
                enough.add_partition(topic, partition);
                client.pause(&enough)?;
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                read.entry(partition).or_insert_with(nothing);
            }
            // Its context has told it.
            Some(Err(_)) | None => {}
        }
    }
    // A pause outlives the assignment: the next look would see nothing.
    client.resume(&assignment)?;
    client.unassign()?;
    Ok(read)
}

fn nothing() -> Behind {
    Behind {
        records: 0,
        oldest: None,
        seen: clock::millis(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Reads;
    use rdkafka::{
        mocking::MockCluster,
        producer::{BaseProducer, BaseRecord, Producer as _},
    };

    #[test]
    fn a_partition_that_was_behind_is_looked_at_again() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("records", 1, 1).unwrap();
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.id", "lag")
            .set("enable.partition.eof", "true");
        let producer: BaseProducer = config.create().unwrap();
        for time in [1_000, 2_000, 3_000] {
            let record = BaseRecord::to("records").key("key").payload("");
            producer.send(record.timestamp(time)).unwrap();
        }
        producer.flush(Duration::from_secs(20)).unwrap();
        let status = std::sync::Arc::new(crate::Status::new());
        let reader = Reader::new(Reads::Lag, &status, &crate::Metrics::default());
        let client = config.create_with_context(reader).unwrap();
        for begin in [0, 1] {
            let (stable, end) = (3, 3);
            let gaps = BTreeMap::from([(0, Gap { begin, stable, end })]);
            let read = oldest(&client, "records", &gaps).unwrap();
            let found = read.get(&0).map(|behind| (behind.records, behind.oldest));
            assert_eq!(found, Some((3 - begin, Some(1_000 * (begin + 1)))));
        }
    }

    #[test]
    fn the_oldest_record_is_as_old_as_it_was_until_the_next_look_is_overdue() {
        let behind = Behind {
            records: 7,
            oldest: Some(1_000),
            seen: 1_250,
        };
        let age = |now| behind.at(now).age;
        assert_eq!(age(1_250), Some(Duration::from_millis(250)));
        assert_eq!(age(7_250), Some(Duration::from_millis(250)));
        assert_eq!(age(7_251), Some(Duration::from_millis(6_251)));
    }

    #[test]
    fn a_record_of_the_future_is_no_time_behind() {
        let behind = Behind {
            records: 7,
            oldest: Some(1_000),
            seen: 900,
        };
        assert_eq!(behind.at(900).age, Some(Duration::ZERO));
    }

    #[test]
    fn nothing_to_count_is_no_time_behind_and_an_unread_record_is_an_unknown_one() {
        assert_eq!(nothing().at(5).age, Some(Duration::ZERO));
        let behind = Behind {
            records: 7,
            oldest: None,
            seen: 5,
        };
        assert_eq!(behind.at(5).age, None);
    }
}
