use super::{Deliveries, Spread};
use footfall_service::kafka::reach::{Reach, see};
use rdkafka::producer::{Producer as _, ThreadedProducer};
use std::{sync::Arc, thread, time::Duration};

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long until the next look, while all is well, and while it is not.
const INTERVAL_UP: Duration = Duration::from_secs(2);
const INTERVAL_DOWN: Duration = Duration::from_millis(500);

/// Asks the leaders of the topics again and again, for as long as the process runs.
pub(super) fn watch(
    producer: ThreadedProducer<Deliveries>,
    topics: [String; 2],
    reach: Arc<Reach>,
    spread: Arc<Spread>,
) -> std::io::Result<()> {
    let look = move || loop {
        let [events, rejected] = &topics;
        let seen = see(producer.client(), events, TIMEOUT).and_then(|events| {
            spread.partitions(events.partitions);
            let rejected = see(producer.client(), rejected, TIMEOUT)?;
            Ok(events.silent.or(rejected.silent))
        });
        let interval = match seen {
            Ok(silent) => {
                reach.succeeded(silent);
                INTERVAL_UP
            }
            Err(refusal) => {
                reach.refused(&refusal);
                INTERVAL_DOWN
            }
        };
        thread::sleep(interval);
    };
    thread::Builder::new()
        .name("kafka watch".into())
        .spawn(look)
        .map(drop)
}
