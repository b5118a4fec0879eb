//! Looks how far the partitions are read whose records come to others by way of tasks.

use crate::{
    owners,
    places::Place,
    reader::{Reader, Reads},
    watch::{TIMEOUT, Watched},
};
use footfall_service::thread::on_a_thread;
use footfall_task::{Offset, Partition, Processor, Upstream};
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
    /// The worker's own ones afterwards: before their ends is all that was read of the others.
    pub(crate) own: BTreeMap<Place, Own>,
}

/// How far a partition was read whose task has asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) read: Option<Offset>,
    pub(crate) end: Offset,
}

/// Where workers ask, and where they are answered.
pub(crate) fn channel() -> (mpsc::Sender<Question>, mpsc::Receiver<Question>) {
    mpsc::channel(WAITING)
}

/// Answers until `stop`. A question that Kafka does not answer is dropped.
pub(crate) async fn run<P: Processor>(
    processor: Arc<P>,
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
        let processor = Arc::clone(&processor);
        let Question {
            topics,
            own,
            answer,
        } = question;
        match on_a_thread(move || look(&*processor, (&client, &watched), &topics, &own)).await {
            // The worker may have begun anew meanwhile.
            Ok(found) => drop(answer.send(found)),
            Err(error) => tracing::debug!(%error, "cannot look upstream"),
        }
    }
}

/// Ends first, then what is read, then the ends of what comes of it: only in this order is it sure
/// that nothing was unread at the beginning, and that all that came of it is before the last ends.
fn look(
    processor: &impl Processor,
    (client, watched): (&BaseConsumer<Reader>, &Watched),
    topics: &BTreeSet<Arc<str>>,
    own: &BTreeSet<Place>,
) -> KafkaResult<Look> {
    let places = topics.iter().flat_map(|topic| {
        let count = watched.places.count(topic).unwrap_or(0);
        let partitions = 0..i32::try_from(count).unwrap_or(i32::MAX);
        partitions.map(|partition| (topic.to_string(), partition))
    });
    let places: BTreeSet<Place> = places.collect();
    let starts_at_ends = watched.config.starts_at_ends();
    let upstream = find(processor, client, &places, starts_at_ends)?.into_iter();
    let upstream = upstream.map(|((topic, partition), (read, end))| Upstream {
        topic: topic.into(),
        partition: Partition(partition),
        read,
        end,
    });
    let upstream = upstream.collect();
    let own = find(processor, client, own, starts_at_ends)?.into_iter();
    let own = own.filter_map(|(place, (read, end))| Some((place, Own { read, end: end? })));
    Ok(Look {
        upstream,
        own: own.collect(),
    })
}

/// How far places are read, and their ends, as far as that is known.
type Found = BTreeMap<Place, (Option<Offset>, Option<Offset>)>;

/// How far places are read, and where they ended before that, as far as their leaders answer. Ends
/// are after open transactions.
fn find(
    processor: &impl Processor,
    client: &BaseConsumer<Reader>,
    places: &BTreeSet<Place>,
    starts_at_ends: bool,
) -> KafkaResult<Found> {
    let ends = offsets(client, places, rdkafka::Offset::End)?;
    let readers = |topic: &str| processor.readers(topic);
    let known = owners::ask(client, places.iter().cloned(), readers, TIMEOUT)?;
    let read = |place: &Place| known.get(place).and_then(|(read, _)| *read);
    // Of those nothing may be left to read, either.
    let unread = places.iter().filter(|place| read(place).is_none());
    let unread: BTreeSet<_> = unread.cloned().collect();
    let begins = match starts_at_ends {
        true => ends.clone(),
        false => offsets(client, &unread, rdkafka::Offset::Beginning)?,
    };
    let found = places.iter().map(|place| {
        let read = read(place).or_else(|| begins.get(place).copied());
        (place.clone(), (read, ends.get(place).copied()))
    });
    Ok(found.collect())
}

/// The beginnings or the ends of these partitions.
fn offsets(
    client: &BaseConsumer<Reader>,
    places: &BTreeSet<Place>,
    which: rdkafka::Offset,
) -> KafkaResult<BTreeMap<Place, Offset>> {
    let mut wanted = TopicPartitionList::new();
    for (topic, partition) in places {
        wanted.add_partition_offset(topic, *partition, which)?;
    }
    if wanted.count() == 0 {
        return Ok(BTreeMap::new());
    }
    let found = client.offsets_for_times(wanted, TIMEOUT)?;
    let found = found.elements();
    let offsets = found.iter().filter_map(|place| {
        let rdkafka::Offset::Offset(offset) = place.offset() else {
            return None;
        };
        let is_known = place.error().is_ok();
        is_known.then(|| {
            (
                (place.topic().to_owned(), place.partition()),
                Offset(offset),
            )
        })
    });
    Ok(offsets.collect())
}
