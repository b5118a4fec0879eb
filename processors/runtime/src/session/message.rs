use footfall_task::{Header, Offset, Partition, Record, Timestamp};
use rdkafka::{
    Message as _,
    message::{BorrowedMessage, Headers as _},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A record in the words of tasks.
pub(super) fn borrow<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    Record {
        topic: message.topic(),
        partition: Partition(message.partition()),
        offset: Offset(message.offset()),
        timestamp: message.timestamp().to_millis().map(Timestamp),
        key: message.key(),
        value: message.payload(),
        headers: headers(message),
    }
}

/// The client panics at a name that is not UTF-8, which Kafka's protocol does not allow, and which
/// must not stop the records behind it.
fn headers<'a>(message: &'a BorrowedMessage<'_>) -> Vec<Header<'a>> {
    let Some(headers) = message.headers() else {
        return Vec::new();
    };
    let read = || {
        headers
            .iter()
            .map(|header| (header.key, header.value))
            .collect()
    };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let (partition, offset) = (message.partition(), message.offset());
        tracing::error!(
            topic = message.topic(),
            partition,
            offset,
            "a record's headers are left out: a name is not UTF-8"
        );
        Vec::new()
    })
}
