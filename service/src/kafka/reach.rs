//! Whether Kafka is within reach, and why not: what clients say of their connections, and whether
//! the leaders of a topic answer.

use rdkafka::{
    ClientContext, client::Client, error::KafkaError, metadata::MetadataTopic,
    types::RDKafkaErrorCode as Code,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const NO_BROKER: &str = "no broker answers";
/// How long further leaders may take once one has answered.
const FURTHER: Duration = Duration::from_secs(1);

/// Whether Kafka is within reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whether a leader answers.
    pub up: bool,
    /// Kafka has never been reached, for a reason that does not heal by itself.
    pub hopeless: bool,
    /// In words, while it is not up, or not all of it is.
    pub reason: Option<String>,
}

/// Keeps what is known, and logs when it changes.
#[derive(Debug)]
pub struct Reach(Mutex<Known>);

#[derive(Debug)]
struct Known {
    state: State,
    /// Whether Kafka has been reached since the start.
    reached: bool,
    /// Whether anything has been heard since the start.
    looked: bool,
    /// The newest error of a single connection, which explains why none is left.
    connection: Option<(Option<Code>, String)>,
    /// The causes that have been logged since Kafka was up.
    logged: BTreeSet<Option<i32>>,
}

/// A topic as its leaders have shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How many partitions it has.
    pub partitions: usize,
    /// The leaders that do not answer beside those that do, in words.
    pub silent: Option<String>,
}

/// Why a topic is not within reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the client or the broker says.
    pub code: Option<Code>,
    /// In words.
    pub reason: String,
}

impl Refusal {
    /// Whether Kafka itself has said so.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.code.is_some_and(|code| !is_of_connection(code))
    }
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
            logged: BTreeSet::new(),
        }))
    }
}

impl Reach {
    /// What is known now.
    #[must_use]
    pub fn now(&self) -> State {
        self.lock().state.clone()
    }

    /// Whether a leader answers.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.lock().state.up
    }

    /// Kafka has answered; `silent` says which leaders have not.
    pub fn succeeded(&self, silent: Option<String>) {
        let mut known = self.lock();
        known.reached = true;
        if silent.is_none() {
            known.connection = None;
        }
        let state = State {
            up: true,
            hopeless: false,
            reason: silent,
        };
        known.turn(state, None);
    }

    /// A client has met an error. Most concern one of several brokers and heal; they only explain
    /// what may follow.
    pub fn failed(&self, code: Option<Code>, reason: &str) {
        let is_up = self.is_up();
        match code {
            Some(code) if is_lasting(code) && !is_up => self.down(Some(code), reason),
            Some(code @ Code::AllBrokersDown) => self.down(Some(code), NO_BROKER),
            _ => self.lock().connection = Some((code, explained(code, reason))),
        }
    }

    /// A look has found it out of reach.
    pub fn refused(&self, refusal: &Refusal) {
        self.down(refusal.code, &refusal.reason);
    }

    fn down(&self, code: Option<Code>, reason: &str) {
        let lasting = code.is_some_and(is_lasting);
        let mut known = self.lock();
        // What is known not to heal explains the timeouts that follow from it.
        if known.state.hopeless && !lasting {
            return;
        }
        let (cause, reason) = match &known.connection {
            Some((cause, connection)) if !lasting => (*cause, format!("{reason}: {connection}")),
            _ => (code, explained(code, reason)),
        };
        let hopeless = lasting && !known.reached;
        let state = State {
            up: false,
            hopeless,
            reason: Some(reason),
        };
        known.turn(state, cause);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn turn(&mut self, state: State, cause: Option<Code>) {
        let reason = state.reason.as_deref().unwrap_or_default();
        let is_news = match (&self.state, state.up) {
            (old, true) => !old.up || old.reason.is_some() != state.reason.is_some(),
            (old, false) => old.up || old.hopeless != state.hopeless || !self.looked,
        };
        let number = cause.map(|code| code as i32);
        let is_told = self.logged.contains(&number);
        match (state.up, state.reason.is_some()) {
            (true, false) if is_news => tracing::info!("kafka is within reach"),
            (true, true) if is_news => tracing::warn!(reason, "not all of kafka is within reach"),
            (false, _) if is_news || !is_told => tracing::warn!(reason, "kafka is out of reach"),
            _ => tracing::debug!(reason, "kafka was looked for"),
        }
        if state.up {
            self.logged.clear();
        } else {
            self.logged.insert(number);
        }
        self.looked = true;
        self.state = state;
    }
}

