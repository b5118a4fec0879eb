//! Asks Kafka again and again who has which partition, and how far behind this process is.

use crate::{
    lag, owners,
    reader::{Reader, Reads},
    status::Part,
    watch::{Assigned, TIMEOUT, Watched, pause},
};
use footfall_service::thread::on_a_thread;
use footfall_task::Source;
use rdkafka::{
    config::FromClientConfigAndContext as _,
    consumer::BaseConsumer,
    error::{KafkaError, KafkaResult},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

const PAUSE: Duration = Duration::from_secs(2);

type Client = Arc<BaseConsumer<Reader>>;

/// Measures until `stop`. Owners are also looked for when somebody wants to know.
pub(crate) async fn run(watched: Watched, sources: Vec<Source>, stop: CancellationToken) {
    let mut offsets = watched.config.owners_observer();
    let mut records = watched.config.observer();
    lag::reads_little(&mut offsets);
    lag::reads_little(&mut records);
    let reader = Reader::new(Reads::Lag, &watched.status, &watched.metrics);
    let client =
        |config| BaseConsumer::from_config_and_context(config, reader.clone()).map(Arc::new);
    let (offsets, records) = match (client(&offsets), client(&records)) {
        (Ok(offsets), Ok(records)) => (offsets, records),
        // The work begins with the same properties and will say what is wrong with them.
        (Err(error), _) | (_, Err(error)) => {
            return tracing::debug!(%error, "no client to measure with");
        }
    };
    let behind = measure_lag(watched.clone(), Arc::clone(&offsets), records, stop.clone());
    tokio::spawn(behind);
    let sources: Arc<[Source]> = sources.into();
    while !stop.is_cancelled() {
        let (client, watched_now, sources) =
            (Arc::clone(&offsets), watched.clone(), Arc::clone(&sources));
        let found = on_a_thread(move || find_owners(&client, &watched_now, &sources)).await;
        if let Err(error) = found {
            tracing::debug!(%error, "cannot tell who has which partition");
        }
        tokio::select! {
            () = pause(&stop, PAUSE) => {}
            () = watched.places.wanted() => {}
        }
    }
}

async fn measure_lag(watched: Watched, offsets: Client, records: Client, stop: CancellationToken) {
    let mut known = Assigned::new();
    while !stop.is_cancelled() {
        for (worker, places) in &*watched.assigned.borrow() {
            // While a worker begins anew it has no partitions, and is behind with those it had.
            if !watched.status.is_held_up(Part::Session, *worker) {
                known.insert(*worker, places.clone());
            }
        }
        let assigned: BTreeSet<_> = known.values().flatten().cloned().collect();
        let (offsets, records, watched, assigned) = (
            Arc::clone(&offsets),
            Arc::clone(&records),
            watched.clone(),
            assigned,
        );
        let measured = on_a_thread(move || {
            let known = owners::ask(&offsets, assigned.iter().cloned(), |_| Vec::new(), TIMEOUT)?;
            let measured = lag::measure((&records, &offsets), &assigned, &known, TIMEOUT)?;
            watched.metrics.measured(&measured);
            watched.places.measured(measured);
            Ok::<_, KafkaError>(())
        });
        if let Err(error) = measured.await {
            tracing::debug!(%error, "cannot tell the lag");
        }
        pause(&stop, PAUSE).await;
    }
}

fn find_owners(
    client: &BaseConsumer<Reader>,
    watched: &Watched,
    sources: &[Source],
) -> KafkaResult<()> {
    let places = sources.iter().flat_map(|source| {
        let count = watched.places.count(&source.topic).unwrap_or(0);
        let partitions = 0..i32::try_from(count).unwrap_or(i32::MAX);
        partitions.map(|partition| (source.topic.to_string(), partition))
    });
    let known = owners::ask(client, places, |_| Vec::new(), TIMEOUT)?.into_iter();
    let owners = known.map(|(place, (_, owner))| (place, owner));
    watched.places.owned(owners.collect());
    Ok(())
}
