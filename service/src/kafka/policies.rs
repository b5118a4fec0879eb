use super::{
    Error, Settings,
    topics::{Admin, TIMEOUT, admin, unreachable},
};
use rdkafka::{
    admin::{AdminOptions, ResourceSpecifier},
    types::RDKafkaErrorCode,
};
use std::collections::BTreeMap;

/// What Kafka says of a topic's `cleanup.policy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Its words, e.g. `compact,delete`.
    Is(String),
    /// This client may not ask, or this broker does not know; with the reason.
    Untold(String),
}

/// The `cleanup.policy` of topics. One that is not there is left out.
///
/// # Errors
/// When no broker answers.
pub async fn cleanup_policies(
    settings: &Settings,
    topics: &[&str],
) -> Result<BTreeMap<String, Policy>, Error> {
    let admin = admin(settings)?;
    if is_mock(&admin).await {
        let why = "this broker is none of Apache Kafka's";
        let untold = topics.iter();
        let untold = untold.map(|topic| ((*topic).to_owned(), Policy::Untold(why.into())));
        return Ok(untold.collect());
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
    let mut policies = BTreeMap::new();
    // Answers have the order of the questions.
    for (topic, answer) in topics.iter().zip(answers) {
        let policy = match answer {
            Ok(described) => {
                let entry = described.get("cleanup.policy");
                // Kafka answers who may not ask with a description that has nothing in it.
                match entry.and_then(|entry| entry.value.clone()) {
                    Some(value) => Policy::Is(value),
                    None => Policy::Untold(
                        "this client may not describe its configuration (`DescribeConfigs`)".into(),
                    ),
                }
            }
            Err(RDKafkaErrorCode::UnknownTopicOrPartition) => continue,
            Err(code) => Policy::Untold(code.to_string()),
        };
        policies.insert((*topic).to_owned(), policy);
    }
    Ok(policies)
}

/// Whether the broker is librdkafka's mock cluster, which lets admin clients wait in vain.
async fn is_mock(admin: &Admin) -> bool {
    let asked = admin.blocking(|admin| {
        // With the brokers' first answer comes the cluster's name; librdkafka may miss it while it
        // waits for that alone.
        admin.inner().fetch_metadata(None, TIMEOUT).ok()?;
        admin.inner().fetch_cluster_id(TIMEOUT)
    });
    let cluster = asked.await;
    cluster.is_some_and(|cluster| cluster.starts_with("mockCluster"))
}
