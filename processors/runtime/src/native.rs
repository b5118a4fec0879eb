//! What librdkafka can do and the Rust client does not offer: records many at a time, topics that
//! are found once, the ends of partitions without a question to Kafka, and a flush that returns as
//! soon as it is done.
//!
//! A call for each record, with an event around it, costs several times what counting the record
//! does; looking a topic up by its name takes a fifth of what sending a record does; and a flush
//! that looks every 100 ms is as long as a whole commit interval.
#![expect(
    unsafe_code,
    reason = "all are reached only through librdkafka's C interface"
)]

pub(crate) mod admin;

use footfall_task::{Header, Offset, Outgoing, Partition, Record, Timestamp};
use rdkafka::{
    TopicPartitionList, bindings as c,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
    producer::{Producer as _, ProducerContext, ThreadedProducer},
    util::IntoOpaque as _,
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::{CStr, CString, c_void},
    ptr::{self, NonNull},
    slice,
    sync::Arc,
    time::Duration,
};

/// Where effects go out.
pub(crate) struct Outbox<C: ProducerContext + 'static> {
    /// Before the producer, so that they are dropped before it.
    topics: RefCell<BTreeMap<Arc<str>, Topic>>,
    producer: ThreadedProducer<C>,
}

/// A topic as the library knows it.
struct Topic(NonNull<c::rd_kafka_topic_t>);

// SAFETY: librdkafka's topics may be used by any thread at any time.
unsafe impl Send for Topic {}

impl<C: ProducerContext<DeliveryOpaque = usize> + 'static> Outbox<C> {
    /// Sends by this producer.
    pub(crate) fn of(producer: ThreadedProducer<C>) -> Self {
        Self {
            topics: RefCell::default(),
            producer,
        }
    }

    pub(crate) fn producer(&self) -> &ThreadedProducer<C> {
        &self.producer
    }

    /// Hands a record to the producer, whose context hears of its end by `number`.
    ///
    /// # Errors
    /// When the producer does not take it: `QueueFull` will pass.
    pub(crate) fn send(&self, record: &Outgoing, number: usize) -> Result<(), KafkaError> {
        let mut topics = self.topics.borrow_mut();
        let topic = match topics.get(&record.topic) {
            Some(topic) => topic,
            None => {
                let topic = Topic::of(&self.producer, &record.topic)?;
                topics.entry(Arc::clone(&record.topic)).or_insert(topic)
            }
        };
        let headers = Headers::of(record);
        let ((value, value_length), (key, key_length)) =
            (parts(record.value.as_ref()), parts(record.key.as_ref()));
        // SAFETY: client and topic live; each tag is followed by what it stands for; key and value
        // are as long as is said, and copied.
        let refusal = unsafe {
            c::rd_kafka_producev(
                self.producer.client().native_ptr(),
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_RKT,
                topic.0.as_ptr(),
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_PARTITION,
                record
                    .partition
                    .map_or(ANY_PARTITION, |partition| partition.0),
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_MSGFLAGS,
                c::RD_KAFKA_MSG_F_COPY,
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_VALUE,
                value,
                value_length,
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_KEY,
                key,
                key_length,
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_OPAQUE,
                number.into_ptr(),
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_TIMESTAMP,
                record.timestamp.map_or(NOW, written),
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_HEADERS,
                headers.0,
                c::rd_kafka_vtype_t::RD_KAFKA_VTYPE_END,
            )
        };
        if refusal == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            // They are the library's now.
            std::mem::forget(headers);
            Ok(())
        } else {
            Err(KafkaError::MessageProduction(refusal.into()))
        }
    }

    /// Sends what the producer holds without waiting for more; whether all of it has met its end in
    /// time.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client lives, for the producer does.
        let left = unsafe { c::rd_kafka_flush(self.producer.client().native_ptr(), limit_ms) };
        left == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
    }
}

impl Topic {
    fn of<C: ProducerContext + 'static>(
        producer: &ThreadedProducer<C>,
        name: &str,
    ) -> Result<Self, KafkaError> {
        let text = CString::new(name)?;
        // SAFETY: the client lives; the library copies the name, and takes its own defaults where
        // it gets no properties.
        let topic = unsafe {
            let client = producer.client().native_ptr();
            c::rd_kafka_topic_new(client, text.as_ptr(), ptr::null_mut())
        };
        // SAFETY: it tells of the call before it, on this thread.
        let refusal = || KafkaError::MessageProduction(unsafe { c::rd_kafka_last_error() }.into());
        NonNull::new(topic).map(Self).ok_or_else(refusal)
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: it was made by us, and nobody uses it any more.
        unsafe { c::rd_kafka_topic_destroy(self.0.as_ptr()) }
    }
}

/// Headers on their way to the library; null when there are none.
struct Headers(*mut c::rd_kafka_headers_t);

