use super::{Brief, Settings, TopicLimits, limits};
use crate::config;
use rdkafka::{
    admin::{AdminClient, AdminOptions, TopicReplication},
    client::DefaultClientContext,
    config::FromClientConfig as _,
    error::KafkaError,
    types::RDKafkaErrorCode,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long the broker may take for one answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// What librdkafka takes for "as the broker is set up".
const BROKER_DEFAULT: i32 = -1;
/// How much larger than its source's a record may be: for headers, and for a result, which is no
/// larger however small its records are.
const ROOM: u64 = 64 << 10;
const LEAST_BYTES: u64 = 2 << 20;

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
    let alike = wanted
        .iter()
        .filter(|topic| !partitions.contains_key(&topic.name));
    let alike: BTreeSet<_> = alike.filter_map(|topic| topic.like.as_deref()).collect();
    let alike: Vec<_> = alike.into_iter().collect();
    let mut limits = limits::ask(settings, &admin, &alike).await?;
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
        let like = topic.like.as_ref().map(|like| limits.get(like));
        let room = like.map(|limits| room_beside(limits));
        create(&admin, topic, count, &retention, room).await?;
        // For what is like this one.
        if let Some(max_bytes) = room {
            let made = TopicLimits {
                max_bytes,
                ..TopicLimits::default()
            };
            limits.insert(topic.name.clone(), made);
        }
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

/// How large records may be beside a topic with these limits.
fn room_beside(limits: Option<&TopicLimits>) -> u64 {
    let source = limits.map_or(TopicLimits::default().max_bytes, |limits| limits.max_bytes);
    // As many as Kafka's setting can hold.
    let most = u64::from(i32::MAX.unsigned_abs());
    source.saturating_add(ROOM).clamp(LEAST_BYTES, most)
}

/// Makes a topic. One that is made beside another takes whatever may come of its records.
async fn create(
    admin: &Admin,
    topic: &NewTopic,
    partitions: i32,
    retention: &str,
    room: Option<u64>,
) -> Result<(), Error> {
    let room = room.map(|bytes| bytes.to_string());
    match ask_for(admin, topic, partitions, retention, room.as_deref()).await {
        // Brokers before 3.6 do not know all settings, and some providers allow no others than
        // their own.
        Err(Error::Refused {
            code: code @ (RDKafkaErrorCode::InvalidConfig | RDKafkaErrorCode::PolicyViolation),
            ..
        }) if room.is_some() => {
            let topic = &*topic.name;
            tracing::warn!(topic, %code, "a topic is made with the broker's limits for sizes and timestamps");
        }
        done => return done,
    }
    ask_for(admin, topic, partitions, retention, None).await
}

async fn ask_for(
    admin: &Admin,
    topic: &NewTopic,
    partitions: i32,
    retention: &str,
    room: Option<&str>,
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
    const ANY: &str = "9223372036854775807";
    if let Some(room) = room {
        request = request
            .set("max.message.bytes", room)
            .set("message.timestamp.type", "CreateTime")
            .set("message.timestamp.before.max.ms", ANY)
            .set("message.timestamp.after.max.ms", ANY);
    }
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
