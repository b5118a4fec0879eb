//! What librdkafka can do and the Rust client does not offer: records many at a time, and a flush
//! that returns as soon as it is done.
//!
//! A call for each record, with an event around it, costs several times what counting the record
//! does; and a flush that looks every 100 ms is as long as a whole commit interval.
#![expect(
    unsafe_code,
    reason = "both are reached only through librdkafka's C interface"
)]

use footfall_task::{Header, Offset, Partition, Record, Timestamp};
use rdkafka::{
    TopicPartitionList, bindings as c,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
    producer::{Producer as _, ProducerContext, ThreadedProducer},
};
use std::{
    ffi::{CStr, CString, c_void},
    ptr::{self, NonNull},
    slice,
    sync::Arc,
    time::Duration,
};

/// Sends what a producer holds without waiting for more; whether all of it has met its end in time.
pub(crate) fn flush<C: ProducerContext + 'static>(
    producer: &ThreadedProducer<C>,
    limit: Duration,
) -> bool {
    let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client lives, for the producer does.
    let left = unsafe { c::rd_kafka_flush(producer.client().native_ptr(), limit_ms) };
    left == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// Where the records of all assigned partitions come in.
pub(crate) struct Inbox<C: ConsumerContext> {
    queue: Arc<Queue>,
    /// Taken from the library and not given back yet; empty between two calls.
    taken: Vec<*mut c::rd_kafka_message_t>,
    /// The queue is of this client, which must outlive it.
    _consumer: Arc<BaseConsumer<C>>,
}

/// The library's queue behind an inbox.
pub(crate) struct Queue(NonNull<c::rd_kafka_queue_t>);

// SAFETY: librdkafka's queues may be used by any thread at any time.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl<C: ConsumerContext> Inbox<C> {
    /// An inbox for records of this consumer.
    ///
    /// # Errors
    /// When the library has no memory for it.
    pub(crate) fn of(consumer: &Arc<BaseConsumer<C>>) -> anyhow::Result<Self> {
        // SAFETY: the client lives, for the consumer does.
        let queue = unsafe { c::rd_kafka_queue_new(consumer.client().native_ptr()) };
        let queue = NonNull::new(queue).ok_or_else(|| anyhow::anyhow!("make a queue"))?;
        Ok(Self {
            queue: Arc::new(Queue(queue)),
            taken: Vec::new(),
            _consumer: Arc::clone(consumer),
        })
    }

    /// Its queue, to which partitions are diverted.
    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// What is there, up to `most` records; waits for the first of them.
    pub(crate) fn take(&mut self, wait: Duration, most: usize) -> Batch<'_> {
        self.fill(Duration::ZERO, most);
        if self.taken.is_empty() && !wait.is_zero() {
            // The library waits until it has as many as are asked for.
            self.fill(wait, 1);
        }
        Batch(&mut self.taken)
    }

    fn fill(&mut self, wait: Duration, most: usize) {
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        self.taken.reserve(most);
        // SAFETY: the vector has room for as many pointers as are asked for, and the library says
        // how many it has written; below zero is an error, which leaves none.
        unsafe {
            let room = self.taken.as_mut_ptr();
            let count = c::rd_kafka_consume_batch_queue(self.queue.0.as_ptr(), wait_ms, room, most);
            self.taken.set_len(usize::try_from(count).unwrap_or(0));
        }
    }
}

impl Queue {
    /// Has the records of these partitions come in here. Before the consumer begins to fetch them,
    /// so that none goes another way.
    pub(crate) fn divert<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        partitions: &TopicPartitionList,
    ) {
        for place in partitions.elements() {
            // A topic's name has no zero byte.
            let Ok(topic) = CString::new(place.topic()) else {
                continue;
            };
            // SAFETY: client and queue live; the partition's queue is released again, while what
            // it forwards to is the library's to keep.
            unsafe {
                let client = consumer.client().native_ptr();
                let source =
                    c::rd_kafka_queue_get_partition(client, topic.as_ptr(), place.partition());
                if !source.is_null() {
                    c::rd_kafka_queue_forward(source, self.0.as_ptr());
                    c::rd_kafka_queue_destroy(source);
                }
            }
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: it was made by us, and nobody uses it any more.
        unsafe { c::rd_kafka_queue_destroy(self.0.as_ptr()) }
    }
}

