//! Questions to Kafka that the Rust client has no words for.

use rdkafka::{ClientContext, bindings as c, client::Client, error::RDKafkaErrorCode};
use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, c_char},
    ptr::{self, NonNull},
    time::Duration,
};

/// What a topic's name stands for: one that was deleted and made anew has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TopicId(i64, i64);

/// The ids of these topics. Those that are not there, or of which nothing is told, are left out.
///
/// # Errors
/// When Kafka does not answer.
pub(crate) fn topic_ids<C: ClientContext>(
    client: &Client<C>,
    topics: &[&str],
    timeout: Duration,
) -> Result<BTreeMap<String, TopicId>, RDKafkaErrorCode> {
    let names: Vec<_> = topics.iter().flat_map(|name| CString::new(*name)).collect();
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    if pointers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let op = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    // SAFETY: the client lives until the answer is here; the names are C strings that live as long
    // as this call, and the library copies them.
    let event = unsafe {
        let collection =
            c::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let event = ask(client, op, timeout, |rk, options, queue| {
            c::rd_kafka_DescribeTopics(rk, collection, options, queue);
        });
        c::rd_kafka_TopicCollection_destroy(collection);
        event?
    };
    let mut ids = BTreeMap::new();
    // SAFETY: what the event has lives as long as it does, and the library says how many there are.
    unsafe {
        let result = c::rd_kafka_event_DescribeTopics_result(event.0.as_ptr());
        if result.is_null() {
            return Err(RDKafkaErrorCode::OperationTimedOut);
        }
        let mut count = 0;
        let described = c::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        for index in 0..count {
            let topic = *described.add(index);
            let id = c::rd_kafka_TopicDescription_topic_id(topic);
            let error = c::rd_kafka_TopicDescription_error(topic);
            if !id.is_null() && is_fine(error) {
                let high = c::rd_kafka_Uuid_most_significant_bits(id);
                let low = c::rd_kafka_Uuid_least_significant_bits(id);
                let name = text(c::rd_kafka_TopicDescription_name(topic));
                ids.insert(name, TopicId(high, low));
            }
        }
    }
    Ok(ids)
}

/// The members of a group: the `client.id` and the host of each. None of one that is not there.
///
/// # Errors
/// When Kafka does not answer, or this client may not ask.
pub(crate) fn members<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    timeout: Duration,
) -> Result<Vec<(String, String)>, RDKafkaErrorCode> {
    // A group's name has no zero byte.
    let Ok(name) = CString::new(group) else {
        return Ok(Vec::new());
    };
    let mut pointers = [name.as_ptr()];
    let op = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    // SAFETY: the client lives until the answer is here; the name is a C string that lives as long
    // as this call, and the library copies it.
    let event = unsafe {
        ask(client, op, timeout, |rk, options, queue| {
            let names = pointers.as_mut_ptr();
            c::rd_kafka_DescribeConsumerGroups(rk, names, 1, options, queue);
        })?
    };
    let mut members = Vec::new();
    // SAFETY: what the event has lives as long as it does, and the library says how many there are.
    unsafe {
        let result = c::rd_kafka_event_DescribeConsumerGroups_result(event.0.as_ptr());
        if result.is_null() {
            return Err(RDKafkaErrorCode::OperationTimedOut);
        }
        let mut count = 0;
        let groups = c::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
        for index in 0..count {
            let group = *groups.add(index);
            let code: RDKafkaErrorCode =
                c::rd_kafka_error_code(c::rd_kafka_ConsumerGroupDescription_error(group)).into();
            if code == RDKafkaErrorCode::GroupIdNotFound {
                continue;
            }
            if code != RDKafkaErrorCode::NoError {
                return Err(code);
            }
            for index in 0..c::rd_kafka_ConsumerGroupDescription_member_count(group) {
                let member = c::rd_kafka_ConsumerGroupDescription_member(group, index);
                let id = text(c::rd_kafka_MemberDescription_client_id(member));
                let host = text(c::rd_kafka_MemberDescription_host(member));
                members.push((id, host));
            }
        }
    }
    Ok(members)
}

/// An answer, given back to the library when dropped.
struct Event(NonNull<c::rd_kafka_event_t>);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: it was handed to us once, and nothing of it is used any more.
        unsafe { c::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

/// # Safety
/// `question` must ask with the client, the options and the queue that it is given.
unsafe fn ask<C: ClientContext>(
    client: &Client<C>,
    op: c::rd_kafka_admin_op_t,
    timeout: Duration,
    question: impl FnOnce(
        *mut c::rd_kafka_t,
        *const c::rd_kafka_AdminOptions_t,
        *mut c::rd_kafka_queue_t,
    ),
) -> Result<Event, RDKafkaErrorCode> {
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: options and queue are made here for this client and destroyed once the answer is
    // there, or will be thrown away by the library.
    let event = unsafe {
        let rk = client.native_ptr();
        let options = c::rd_kafka_AdminOptions_new(rk, op);
        c::rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, ptr::null_mut(), 0);
        let queue = c::rd_kafka_queue_new(rk);
        question(rk, options, queue);
        // The library gives up by itself a moment after the time is over.
        let event = c::rd_kafka_queue_poll(queue, timeout_ms.saturating_add(1_000));
        c::rd_kafka_queue_destroy(queue);
        c::rd_kafka_AdminOptions_destroy(options);
        event
    };
    let event = NonNull::new(event).map(Event);
    let event = event.ok_or(RDKafkaErrorCode::OperationTimedOut)?;
    // SAFETY: the event lives.
    let error = unsafe { c::rd_kafka_event_error(event.0.as_ptr()) };
    if error == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        Ok(event)
    } else {
        Err(error.into())
    }
}

/// # Safety
/// The error must live, if there is one.
unsafe fn is_fine(error: *const c::rd_kafka_error_t) -> bool {
    // SAFETY: as said above; the library takes null for none.
    let code = unsafe { c::rd_kafka_error_code(error) };
    code == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// # Safety
/// It must be null or a C string.
unsafe fn text(at: *const c_char) -> String {
    if at.is_null() {
        return String::new();
    }
    // SAFETY: as said above.
    let text = unsafe { CStr::from_ptr(at) };
    text.to_string_lossy().into_owned()
}
