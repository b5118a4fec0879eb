use super::Shared;
use crate::pending::Token;
use rdkafka::{
    ClientContext, Message as _, config::RDKafkaLogLevel, error::KafkaError,
    message::DeliveryResult, producer::ProducerContext,
};
use std::sync::Arc;

/// The header with the trace that a record belongs to.
pub(super) const TRACEPARENT: &str = "traceparent";

/// Hears from librdkafka what became of each record.
pub(super) struct Deliveries(Arc<Shared>);

impl Deliveries {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Failed connections come here again and again; `Reach` tells of them once.
        let is_worth_a_look = level as u32 <= RDKafkaLogLevel::Warning as u32 && facility != "FAIL";
        if is_worth_a_look {
            tracing::warn!(target: "librdkafka", facility, message);
        } else {
            tracing::debug!(target: "librdkafka", facility, message);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.reach.failed(error.rdkafka_error_code(), reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, packed: usize) {
        let token = Token::unpack(packed);
        match result {
            Ok(record) => {
                let (key, value) = (record.key(), record.payload());
                let bytes = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
                self.0.delivered(token, key, bytes);
            }
            Err((error, record)) => {
                let value = record.payload().unwrap_or_default();
                self.0.returned(token, record.key(), value, error);
            }
        }
    }
}
