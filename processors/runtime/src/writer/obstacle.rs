//! Why a topic takes no records.

use super::Writer;
use rdkafka::{error::RDKafkaErrorCode, producer::Producer as _};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(1);

/// Why a topic takes no records, for people.
pub(crate) fn said(topic: &str, code: RDKafkaErrorCode) -> String {
    use RDKafkaErrorCode as Code;
    let missing = [
        Code::UnknownTopicOrPartition,
        Code::UnknownTopic,
        Code::UnknownPartition,
    ];
    let why = if missing.contains(&code) {
        "it does not exist, or has too few partitions; create it".to_owned()
    } else if code == Code::TopicAuthorizationFailed {
        "this client may not write to it; give it the right (`WRITE`)".to_owned()
    } else if code == Code::LeaderNotAvailable {
        "a partition has no leader; look after the brokers that hold it".to_owned()
    } else {
        format!("{code}")
    };
    format!("kafka does not take a record for topic `{topic}`: {why}")
}

impl Writer {
    /// What stands in the way of every record of one of these topics, as far as Kafka tells without
    /// one; `None` when it does not answer. The client learns of it, too, that a topic is as it should
    /// be again.
    pub(crate) fn obstacles<'a>(
        &self,
        topics: impl Iterator<Item = &'a str>,
    ) -> Option<Vec<(&'a str, RDKafkaErrorCode)>> {
        // Not by their names: that would have some brokers make them.
        let all = self.producer().client().fetch_metadata(None, TIMEOUT);
        let all = all.ok()?;
        let obstacle = |topic: &'a str| {
            let Some(known) = all.topics().iter().find(|known| known.name() == topic) else {
                return Some((topic, RDKafkaErrorCode::UnknownTopic));
            };
            let error = known.error().map(RDKafkaErrorCode::from);
            let has_leaders = known
                .partitions()
                .iter()
                .all(|partition| partition.leader() >= 0);
            let leaderless = (!has_leaders).then_some(RDKafkaErrorCode::LeaderNotAvailable);
            error.or(leaderless).map(|code| (topic, code))
        };
        Some(topics.filter_map(obstacle).collect())
    }
}
