//! Looks whether Kafka is within reach of every kind of client, and which topics there are.

use crate::{
    Config, Status,
    definition::{Definition, Member, Role, Verdict, judge},
    native::admin::members,
    quiet::Quiet,
    status::Worker,
    topics::Partitions,
    watch::{TIMEOUT, Watched},
};
use footfall_service::kafka::reach::{Refusal, see};
use footfall_task::Source;
use rdkafka::{
    ClientContext,
    client::Client,
    config::{FromClientConfigAndContext as _, RDKafkaLogLevel},
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, KafkaResult},
    producer::{DeliveryResult, Producer as _, ProducerContext, ThreadedProducer},
};
use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// So many of its events are heard at a look.
const EVENTS_AT_ONCE: usize = 64;

/// One of each kind whose properties differ.
pub(crate) struct Clients {
    consumer: BaseConsumer<Watcher>,
    /// Only where producers have properties of their own, e.g. another user.
    producer: Option<ThreadedProducer<Watcher>>,
    sources: Vec<Arc<str>>,
    status: Arc<Status>,
    config: Arc<Config>,
    definition: Arc<Definition>,
    /// librdkafka's mock cluster lets some questions wait in vain.
    is_mock: OnceLock<bool>,
    /// By which others of the group see that this process waits.
    waiting: Mutex<Option<BaseConsumer<Quiet>>>,
}

/// What its connections meet explains why Kafka is out of reach.
#[derive(Clone, Debug)]
struct Watcher(Arc<Status>);

impl Clients {
    /// # Errors
    /// When librdkafka does not take the properties.
    pub(crate) fn new(watched: &Watched, sources: &[Source]) -> KafkaResult<Self> {
        let status = Arc::clone(&watched.status);
        let watcher = Watcher(Arc::clone(&status));
        let kafka = &watched.config.kafka;
        let consumer = watched.config.observer();
        let consumer = BaseConsumer::from_config_and_context(&consumer, watcher.clone())?;
        let has_own = !kafka.producer.is_empty();
        let producer = has_own.then(|| {
            let config = kafka.producer(&[]);
            ThreadedProducer::from_config_and_context(&config, watcher)
        });
        Ok(Self {
            consumer,
            producer: producer.transpose()?,
            sources: sources
                .iter()
                .map(|source| Arc::clone(&source.topic))
                .collect(),
            status,
            config: Arc::clone(&watched.config),
            definition: Arc::clone(&watched.definition),
            is_mock: OnceLock::new(),
            waiting: Mutex::new(None),
        })
    }

    /// For questions about them.
    pub(crate) fn consumer(&self) -> &BaseConsumer<impl ConsumerContext> {
        &self.consumer
    }

    /// The topics there are, if Kafka answers: a broker that knows them, and leaders of the sources.
    pub(crate) fn look(&self) -> Option<Partitions> {
        let looked = self.see();
        // Its errors are heard only when it is polled, and it has no records.
        for _ in 0..EVENTS_AT_ONCE {
            let _nothing = self.consumer.poll(Duration::ZERO);
        }
        self.status.turns();
        match looked {
            Ok((existing, silent)) => {
                self.status.reach().succeeded(silent);
                Some(existing)
            }
            Err(refusal) => {
                self.status.reach().refused(&refusal);
                None
            }
        }
    }

    /// Whether the broker answers all questions. Asked once it has answered any.
    pub(crate) fn is_mock(&self) -> bool {
        *self.is_mock.get_or_init(|| {
            let cluster = self.consumer.client().fetch_cluster_id(TIMEOUT);
            cluster.is_some_and(|cluster| cluster.starts_with("mockCluster"))
        })
    }

    /// Whether this process may work beside the other members of the group. While it may not, it is
    /// a member without partitions.
    pub(crate) fn judge(&self, is_working: bool) -> Verdict {
        if self.is_mock() {
            return Verdict::Work;
        }
        let group = &self.config.group;
        let members = match members(self.consumer.client(), group, TIMEOUT) {
            Ok(members) => members,
            // Who may not ask works without knowing.
            Err(error) => {
                tracing::debug!(%error, group, "asking who is in the group");
                return Verdict::Work;
            }
        };
        let members = members.iter();
        let members: Vec<_> = members
            .filter_map(|(id, host)| Member::parse(id, host))
            .collect();
        let verdict = judge(group, &self.definition, &members, is_working);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match (&verdict, waiting.as_ref()) {
            (Verdict::Wait(_), None) => *waiting = self.wait(),
            (Verdict::Wait(_), Some(consumer)) => {
                // Being a member takes that.
                let _nothing = consumer.poll(Duration::ZERO);
            }
            (Verdict::Work | Verdict::Tell(_), _) => *waiting = None,
        }
        verdict
    }

    /// A member of the group that reads nothing: a topic of this name is not there.
    fn wait(&self) -> Option<BaseConsumer<Quiet>> {
        let mut config = self.config.source_consumer(Worker::default());
        config.remove("group.instance.id");
        let mark = self.definition.mark(self.config.client_id(), Role::Waits);
        config.set("client.id", mark);
        let consumer = BaseConsumer::from_config_and_context(&config, Quiet);
        let nothing = format!("{}-waiting", self.config.group);
        let joined = consumer.and_then(|consumer: BaseConsumer<_>| {
            consumer.subscribe(&[&nothing])?;
            Ok(consumer)
        });
        joined
            .inspect_err(|error| tracing::debug!(%error, "waiting as a member of the group"))
            .ok()
    }

    fn see(&self) -> Result<(Partitions, Option<String>), Refusal> {
        let consumer = self.consumer.client();
        let existing = existing(consumer)?;
        if let Some(producer) = &self.producer {
            self::existing(producer.client())?;
        }
        let mut silent = Vec::new();
        let there = self.sources.iter();
        let there: Vec<_> = there
            .filter(|topic| existing.contains_key(&***topic))
            .collect();
        let mut refusal = None;
        let mut answers = 0;
        for topic in &there {
            match see(consumer, topic, TIMEOUT) {
                Ok(seen) => {
                    answers += 1;
                    silent.extend(seen.silent);
                }
                // What is wrong with one topic alone is told by those who read it.
                Err(refused) => {
                    answers += usize::from(refused.is_answer());
                    silent.push(refused.reason.clone());
                    refusal = Some(refused);
                }
            }
        }
        match refusal {
            Some(refusal) if answers == 0 => Err(refusal),
            _ => {
                let silent = (!silent.is_empty()).then(|| silent.join("; "));
                Ok((existing, silent))
            }
        }
    }
}

fn existing<C: ClientContext>(client: &Client<C>) -> Result<Partitions, Refusal> {
    let metadata = client.fetch_metadata(None, TIMEOUT);
    let metadata = metadata.map_err(|error| Refusal {
        code: error.rdkafka_error_code(),
        reason: "no broker answers".into(),
    })?;
    let topics = metadata.topics().iter();
    Ok(topics
        .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
        .collect())
}

impl ClientContext for Watcher {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Quiet.error(error.clone(), reason);
        self.0.turns();
        self.0.reach().failed(error.rdkafka_error_code(), reason);
    }
}

impl ConsumerContext for Watcher {}

impl ProducerContext for Watcher {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
