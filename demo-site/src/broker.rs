//! The embedded broker: librdkafka's mock cluster in a process of its own.
//!
//! It speaks Kafka's real protocol and costs nothing to install, and it is not Kafka: see [`BANNER`].

use anyhow::Context as _;
use rdkafka::mocking::MockCluster;
use std::{io::Write as _, str::FromStr};
use tokio_util::sync::CancellationToken;

/// What the broker is not, told to whoever starts it.
pub const BANNER: &str = "\
the embedded broker is for trying Footfall out, not for data that matters:
  - everything is in memory and gone when it stops
  - it keeps the newest 5 MiB or 100,000 batches of a partition and forgets the rest without a word
  - topics exist only by --topic; clients cannot create them
  - transactions are not isolated and nobody is fenced
use Apache Kafka for everything else
";

/// Runs an in-memory Kafka broker for the demo.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "footfall-embedded-broker", version)]
pub struct Options {
    /// A topic to create, with its number of partitions; may be repeated
    #[arg(long = "topic", value_name = "NAME:PARTITIONS")]
    pub topics: Vec<Topic>,
}

/// A topic and its number of partitions, written `NAME:PARTITIONS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    name: String,
    partitions: i32,
}

impl FromStr for Topic {
    type Err = String;

    /// # Errors
    /// Says what was expected, and what the name or the number is instead.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, partitions) = text
            .rsplit_once(':')
            .ok_or_else(|| format!("expected NAME:PARTITIONS, found `{text}`"))?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > 249 || !name.bytes().all(legal) {
            return Err(format!(
                "expected 1 to 249 of A-Z a-z 0-9 . _ - as the topic's name, found `{name}`"
            ));
        }
        match partitions.parse() {
            Ok(partitions @ 1..=1000) => Ok(Self {
                name: name.to_owned(),
                partitions,
            }),
            Ok(_) | Err(_) => Err(format!(
                "expected 1 to 1000 partitions, found `{partitions}`"
            )),
        }
    }
}

/// Runs the broker until `stop`, and says `ready HOST:PORT` on stdout once clients can connect.
///
/// # Errors
/// When the cluster cannot start or refuses a topic.
pub async fn run(options: &Options, stop: CancellationToken) -> anyhow::Result<()> {
    std::io::stderr().write_all(BANNER.as_bytes())?;
    let cluster = MockCluster::new(1).context("start the embedded broker")?;
    for topic in &options.topics {
        cluster
            .create_topic(&topic.name, topic.partitions, 1)
            .with_context(|| format!("create topic {}", topic.name))?;
    }
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ready {}", cluster.bootstrap_servers())?;
    stdout.flush()?;
    stop.cancelled().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Topic;

    #[test]
    fn a_topic_is_a_name_and_its_partitions() {
        let topic: Topic = "footfall.events.v1:6".parse().unwrap();
        assert_eq!(topic.name, "footfall.events.v1");
        assert_eq!(topic.partitions, 6);
    }

    #[test]
    fn a_wrong_topic_is_refused_with_what_was_expected() {
        for (text, expected) in [
            ("events", "expected NAME:PARTITIONS, found `events`"),
            ("events:0", "expected 1 to 1000 partitions, found `0`"),
            ("events:many", "expected 1 to 1000 partitions, found `many`"),
            (
                "two words:1",
                "expected 1 to 249 of A-Z a-z 0-9 . _ - as the topic's name, found `two words`",
            ),
        ] {
            assert_eq!(text.parse::<Topic>(), Err(expected.to_owned()), "{text}");
        }
    }
}
