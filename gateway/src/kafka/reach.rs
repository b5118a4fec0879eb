use super::Deliveries;
use rdkafka::{
    producer::{Producer as _, ThreadedProducer},
    types::RDKafkaErrorCode,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long until the next look, while all is well, and while it is not.
const INTERVAL_UP: Duration = Duration::from_secs(5);
const INTERVAL_DOWN: Duration = Duration::from_millis(500);

/// Whether Kafka is within reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) up: bool,
    /// Kafka has never been reached, for a reason that does not heal by itself.
    pub(super) hopeless: bool,
    /// In words, while it is not up.
    pub(super) reason: Option<String>,
    reached: bool,
}

/// Keeps what is known, and logs when it changes.
#[derive(Debug)]
pub(super) struct Reach(Mutex<State>);

impl Default for Reach {
    fn default() -> Self {
        Self(Mutex::new(State {
            up: false,
            hopeless: false,
            reason: Some("kafka has not been reached yet".into()),
            reached: false,
        }))
    }
}

impl Reach {
    pub(super) fn now(&self) -> State {
        self.lock().clone()
    }

    pub(super) fn succeeded(&self) {
        let mut state = self.lock();
        if !state.up {
            tracing::info!("kafka is within reach");
        }
        *state = State {
            up: true,
            hopeless: false,
            reason: None,
            reached: true,
        };
    }

    /// The client has met an error. Most concern one of several brokers and heal; those are left to the next look.
    pub(super) fn failed(&self, code: Option<RDKafkaErrorCode>, reason: &str) {
        let lasting = code.is_some_and(is_lasting);
        if !lasting && code != Some(RDKafkaErrorCode::AllBrokersDown) {
            tracing::debug!(?code, reason, "kafka's client has met an error");
            return;
        }
        self.down(lasting, reason);
    }

    fn down(&self, lasting: bool, reason: &str) {
        let mut state = self.lock();
        // What is known not to heal explains the timeouts that follow from it.
        if state.hopeless && !lasting {
            return;
        }
        if state.up || state.reason.as_deref() != Some(reason) {
            tracing::warn!(reason, "kafka is not within reach");
        }
        state.up = false;
        state.hopeless = lasting && !state.reached;
        state.reason = Some(reason.into());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for the topics again and again, for as long as the process runs.
pub(super) fn watch(
    producer: ThreadedProducer<Deliveries>,
    topics: [String; 2],
    reach: Arc<Reach>,
) -> std::io::Result<()> {
    let look = move || loop {
        let seen = topics.iter().try_for_each(|topic| see(&producer, topic));
        let interval = match seen {
            Ok(()) => {
                reach.succeeded();
                INTERVAL_UP
            }
            Err((code, reason)) => {
                reach.down(code.is_some_and(is_lasting), &reason);
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

fn see(
    producer: &ThreadedProducer<Deliveries>,
    topic: &str,
) -> Result<(), (Option<RDKafkaErrorCode>, String)> {
    let metadata = producer
        .client()
        .fetch_metadata(Some(topic), TIMEOUT)
        .map_err(|error| {
            let reason = format!("no broker answers ({error})");
            (error.rdkafka_error_code(), reason)
        })?;
    let wrong = metadata.topics().iter().find_map(|topic| topic.error());
    match wrong.map(RDKafkaErrorCode::from) {
        // A topic without a leader is there; it is being elected.
        None | Some(RDKafkaErrorCode::LeaderNotAvailable) => Ok(()),
        Some(code) => Err((Some(code), format!("topic `{topic}`: {code}"))),
    }
}

/// Whether a person has to do something about it.
fn is_lasting(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
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