impl Headers {
    fn of(record: &Outgoing) -> Self {
        if record.headers.is_empty() {
            return Self(ptr::null_mut());
        }
        // SAFETY: names and values are as long as is said, and copied.
        unsafe {
            let headers = c::rd_kafka_headers_new(record.headers.len());
            for (name, value) in &record.headers {
                let (value, length) = parts(value.as_ref());
                let (name, name_length) = (name.as_ptr().cast(), name.len().cast_signed());
                // It fails only at headers that must not be changed any more.
                c::rd_kafka_header_add(headers, name, name_length, value, length.cast_signed());
            }
            Self(headers)
        }
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: it was made by us, and the library has not taken it.
            unsafe { c::rd_kafka_headers_destroy(self.0) }
        }
    }
}

/// Null for what is missing, which the library tells from what is empty.
fn parts(bytes: Option<&impl AsRef<[u8]>>) -> (*mut c_void, usize) {
    bytes.map_or((ptr::null_mut(), 0), |bytes| {
        let bytes = bytes.as_ref();
        (bytes.as_ptr().cast_mut().cast(), bytes.len())
    })
}

/// The key decides.
const ANY_PARTITION: i32 = -1;
/// The producer's clock decides.
const NOW: i64 = 0;

/// The library takes 0 for its own clock, and has no other way to say it: what happened then is
/// written as of the next millisecond, which is in the same window and not decades later.
fn written(time: Timestamp) -> i64 {
    match time.0 {
        NOW => 1,
        millis => millis,
    }
}

/// Where the records of all assigned partitions come in.
pub(crate) struct Inbox<C: ConsumerContext> {
    queue: Arc<Queue>,
    /// Taken from the library and not given back yet; empty between two calls.
    taken: Vec<*mut c::rd_kafka_message_t>,
    /// The queue is of this client, which must outlive it.
    consumer: Arc<BaseConsumer<C>>,
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
            consumer: Arc::clone(consumer),
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

    /// The offset after a partition's last record, as its newest fetch has told it, if there was one.
    pub(crate) fn end_of(&self, topic: &str, partition: i32) -> Option<Offset> {
        self.ends_of(topic, partition)
            .and_then(|(_, end)| (end >= 0).then_some(Offset(end)))
    }

    /// Below zero where nothing is known.
    fn ends_of(&self, topic: &str, partition: i32) -> Option<(i64, i64)> {
        let topic = CString::new(topic).ok()?;
        let (mut first, mut end) = (-1, -1);
        // SAFETY: the client lives, and the library writes two numbers where it is told to.
        let answer = unsafe {
            let client = self.consumer.client().native_ptr();
            let topic = topic.as_ptr();
            c::rd_kafka_get_watermark_offsets(
                client,
                topic,
                partition,
                &raw mut first,
                &raw mut end,
            )
        };
        let is_known = answer == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        is_known.then_some((first, end))
    }

    /// The offset of a partition's first record, as its newest fetch has told it, if there was one.
    pub(crate) fn begin_of(&self, topic: &str, partition: i32) -> Option<Offset> {
        self.ends_of(topic, partition)
            .and_then(|(first, _)| (first >= 0).then_some(Offset(first)))
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<Message<'_>, Failure>> {
        let messages = self.0.iter();
        messages.map(|message| {
            // SAFETY: the library's messages stay as they are until they are given back.
            let message = unsafe { &**message };
            if message.err == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                Ok(Message(message))
            } else {
                Err(Message(message).failure())
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

/// What the library says about a partition instead of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// Where it could not go on; below zero when it says none.
    pub(crate) offset: Offset,
    pub(crate) code: RDKafkaErrorCode,
    /// In its words.
    pub(crate) text: String,
}

/// A record in the library's memory.
pub(crate) struct Message<'a>(&'a c::rd_kafka_message_t);

impl<'a> Message<'a> {
    /// One that the Rust client has taken.
    pub(crate) fn of(message: &'a BorrowedMessage<'_>) -> Self {
        // SAFETY: the library's message lives as long as the one that stands for it.
        Self(unsafe { &*message.ptr() })
    }

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

    /// Where it was read.
    pub(crate) fn place(&self) -> (&'a str, i32) {
        (self.topic(), self.0.partition)
    }

    /// What it says when it is no record.
    fn failure(&self) -> Failure {
        let code = RDKafkaErrorCode::from(self.0.err);
        // SAFETY: the payload of an error is a text, as long as the message says.
        let text = unsafe { bytes(self.0.payload, self.0.len) };
        let text = text.map_or_else(
            || code.to_string(),
            |text| String::from_utf8_lossy(text).into_owned(),
        );
        Failure {
            topic: self.topic().to_owned(),
            partition: self.0.partition,
            offset: Offset(self.0.offset),
            code,
            text,
        }
    }

    fn topic(&self) -> &'a str {
        // What is about no partition is about no topic either.
        if self.0.rkt.is_null() {
            return "";
        }
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
