use super::NewRecord;
use rdkafka::{
    message::OwnedHeaders,
    producer::{FutureProducer, FutureRecord, Producer as _},
};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

/// A producer that outlives its broker.
pub struct Producer(pub(super) FutureProducer);

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Producer").finish_non_exhaustive()
    }
}

impl Producer {
    pub(super) async fn begin(&self) {
        let producer = self.0.clone();
        let begun = tokio::task::spawn_blocking(move || {
            producer.init_transactions(LIMIT)?;
            producer.begin_transaction()
        });
        begun.await.expect("an end").expect("a transaction");
    }

    /// Undoes its transaction.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn abort(&self) {
        let producer = self.0.clone();
        let aborted = tokio::task::spawn_blocking(move || producer.abort_transaction(LIMIT));
        aborted.await.expect("an end").expect("it is undone");
    }

    /// Puts records on a topic, in this order, and waits until all are acknowledged, for ever
    /// unless there is a limit.
    ///
    /// # Panics
    /// When one is not acknowledged.
    pub async fn produce_all<'a>(
        &self,
        topic: &str,
        records: impl IntoIterator<Item = NewRecord<'a>>,
        limit: Option<Duration>,
    ) {
        let mut sent = Vec::new();
        for record in records {
            let mut message = FutureRecord::<[u8], [u8]>::to(topic).timestamp(record.timestamp);
            message.partition = record.partition;
            message.key = record.key;
            message.payload = record.value;
            message.headers = Some(OwnedHeaders::new());
            let delivery = self.0.send_result(message);
            sent.push(delivery.unwrap_or_else(|(error, _)| panic!("produce: {error}")));
        }
        for delivery in sent {
            let delivery = match limit {
                Some(limit) => tokio::time::timeout(limit, delivery)
                    .await
                    .expect("an answer to what is produced"),
                None => delivery.await,
            };
            delivery
                .expect("a producer that lives")
                .unwrap_or_else(|(error, _)| panic!("produce: {error}"));
        }
    }
}
