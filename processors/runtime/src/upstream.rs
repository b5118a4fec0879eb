//! Looks how far the partitions are read whose records come to others by way of tasks.

use crate::{
    owners,
    places::Place,
    reader::{Reader, Reads},
    watch::{TIMEOUT, Watched},
};
use footfall_service::thread::on_a_thread;
use footfall_task::{Offset, Partition, Upstream};
use rdkafka::{
    TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaResult,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Each worker waits for one answer at a time.
const WAITING: usize = 64;

/// What a worker wants to know.
#[derive(Debug)]
pub(crate) struct Question {
    /// Topics whose partitions are looked at.
    pub(crate) topics: BTreeSet<Arc<str>>,
    /// The worker's own partitions to which their records come.
    pub(crate) own: BTreeSet<Place>,
    pub(crate) answer: oneshot::Sender<Look>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Look {
    /// All partitions of the topics.
    pub(crate) upstream: Arc<[Upstream]>,
    /// Where the own partitions ended afterwards: before that is all that was read of the others.
    pub(crate) ends: BTreeMap<Place, Offset>,
}

/// Where workers ask, and where they are answered.
pub(crate) fn channel() -> (mpsc::Sender<Question>, mpsc::Receiver<Question>) {
    mpsc::channel(WAITING)
}

/// Answers until `stop`. A question that Kafka does not answer is dropped.
pub(crate) async fn run(
    watched: Watched,
    mut questions: mpsc::Receiver<Question>,
    stop: CancellationToken,
) {
    // It does not wait for transactions: what they hold is not read yet.
    let config = watched.config.owners_observer();
    let reader = Reader::new(Reads::Lag, &watched.status, &watched.metrics);
    let client = match BaseConsumer::from_config_and_context(&config, reader) {
        Ok(client) => Arc::new(client),
        // The work begins with the same properties and will say what is wrong with them.
        Err(error) => return tracing::debug!(%error, "no client to look upstream with"),
    };
    while let Some(Some(question)) = stop.run_until_cancelled(questions.recv()).await {
        let (client, watched) = (Arc::clone(&client), watched.clone());
        let Question {
            topics,
            own,
            answer,
        } = question;
        match on_a_thread(move || look(&client, &watched, &topics, &own)).await {
            // The worker may have begun anew meanwhile.
            Ok(found) => drop(answer.send(found)),
            Err(error) => tracing::debug!(%error, "cannot look upstream"),
        }
    }
}

/// Ends first, then what is read, then the ends of what comes of it: only in this order is it sure
/// that nothing was unread at the beginning, and that all that came of it is before the last ends.
fn look(
    client: &BaseConsumer<Reader>,
    watched: &Watched,
    topics: &BTreeSet<Arc<str>>,
    own: &BTreeSet<Place>,
) -> KafkaResult<Look> {
    let places: BTreeSet<Place> = topics
        .iter()
        .flat_map(|topic| {
            let count = watched.places.count(topic).unwrap_or(0);
            let partitions = 0..i32::try_from(count).unwrap_or(i32::MAX);
            partitions.map(|partition| (topic.to_string(), partition))
        })
        .collect();
    let ends = ends(client, &places)?;
    let known = owners::ask(client, places.iter().cloned(), TIMEOUT)?;
    let upstream = topics.iter().flat_map(|topic| {
        let of_topic = places.range((topic.to_string(), 0)..=(topic.to_string(), i32::MAX));
        of_topic.map(|place| Upstream {
            topic: Arc::clone(topic),
            partition: Partition(place.1),
            read: known.get(place).and_then(|(read, _)| *read),
            end: ends.get(place).copied(),
        })
    });
    Ok(Look {
        upstream: upstream.collect(),
        ends: self::ends(client, own)?,
    })
}

/// The ends of these partitions, open transactions included, as far as their leaders answer.
fn ends(
    client: &BaseConsumer<Reader>,
    places: &BTreeSet<Place>,
) -> KafkaResult<BTreeMap<Place, Offset>> {
    let mut wanted = TopicPartitionList::new();
    for (topic, partition) in places {
        wanted.add_partition_offset(topic, *partition, rdkafka::Offset::End)?;
    }
    if wanted.count() == 0 {
        return Ok(BTreeMap::new());
    }
    let found = client.offsets_for_times(wanted, TIMEOUT)?;
    let found = found.elements();
    let ends = found.iter().filter_map(|place| {
        let rdkafka::Offset::Offset(end) = place.offset() else {
            return None;
        };
        let is_known = place.error().is_ok();
        is_known.then(|| ((place.topic().to_owned(), place.partition()), Offset(end)))
    });
    Ok(ends.collect())
}