/// Asks every leader of a topic's partitions for one of them.
///
/// # Errors
/// When the topic is not there, or none of them answers.
pub fn see<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    timeout: Duration,
) -> Result<Seen, Refusal> {
    let metadata = client
        .fetch_metadata(Some(topic), timeout)
        .map_err(|error| refusal(&error, NO_BROKER.into()))?;
    let found = metadata.topics().first();
    if let Some(code) = found.and_then(MetadataTopic::error).map(Code::from)
        && code != Code::LeaderNotAvailable
    {
        let reason = format!("topic `{topic}`: {code}");
        return Err(Refusal {
            code: Some(code),
            reason,
        });
    }
    let partitions = found.map(MetadataTopic::partitions).unwrap_or_default();
    let led = partitions
        .iter()
        .filter(|partition| partition.leader() >= 0);
    let leaders: BTreeMap<_, _> = led
        .map(|partition| (partition.leader(), partition.id()))
        .collect();
    if leaders.is_empty() {
        let reason = format!("topic `{topic}` has no leader; is a broker of it down?");
        return Err(Refusal { code: None, reason });
    }
    let address = |leader: i32| {
        let mut brokers = metadata.brokers().iter();
        let broker = brokers.find(|broker| broker.id() == leader);
        broker.map_or_else(String::new, |broker| {
            format!(" at {}:{}", broker.host(), broker.port())
        })
    };
    let mut refusals = Vec::new();
    let mut answers = 0;
    for (leader, partition) in leaders {
        let patience = if answers > 0 { FURTHER } else { timeout };
        match client.fetch_watermarks(topic, partition, patience.min(timeout)) {
            Ok(_) => answers += 1,
            Err(error) => {
                let reason = format!(
                    "the leader of topic `{topic}`, partition {partition}{}, does not answer; check what the broker \
                     advertises (`advertised.listeners`)",
                    address(leader)
                );
                let refusal = refusal(&error, reason);
                if let Some(code) = refusal.code.filter(|code| is_lasting(*code)) {
                    let reason = format!("topic `{topic}`, partition {partition}: {code}");
                    return Err(Refusal { reason, ..refusal });
                }
                refusals.push(refusal);
            }
        }
    }
    let reasons: Vec<_> = refusals.iter().map(|one| one.reason.as_str()).collect();
    match refusals.first() {
        Some(first) if answers == 0 => Err(Refusal {
            reason: reasons.join("; "),
            ..*first
        }),
        first => Ok(Seen {
            partitions: partitions.len(),
            silent: first.map(|_| reasons.join("; ")),
        }),
    }
}

fn refusal(error: &KafkaError, reason: String) -> Refusal {
    let code = error.rdkafka_error_code();
    Refusal { code, reason }
}

/// Whether an error is about a connection, which whoever looks whether Kafka is there tells.
#[must_use]
pub fn is_of_connection(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::SSL
            | Code::OperationTimedOut
    )
}

/// Says what to look at, where the client's words do not.
fn explained(code: Option<Code>, reason: &str) -> String {
    let advice = match code {
        Some(
            Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism,
        ) => "check `sasl.mechanism`, `sasl.username` and `sasl.password`",
        Some(Code::SSL) => "check `security.protocol` and `ssl.ca.location`",
        Some(Code::Resolve) => "check the host names in `kafka.brokers`",
        Some(Code::AllBrokersDown | Code::OperationTimedOut) if reason == NO_BROKER => {
            "check `kafka.brokers` and that the broker runs"
        }
        _ => return reason.into(),
    };
    format!("{reason}; {advice}")
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
        reach.succeeded(None);
        reach.failed(Some(Code::BrokerTransportFailure), "a:1: refused");
        assert!(reach.now().up);
        reach.failed(Some(Code::AllBrokersDown), "2/2 brokers are down");
        let now = reach.now();
        let reason = now.reason.as_deref();
        assert_eq!(reason, Some("no broker answers: a:1: refused"));
        assert!(!now.up && !now.hopeless);
    }

    #[test]
    fn a_wrong_password_is_hopeless_until_kafka_has_been_reached_once() {
        let reach = Reach::default();
        reach.failed(Some(Code::Authentication), "a:1: wrong password");
        reach.failed(Some(Code::AllBrokersDown), "1/1 brokers are down");
        let now = reach.now();
        assert!(now.hopeless);
        let expected =
            "a:1: wrong password; check `sasl.mechanism`, `sasl.username` and `sasl.password`";
        assert_eq!(now.reason.as_deref(), Some(expected));

        reach.succeeded(None);
        reach.failed(Some(Code::AllBrokersDown), "1/1 brokers are down");
        reach.failed(Some(Code::Authentication), "a:1: wrong password");
        let now = reach.now();
        assert!(!now.up && !now.hopeless);
    }

    #[test]
    fn what_one_of_several_brokers_refuses_does_not_take_kafka_down() {
        let reach = Reach::default();
        reach.succeeded(None);
        reach.failed(Some(Code::SSL), "b:2: no certificate");
        assert!(reach.now().up);
        let refusal = Refusal {
            code: Some(Code::OperationTimedOut),
            reason: "the leader does not answer".into(),
        };
        reach.refused(&refusal);
        let expected = "the leader does not answer: b:2: no certificate; check `security.protocol` and \
             `ssl.ca.location`";
        assert_eq!(reach.now().reason.as_deref(), Some(expected));
    }

    #[test]
    fn leaders_that_do_not_answer_beside_others_are_told_while_kafka_is_up() {
        let reach = Reach::default();
        reach.succeeded(Some("partition 3 is silent".into()));
        let now = reach.now();
        assert!(now.up);
        assert_eq!(now.reason.as_deref(), Some("partition 3 is silent"));
    }
}