/// Some records, given back to the library when dropped.
pub(crate) struct Batch<'a>(&'a mut Vec<*mut c::rd_kafka_message_t>);

impl Batch<'_> {
    /// The records in order of arrival, and between them what the library has to say about a
    /// partition.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<Message<'_>, KafkaError>> {
        let messages = self.0.iter();
        messages.map(|message| {
            // SAFETY: the library's messages stay as they are until they are given back.
            let message = unsafe { &**message };
            if message.err == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                Ok(Message(message))
            } else {
                Err(KafkaError::MessageConsumption(message.err.into()))
            }
        })
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        for message in self.0.drain(..) {
            // SAFETY: each was handed to us once, and no reference outlives the batch.
            unsafe { c::rd_kafka_message_destroy(message) }
        }
    }
}

/// A record in the library's memory.
pub(crate) struct Message<'a>(&'a c::rd_kafka_message_t);

impl<'a> Message<'a> {
    /// The same in the words of tasks.
    pub(crate) fn record(&self) -> Record<'a> {
        let message = self.0;
        // SAFETY: key and payload are as long as the message says, and live as long as it does.
        let (key, value) = unsafe {
            (
                bytes(message.key, message.key_len),
                bytes(message.payload, message.len),
            )
        };
        // SAFETY: the message lives; the kind of timestamp is not asked for.
        let time = unsafe { c::rd_kafka_message_timestamp(message, ptr::null_mut()) };
        Record {
            topic: self.topic(),
            partition: Partition(message.partition),
            offset: Offset(message.offset),
            timestamp: (time != -1).then_some(Timestamp(time)),
            key,
            value,
            headers: self.headers(),
        }
    }

    fn topic(&self) -> &'a str {
        // SAFETY: the topic's handle lives as long as a message of it, and its name is a C string.
        let name = unsafe { CStr::from_ptr(c::rd_kafka_topic_name(self.0.rkt)) };
        // Kafka allows only ASCII.
        name.to_str().unwrap_or_default()
    }

    /// One whose name is not UTF-8, which Kafka's protocol does not allow, is left out: it must not
    /// stop the records behind it.
    fn headers(&self) -> Vec<Header<'a>> {
        let mut headers = Vec::new();
        let mut list = ptr::null_mut();
        // SAFETY: the message lives, and with it what it says that its headers are.
        let has = unsafe { c::rd_kafka_message_headers(self.0, &raw mut list) };
        if has != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return headers;
        }
        for index in 0.. {
            let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the list lives; the library fills in all three, unless it has no more.
            let name = unsafe {
                let found = c::rd_kafka_header_get_all(
                    list,
                    index,
                    &raw mut name,
                    &raw mut value,
                    &raw mut length,
                );
                if found != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                    break;
                }
                CStr::from_ptr(name)
            };
            match name.to_str() {
                // SAFETY: as long as the library says, and living as long as the message.
                Ok(name) => headers.push((name, unsafe { bytes(value, length) })),
                Err(_) => tracing::error!(
                    topic = self.topic(),
                    partition = self.0.partition,
                    offset = self.0.offset,
                    "a record's header is left out: its name is not UTF-8"
                ),
            }
        }
        headers
    }
}

/// # Safety
/// What is pointed to, if anything, must be `length` bytes long and live for `'a`.
unsafe fn bytes<'a>(at: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as said above.
    (!at.is_null()).then(|| unsafe { slice::from_raw_parts(at.cast::<u8>(), length) })
}

#[cfg(test)]
mod tests;
