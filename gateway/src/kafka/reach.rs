use super::{Deliveries, Shared, Spread};
use crate::outgoing::Topic;
use footfall_service::kafka::reach::{self, State, see};
use rdkafka::{
    producer::{Producer as _, ThreadedProducer},
    types::RDKafkaErrorCode as Code,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long until the next look, while all is well, and while it is not.
const INTERVAL_UP: Duration = Duration::from_secs(2);
const INTERVAL_DOWN: Duration = Duration::from_millis(500);

/// The two topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topics {
    pub(super) events: String,
    pub(super) rejected: String,
}

/// Keeps what is known of Kafka and the topics.
#[derive(Debug, Default)]
pub(super) struct Reach {
    events: reach::Reach,
    /// Why the topic of rejected events is not there. Nothing but its own records depends on it.
    rejected: Mutex<Option<String>>,
}

impl Reach {
    pub(super) fn now(&self) -> State {
        self.events.now()
    }

    pub(super) fn is_up(&self) -> bool {
        self.events.is_up()
    }

    /// The client has met an error.
    pub(super) fn failed(&self, code: Option<Code>, reason: &str) {
        self.events.failed(code, reason);
    }

    /// Why the topic of rejected events is not there, if it is not.
    pub(super) fn rejected(&self) -> Option<String> {
        let rejected = self.rejected.lock();
        rejected.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says whether the topic of rejected events is there again.
    fn set_rejected(&self, reason: Option<String>) -> bool {
        let rejected = self.rejected.lock();
        let mut rejected = rejected.unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &reason
            && rejected.is_none()
        {
            tracing::warn!(reason, "the records of rejected events do not reach kafka");
        }
        let is_back = rejected.is_some() && reason.is_none();
        *rejected = reason;
        is_back
    }
}

/// Asks the leaders of the topics again and again, for as long as the process runs.
pub(super) fn watch(
    producer: ThreadedProducer<Deliveries>,
    topics: Arc<Topics>,
    shared: Arc<Shared>,
    spread: Arc<Spread>,
) -> std::io::Result<()> {
    let look = move || loop {
        let reach = &shared.reach;
        let acknowledged = shared.acknowledged();
        let mut interval = match see(producer.client(), &topics.events, TIMEOUT) {
            Ok(seen) => {
                spread.set_partitions(seen.partitions);
                reach.events.succeeded(seen.silent);
                INTERVAL_UP
            }
            // One of several brokers was asked, and hangs; others take records.
            Err(refusal) if !refusal.is_answer() && shared.acknowledged() != acknowledged => {
                reach.events.succeeded(Some(refusal.reason));
                INTERVAL_DOWN
            }
            Err(refusal) => {
                reach.events.refused(&refusal);
                INTERVAL_DOWN
            }
        };
        match see(producer.client(), &topics.rejected, TIMEOUT) {
            Ok(_) => {
                let is_back = reach.set_rejected(None);
                if is_back {
                    shared.pending().forget_trouble(Topic::Rejected);
                }
            }
            Err(refusal) if refusal.is_answer() => {
                reach.set_rejected(Some(refusal.reason));
                interval = INTERVAL_DOWN;
            }
            Err(_) => {}
        }
        thread::sleep(interval);
    };
    thread::Builder::new()
        .name("kafka watch".into())
        .spawn(look)
        .map(drop)
}
