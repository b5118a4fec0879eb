use super::{Brief, Settings};
use crate::config;
use rdkafka::{
    admin::{AdminClient, AdminOptions, TopicReplication},
    client::DefaultClientContext,
    config::FromClientConfig as _,
    error::KafkaError,
    types::RDKafkaErrorCode,
};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// How long the broker may take for one answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// What librdkafka takes for "as the broker is set up".
const BROKER_DEFAULT: i32 = -1;

/// `[topics]`: how topics that are missing are made.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CreateTopics {
    /// Whether to make them at all.
    pub create: bool,
    /// Partitions where no source topic says how many; the broker's default when absent.
    #[serde(default)]
    pub partitions: Option<i32>,
    /// How long records are kept; for ever when absent, because Kafka deletes by record time and
    /// the times of events may be old.
    #[serde(default, deserialize_with = "config::optional_duration")]
    pub retention: Option<Duration>,
}

/// A topic that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// The topic whose partition count it shares.
    pub like: Option<String>,
    /// Whether only the newest record of each key is kept (changelogs), or all (`topics.retention`).
    pub compact: bool,
}

/// Why topics could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No broker answered.
    #[error("kafka at {brokers} does not answer; check `kafka.brokers` and that the broker runs")]
    Unreachable {
        brokers: String,
        #[source]
        source: KafkaError,
    },
    /// The broker refused a topic.
    #[error(
        "kafka did not create topic `{topic}`: {code}; create it by hand, or allow this client to create topics"
    )]
    Refused {
        topic: String,
        code: RDKafkaErrorCode,
    },
    /// A broker answers, but not this question: too old, or no Kafka in full.
    #[error(
        "kafka did not answer when asked to create topic `{topic}`; create it by hand, and set `topics.create` to false"
    )]
    Unanswered {
        topic: String,
        #[source]
        source: KafkaError,
    },
    /// The topic whose partition count counts is not there.
    #[error(
        "topic `{topic}` should have as many partitions as `{like}`, which does not exist; create that one first"
    )]
    NoSource { topic: String, like: String },
}

/// Makes those of `wanted` that are missing; says which it made. The order counts: a topic may be
/// like one before it.
///
/// # Errors
/// See [`Error`].
pub async fn create_missing(
    settings: &Settings,
    how: &CreateTopics,
    wanted: &[NewTopic],
) -> Result<Vec<String>, Error> {
    let admin = admin(settings)?;
    let mut partitions = existing(settings, &admin).await?;
    let retention = how
        .retention
        .map_or("-1".into(), |kept| kept.as_millis().to_string());
    let mut made = Vec::new();
    for topic in wanted {
        if partitions.contains_key(&topic.name) {
            continue;
        }
        let count = match &topic.like {
            None => how.partitions.unwrap_or(BROKER_DEFAULT),
            Some(like) => *partitions.get(like).ok_or_else(|| Error::NoSource {
                topic: topic.name.clone(),
                like: like.clone(),
            })?,
        };
        create(&admin, topic, count, &retention).await?;
        partitions.insert(topic.name.clone(), count);
        made.push(topic.name.clone());
    }
    Ok(made)
}

pub(super) type Admin = Brief<AdminClient<DefaultClientContext>>;

pub(super) fn admin(settings: &Settings) -> Result<Admin, Error> {
    match AdminClient::from_config(&settings.admin()) {
        Ok(admin) => Ok(Brief::new(admin)),
        Err(source) => Err(unreachable(settings, source)),
    }
}

/// The partition count of every topic there is.
async fn existing(settings: &Settings, admin: &Admin) -> Result<BTreeMap<String, i32>, Error> {
    let asked = admin.blocking(|admin| admin.inner().fetch_metadata(None, TIMEOUT));
    let metadata = asked
        .await
        .map_err(|source| unreachable(settings, source))?;
    let counts = metadata.topics().iter().map(|topic| {
        let count = i32::try_from(topic.partitions().len()).unwrap_or(BROKER_DEFAULT);
        (topic.name().to_owned(), count)
    });
    Ok(counts.collect())
}

async fn create(
    admin: &Admin,
    topic: &NewTopic,
    partitions: i32,
    retention: &str,
) -> Result<(), Error> {
    let mut request = rdkafka::admin::NewTopic::new(
        &topic.name,
        partitions,
        TopicReplication::Fixed(BROKER_DEFAULT),
    );
    request = if topic.compact {
        request.set("cleanup.policy", "compact")
    } else {
        let request = request.set("cleanup.policy", "delete");
        request.set("retention.ms", retention)
    };
    let options = AdminOptions::new()
        .operation_timeout(Some(TIMEOUT))
        .request_timeout(Some(TIMEOUT));
    let results = admin
        .create_topics([&request], &options)
        .await
        .map_err(|source| Error::Unanswered {
            topic: topic.name.clone(),
            source,
        })?;
    for result in results {
        match result {
            // Another instance was quicker.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(Error::Refused { topic, code }),
        }
    }
    Ok(())
}

pub(super) fn unreachable(settings: &Settings, source: KafkaError) -> Error {
    Error::Unreachable {
        brokers: settings.brokers.clone(),
        source,
    }
}
