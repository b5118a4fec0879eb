//! Brings state back from a changelog: from its beginning to the end it has now.

use crate::{Metrics, clock, quiet::Quiet};
use anyhow::{Context as _, bail};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};
use std::{collections::BTreeSet, thread, time::Duration};
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(100);
/// Without a record and without an end for so long, something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads these partitions of a changelog to their ends and hands each change to `take`: partition,
/// key, value.
///
/// # Errors
/// When Kafka does not answer, `take` fails, or it is time to stop.
pub(crate) fn restore(
    config: &ClientConfig,
    changelog: &str,
    partitions: BTreeSet<i32>,
    metrics: &Metrics,
    stop: &CancellationToken,
    mut take: impl FnMut(i32, &[u8], Option<&[u8]>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // A consumer for each changelog: the event that says "end" names a partition and no topic.
    let consumer: BaseConsumer<Quiet> = BaseConsumer::from_config_and_context(config, Quiet)
        .context("make a consumer of changelogs")?;
    let mut partitions = settled(config, &consumer, changelog, partitions, stop)?;
    if partitions.is_empty() {
        return Ok(());
    }
    let mut assignment = TopicPartitionList::new();
    for partition in &partitions {
        assignment.add_partition_offset(changelog, *partition, Offset::Beginning)?;
    }
    consumer
        .assign(&assignment)
        .with_context(|| format!("begin to read changelog `{changelog}`"))?;
    let restored = metrics
        .restored
        .get_or_create_owned(&Metrics::topic(changelog));
    let mut last_sign = clock::now();
    while !partitions.is_empty() {
        if stop.is_cancelled() {
            bail!("stopped while state was being restored");
        }
        match consumer.poll(TICK) {
            Some(Ok(change)) => {
                let key = change.key().unwrap_or_default();
                take(change.partition(), key, change.payload())?;
                restored.inc();
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                partitions.remove(&partition);
            }
            Some(Err(error)) => {
                tracing::debug!(%error, changelog, "reading a changelog");
                continue;
            }
            None => {
                let silence = clock::now().saturating_duration_since(last_sign);
                if silence > PATIENCE {
                    bail!(
                        "changelog `{changelog}` cannot be read to its end: kafka does not answer"
                    );
                }
                continue;
            }
        }
        last_sign = clock::now();
    }
    Ok(())
}

/// Waits until every transaction that has written to these partitions is decided, so that what is
/// read belongs to the offsets of the group; and says which partitions hold anything.
///
/// A predecessor that was killed or stopped in the middle of one holds this up until Kafka aborts
/// it, which its `transaction.timeout.ms` brings about.
fn settled(
    config: &ClientConfig,
    committed: &BaseConsumer<Quiet>,
    changelog: &str,
    partitions: BTreeSet<i32>,
    stop: &CancellationToken,
) -> anyhow::Result<BTreeSet<i32>> {
    let mut config = config.clone();
    config.set("isolation.level", "read_uncommitted");
    let written: BaseConsumer<Quiet> = BaseConsumer::from_config_and_context(&config, Quiet)
        .context("make a consumer of changelogs")?;
    let ends = |consumer: &BaseConsumer<Quiet>, partition| {
        consumer
            .fetch_watermarks(changelog, partition, PATIENCE)
            .with_context(|| format!("find the end of changelog `{changelog}`"))
    };
    let mut filled = BTreeSet::new();
    for partition in partitions {
        let (begin, end) = ends(&written, partition)?;
        while ends(committed, partition)?.1 < end {
            if stop.is_cancelled() {
                bail!("stopped while state was being restored");
            }
            thread::sleep(TICK);
        }
        if begin < end {
            filled.insert(partition);
        }
    }
    Ok(filled)
}
