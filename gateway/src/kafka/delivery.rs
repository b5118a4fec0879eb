use super::Shared;
use crate::{
    outgoing::{Message, Topic},
    pending::Token,
};
use footfall_protocol::Timestamp;
use rdkafka::{
    ClientContext, Message as _,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::{BorrowedMessage, DeliveryResult, Headers as _},
    producer::ProducerContext,
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
            Err((error, record)) => self.0.failed(token, &message(record), error),
        }
    }
}

/// A record as it was sent. Its topic is known by its token.
fn message<'a>(record: &'a BorrowedMessage<'_>) -> Message<'a> {
    let headers = record
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    let mut traceparent = headers.filter(|header| header.key == TRACEPARENT);
    let traceparent = traceparent.find_map(|header| std::str::from_utf8(header.value?).ok());
    Message {
        topic: Topic::Events,
        key: record.key(),
        value: record.payload().unwrap_or_default(),
        timestamp: Timestamp::from_millis(record.timestamp().to_millis().unwrap_or_default()),
        traceparent,
    }
}
