use super::{
    Error, Settings,
    policies::is_mock,
    topics::{Admin, TIMEOUT, admin, unreachable},
};
use rdkafka::admin::{AdminOptions, ConfigResource, ResourceSpecifier};
use std::collections::BTreeMap;

/// What a topic takes, as Kafka says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicLimits {
    /// `max.message.bytes`: how large a batch of records may be, when it is compressed.
    pub max_bytes: u64,
    /// `message.timestamp.after.max.ms`: how far after the broker's clock a record's timestamp may be.
    pub after_ms: i64,
    /// `message.timestamp.before.max.ms`: how far before it.
    pub before_ms: i64,
    /// Whether it has the broker's time in the place of its records' own (`message.timestamp.type`).
    pub has_broker_time: bool,
    /// `cleanup.policy`.
    pub cleanup: String,
}

impl Default for TopicLimits {
    /// As Kafka 4 sets topics up.
    fn default() -> Self {
        Self {
            max_bytes: 1_048_588,
            after_ms: 3_600_000,
            before_ms: i64::MAX,
            has_broker_time: false,
            cleanup: "delete".to_owned(),
        }
    }
}

impl TopicLimits {
    /// What is not said is as it is without being said; brokers before 3.6 bound no timestamps.
    fn of(described: &ConfigResource) -> Self {
        let text = |name: &str| described.get(name).and_then(|entry| entry.value.clone());
        let number = |name: &str| text(name)?.parse().ok();
        Self {
            max_bytes: text("max.message.bytes")
                .and_then(|bytes| bytes.parse().ok())
                .unwrap_or(Self::default().max_bytes),
            after_ms: number("message.timestamp.after.max.ms").unwrap_or(i64::MAX),
            before_ms: number("message.timestamp.before.max.ms").unwrap_or(i64::MAX),
            has_broker_time: text("message.timestamp.type").as_deref() == Some("LogAppendTime"),
            cleanup: text("cleanup.policy").unwrap_or_default(),
        }
    }
}

/// The limits of those of these topics that this client may ask for.
///
/// # Errors
/// When no broker answers.
pub async fn topic_limits(
    settings: &Settings,
    topics: &[&str],
) -> Result<BTreeMap<String, TopicLimits>, Error> {
    let admin = admin(settings)?;
    ask(settings, &admin, topics).await
}

pub(super) async fn ask(
    settings: &Settings,
    admin: &Admin,
    topics: &[&str],
) -> Result<BTreeMap<String, TopicLimits>, Error> {
    if topics.is_empty() || is_mock(admin).await {
        return Ok(BTreeMap::new());
    }
    let asked: Vec<_> = topics
        .iter()
        .map(|topic| ResourceSpecifier::Topic(topic))
        .collect();
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let answers = admin
        .describe_configs(&asked, &options)
        .await
        .map_err(|source| unreachable(settings, source))?;
    // Answers have the order of the questions.
    let told = topics.iter().zip(answers).filter_map(|(topic, answer)| {
        let described = answer.ok()?;
        Some(((*topic).to_owned(), TopicLimits::of(&described)))
    });
    Ok(told.collect())
}
