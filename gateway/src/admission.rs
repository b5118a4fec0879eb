//! Decides, for every event of a batch, whether it is taken, and what its record looks like. Pure.

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
mod time;

use crate::privacy::Treatment;
use footfall_protocol::{
    EventId, Text, Timestamp,
    answer::{Code, Rejection},
    batch::Batch,
    event::{Event, Fault},
    record::{Client, Record},
};
use std::collections::BTreeSet;

/// The longest `page.title`, `page.referrer` and `element.text`, in bytes; what is beyond is cut off.
const MAX_PROSE_LEN: usize = 512;

/// What the gateway knows of a batch besides its body.
#[derive(Clone, Debug)]
pub struct Arrival<'a> {
    /// When it came.
    pub received_at: Timestamp,
    /// Who sent it.
    pub client: Option<Client<'a>>,
    /// What the privacy policy says.
    pub treatment: Treatment,
}

/// Every event of a batch is in exactly one of the two, both in the batch's order.
#[derive(Clone, Debug, Default)]
pub struct Admitted<'a> {
    /// The records of the events that are right.
    pub accepted: Vec<Record<'a>>,
    /// The others.
    pub rejected: Vec<Rejection>,
}

/// Looks at every event. `max_event_len` is the longest event in bytes, as sent.
#[must_use]
pub fn admit<'a>(batch: &Batch<'a>, arrival: &Arrival<'a>, max_event_len: usize) -> Admitted<'a> {
    let envelope = Envelope::new(batch, arrival);
    let mut seen = BTreeSet::new();
    let mut admitted = Admitted {
        accepted: Vec::with_capacity(batch.events.len()),
        rejected: Vec::new(),
    };
    for (index, sent) in batch.events.iter().enumerate() {
        let read = sent.read(max_event_len);
        match unless_seen(&mut seen, read) {
            Ok(event) => admitted.accepted.push(envelope.record(event)),
            Err(Fault { id, code, message }) => admitted.rejected.push(Rejection {
                index,
                id,
                code,
                message,
            }),
        }
    }
    admitted
}

/// An id that an earlier event of the batch has, taken or not, is told before the event's other faults.
fn unless_seen<'a>(
    seen: &mut BTreeSet<EventId>,
    read: Result<Event<'a>, Fault>,
) -> Result<Event<'a>, Fault> {
    let id = match &read {
        Ok(event) => Some(event.id),
        Err(fault) => fault.id,
    };
    match id {
        Some(id) if !seen.insert(id) => Err(Fault {
            id: Some(id),
            code: Code::DuplicateId,
            message: "`id`: expected one that no earlier event of the batch has".into(),
        }),
        _ => read,
    }
}

/// What all records of a batch share.
struct Envelope<'b, 'a> {
    batch: &'b Batch<'a>,
    received_at: Timestamp,
    visitor: Option<Text<'a>>,
    session: Option<Text<'a>>,
    user: Option<Text<'a>>,
    client: Option<Client<'a>>,
}

impl<'b, 'a> Envelope<'b, 'a> {
    fn new(batch: &'b Batch<'a>, arrival: &Arrival<'a>) -> Self {
        let named = arrival.treatment != Treatment::Anonymise;
        let if_named = |text: &Option<Text<'a>>| text.clone().filter(|_| named);
        let mut client = arrival.client.clone().unwrap_or_default();
        client.ip = client.ip.filter(|_| named);
        Self {
            batch,
            received_at: arrival.received_at,
            visitor: if_named(&batch.visitor),
            session: if_named(&batch.session),
            user: if_named(&batch.user),
            client: (client != Client::default()).then_some(client),
        }
    }

    fn record(&self, event: Event<'a>) -> Record<'a> {
        let batch = self.batch;
        let corrected = time::correct(event.time, batch.sent_at, self.received_at);
        let mut record = Record {
            id: event.id,
            write_key: batch.write_key.clone(),
            r#type: event.r#type,
            name: event.name,
            time: corrected.time,
            time_client: corrected.by_client,
            time_clamped: corrected.clamped,
            received_at: self.received_at,
            sent_at: Some(time::sent(batch.sent_at, self.received_at)),
            load: batch.load.clone(),
            seq: event.seq,
            visitor: self.visitor.clone(),
            session: self.session.clone(),
            user: self.user.clone(),
            consent: batch.consent,
            page: event.page,
            element: event.element,
            properties: event.properties,
            context: batch.context,
            client: self.client.clone(),
            sdk: batch.sdk.clone(),
        };
        cut_prose(&mut record);
        record
    }
}

fn cut_prose(record: &mut Record<'_>) {
    let page = record.page.iter_mut();
    let of_page = page.flat_map(|page| [&mut page.title, &mut page.referrer]);
    let of_element = record.element.iter_mut().map(|element| &mut element.text);
    for text in of_page.chain(of_element).flatten() {
        text.truncate(MAX_PROSE_LEN);
    }
}
