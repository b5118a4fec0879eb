use super::{Deliveries, Shared, Spread};
use crate::outgoing::Topic;
use rdkafka::{
    producer::{Producer as _, ThreadedProducer},
    types::RDKafkaErrorCode as Code,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long until the next look, while all is well, and while it is not.
const INTERVAL_UP: Duration = Duration::from_secs(2);
const INTERVAL_DOWN: Duration = Duration::from_millis(500);

const NO_BROKER: &str = "no broker answers";

/// Whether Kafka is within reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) up: bool,
    /// Kafka has never been reached, for a reason that does not heal by itself.
    pub(super) hopeless: bool,
    /// In words, while it is not up.
    pub(super) reason: Option<String>,
}

/// The two topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topics {
    pub(super) events: String,
    pub(super) rejected: String,
}

/// Keeps what is known, and logs when it changes.
#[derive(Debug)]
pub(super) struct Reach(Mutex<Known>);

#[derive(Debug)]
struct Known {
    state: State,
    /// Whether Kafka has been reached since the start.
    reached: bool,
    /// Whether anything has been heard since the start.
    looked: bool,
    /// The newest error of a single connection, which explains why none is left.
    connection: Option<String>,
    /// Why the topic of rejected events is not there. Nothing but its own records depends on it.
    rejected: Option<String>,
}

impl Default for Reach {
    fn default() -> Self {
        let state = State {
            up: false,
            hopeless: false,
            reason: Some("kafka has not been reached yet".into()),
        };
        Self(Mutex::new(Known {
            state,
            reached: false,
            looked: false,
            connection: None,
            rejected: None,
        }))
    }
}

impl Reach {
    pub(super) fn now(&self) -> State {
        self.lock().state.clone()
    }

    pub(super) fn is_up(&self) -> bool {
        self.lock().state.up
    }

    /// Why the topic of rejected events is not there, if it is not.
    pub(super) fn rejected(&self) -> Option<String> {
        self.lock().rejected.clone()
    }

    /// Says whether the topic of rejected events is there again.
    fn set_rejected(&self, reason: Option<String>) -> bool {
        let mut known = self.lock();
        if let Some(reason) = &reason
            && known.rejected.is_none()
        {
            tracing::warn!(reason, "the records of rejected events do not reach kafka");
        }
        let is_back = known.rejected.is_some() && reason.is_none();
        known.rejected = reason;
        is_back
    }

    pub(super) fn succeeded(&self) {
        let mut known = self.lock();
        known.reached = true;
        known.connection = None;
        known.turn(State {
            up: true,
            hopeless: false,
            reason: None,
        });
    }

    /// The client has met an error. Most concern one of several brokers and heal; they only explain what may follow.
    pub(super) fn failed(&self, code: Option<Code>, reason: &str) {
        match code {
            Some(code) if is_lasting(code) => self.down(true, reason),
            Some(Code::AllBrokersDown) => self.down(false, NO_BROKER),
            _ => self.lock().connection = Some(reason.into()),
        }
    }

    fn down(&self, lasting: bool, reason: &str) {
        let mut known = self.lock();
        // What is known not to heal explains the timeouts that follow from it.
        if known.state.hopeless && !lasting {
            return;
        }
        let reason = match &known.connection {
            Some(connection) if !lasting => format!("{reason}: {connection}"),
            _ => reason.into(),
        };
        let hopeless = lasting && !known.reached;
        known.turn(State {
            up: false,
            hopeless,
            reason: Some(reason),
        });
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn turn(&mut self, state: State) {
        let reason = state.reason.as_deref().unwrap_or_default();
        match (&self.state, state.up) {
            (old, true) if !old.up => tracing::info!("kafka is within reach"),
            (old, false) if old.up || old.hopeless != state.hopeless || !self.looked => {
                tracing::warn!(reason, "kafka is out of reach");
            }
            _ => tracing::debug!(reason, "kafka was looked for"),
        }
        self.looked = true;
        self.state = state;
    }
}

/// Asks for the topics again and again, for as long as the process runs.
pub(super) fn watch(
    producer: ThreadedProducer<Deliveries>,
    topics: Arc<Topics>,
    shared: Arc<Shared>,
    spread: Arc<Spread>,
) -> std::io::Result<()> {
    let look = move || loop {
        let reach = &shared.reach;
        let acknowledged = shared.acknowledged();
        let mut interval = match see(&producer, &topics.events) {
            Ok(partitions) => {
                spread.set_partitions(partitions);
                reach.succeeded();
                INTERVAL_UP
            }
            // One of several brokers was asked, and hangs; others take records.
            Err(unseen) if !unseen.is_of_topic && shared.acknowledged() != acknowledged => {
                reach.succeeded();
                INTERVAL_DOWN
            }
            Err(Unseen { code, reason, .. }) => {
                reach.down(code.is_some_and(is_lasting), &reason);
                INTERVAL_DOWN
            }
        };
        match see(&producer, &topics.rejected) {
            Ok(_) => {
                let is_back = reach.set_rejected(None);
                if is_back {
                    shared.pending().forget_trouble(Topic::Rejected);
                }
            }
            Err(unseen) if unseen.is_of_topic => {
                reach.set_rejected(Some(unseen.reason));
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

/// Why a topic is not known.
struct Unseen {
    code: Option<Code>,
    reason: String,
    /// A broker has said so.
    is_of_topic: bool,
}

/// How many partitions the topic has.
fn see(producer: &ThreadedProducer<Deliveries>, topic: &str) -> Result<usize, Unseen> {
    let metadata = producer
        .client()
        .fetch_metadata(Some(topic), TIMEOUT)
        .map_err(|error| Unseen {
            code: error.rdkafka_error_code(),
            reason: NO_BROKER.to_owned(),
            is_of_topic: false,
        })?;
    let wrong = metadata.topics().iter().find_map(|topic| topic.error());
    match wrong.map(Code::from) {
        // A topic without a leader is there; it is being elected.
        None | Some(Code::LeaderNotAvailable) => Ok(metadata
            .topics()
            .iter()
            .map(|topic| topic.partitions().len())
            .sum()),
        Some(code) => Err(Unseen {
            code: Some(code),
            reason: format!("topic `{topic}`: {code}"),
            is_of_topic: true,
        }),
    }
}

/// Whether a person has to do something about it.
fn is_lasting(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::SSL
            | Code::ClusterAuthorizationFailed
            | Code::TopicAuthorizationFailed
            | Code::UnknownTopic
            | Code::UnknownTopicOrPartition
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_all_brokers_is_explained_by_the_newest_connection() {
        let reach = Reach::default();
        reach.succeeded();
        reach.failed(Some(Code::BrokerTransportFailure), "a:1: refused");
        assert!(reach.now().up);
        reach.failed(Some(Code::AllBrokersDown), "2/2 brokers are down");
        let now = reach.now();
        assert_eq!(
            now.reason.as_deref(),
            Some("no broker answers: a:1: refused")
        );
        assert!(!now.up && !now.hopeless);
    }

    #[test]
    fn a_wrong_password_is_hopeless_until_kafka_has_been_reached_once() {
        let reach = Reach::default();
        reach.failed(Some(Code::Authentication), "a:1: wrong password");
        reach.failed(Some(Code::AllBrokersDown), "1/1 brokers are down");
        let now = reach.now();
        assert!(now.hopeless);
        assert_eq!(now.reason.as_deref(), Some("a:1: wrong password"));

        reach.succeeded();
        reach.failed(Some(Code::Authentication), "a:1: wrong password");
        let now = reach.now();
        assert!(!now.up && !now.hopeless);
    }
}
