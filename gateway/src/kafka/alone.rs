use super::{Deliveries, Shared};
use rdkafka::{
    ClientConfig, config::FromClientConfigAndContext as _, error::KafkaResult,
    producer::ThreadedProducer,
};
use std::sync::{Arc, OnceLock};

/// The client for records that Kafka has refused together with others. Kafka refuses a batch whole; here each record is a
/// batch of its own, so that only the one at fault is refused again.
pub(super) struct Alone {
    config: ClientConfig,
    shared: Arc<Shared>,
    /// Made when it is first needed: most gateways never do.
    producer: OnceLock<ThreadedProducer<Deliveries>>,
}

impl Alone {
    /// `config`: the usual client's.
    pub(super) fn new(mut config: ClientConfig, shared: Arc<Shared>) -> Self {
        // Its other name would override it.
        config.remove("queue.buffering.max.ms");
        config.set("linger.ms", "0").set("batch.num.messages", "1");
        Self {
            config,
            shared,
            producer: OnceLock::new(),
        }
    }

    pub(super) fn producer(&self) -> KafkaResult<&ThreadedProducer<Deliveries>> {
        if let Some(producer) = self.producer.get() {
            return Ok(producer);
        }
        let context = Deliveries::new(self.shared.clone());
        let made = ThreadedProducer::from_config_and_context(&self.config, context)?;
        tracing::warn!(
            "kafka refuses a batch for one of its records; until that is found each is sent alone, which is slow"
        );
        Ok(self.producer.get_or_init(|| made))
    }

    /// The client, if it was ever needed.
    pub(super) fn made(&self) -> Option<&ThreadedProducer<Deliveries>> {
        self.producer.get()
    }
}
