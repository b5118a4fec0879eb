use crate::{
    Config, Metrics, clock,
    reader::{Reader, is_of_content},
};
use anyhow::{Context as _, bail};
use footfall_task::GlobalTable;
use prometheus_client::metrics::gauge::Gauge;
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(3);
/// How often it is asked whether the topic has got more partitions.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// One reading of a table's topic, from its beginning.
pub(super) struct Follower<'t> {
    table: &'t dyn GlobalTable,
    consumer: BaseConsumer<Reader>,
    partitions: BTreeSet<i32>,
    /// Those that have not been read to the ends they had.
    unread: BTreeSet<i32>,
    next_look: Instant,
    rows: Gauge,
    bytes: Gauge,
}

impl<'t> Follower<'t> {
    pub(super) fn new(
        table: &'t dyn GlobalTable,
        config: &Config,
        metrics: &Metrics,
        reader: Reader,
    ) -> anyhow::Result<Self> {
        let mut config = config.observer();
        // What is behind a gap belongs to other rows than those that are held.
        config.set("auto.offset.reset", "error");
        let consumer = BaseConsumer::from_config_and_context(&config, reader)
            .context("make a consumer of tables")?;
        let labels = Metrics::topic(table.topic());
        Ok(Self {
            table,
            consumer,
            partitions: BTreeSet::new(),
            unread: BTreeSet::new(),
            next_look: clock::now(),
            rows: metrics.table_rows.get_or_create_owned(&labels),
            bytes: metrics.table_bytes.get_or_create_owned(&labels),
        })
    }

    /// Reads until `stop`, and says when it has come to the end for the first time.
    ///
    /// # Errors
    /// When only another reading helps.
    pub(super) fn run(
        mut self,
        stop: &CancellationToken,
        mut is_whole: impl FnMut(),
    ) -> anyhow::Result<()> {
        self.take_partitions()?;
        let mut was_whole = false;
        while !stop.is_cancelled() {
            if clock::now() >= self.next_look
                && let Err(error) = self.take_partitions()
            {
                tracing::debug!(topic = self.table.topic(), "{error:#}");
            }
            match self.consumer.poll(TICK) {
                Some(Ok(record)) => {
                    let key = record.key().unwrap_or_default();
                    self.table.change(key, record.payload())?;
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.unread.remove(&partition);
                    self.measure();
                    if self.unread.is_empty() && !was_whole {
                        was_whole = true;
                        is_whole();
                    }
                }
                Some(Err(error)) => check(&error)?,
                None => {}
            }
        }
        Ok(())
    }

    /// Begins to read the partitions that have come since the last look.
    fn take_partitions(&mut self) -> anyhow::Result<()> {
        self.next_look = clock::now() + BETWEEN_LOOKS;
        let topic = self.table.topic();
        let metadata = self.consumer.fetch_metadata(Some(topic), TIMEOUT);
        let metadata = metadata.context("kafka does not answer")?;
        let found = metadata.topics().iter();
        let found = found.flat_map(|topic| topic.partitions());
        let found: BTreeSet<_> = found.map(|partition| partition.id()).collect();
        if found.is_empty() {
            bail!("the topic does not exist yet");
        }
        let mut added = TopicPartitionList::new();
        for partition in found.difference(&self.partitions) {
            added.add_partition_offset(topic, *partition, Offset::Beginning)?;
        }
        if added.count() > 0 {
            let begun = self.consumer.incremental_assign(&added);
            begun.context("begin to read")?;
            self.unread.extend(found.difference(&self.partitions));
            self.partitions = found;
        }
        Ok(())
    }

    fn measure(&self) {
        let size = self.table.size();
        self.rows.set(i64::try_from(size.rows).unwrap_or(i64::MAX));
        self.bytes
            .set(i64::try_from(size.bytes).unwrap_or(i64::MAX));
    }
}

/// Whether a poll that failed may be followed by another one.
fn check(error: &KafkaError) -> anyhow::Result<()> {
    if let KafkaError::MessageConsumptionFatal(code) = error {
        bail!("the consumer is of no more use: {code}");
    }
    if let KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset) = error {
        bail!("what has been read is gone from the topic, which is read anew");
    }
    if let KafkaError::MessageConsumption(RDKafkaErrorCode::TopicAuthorizationFailed) = error {
        bail!("kafka does not let this client read it");
    }
    if let Some(code) = error.rdkafka_error_code()
        && is_of_content(code)
    {
        bail!("what it has cannot be read: {code}");
    }
    // Passing trouble: librdkafka tries again by itself, and has told its context.
    Ok(())
}
