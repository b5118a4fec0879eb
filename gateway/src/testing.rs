//! What several tests need.

use crate::{
    admission::{Arrival, admit},
    outgoing::Outgoing,
    privacy::Treatment,
};
use footfall_protocol::{Timestamp, batch::Batch};

/// 2025-11-24, a while after the batches were sent.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_500);

/// An arrival at [`NOW`], from nobody in particular.
pub(crate) fn arrival() -> Arrival<'static> {
    Arrival {
        received_at: NOW,
        client: None,
        treatment: Treatment::Keep,
    }
}

/// A batch with so many right events and so many wrong ones.
pub(crate) fn batch(accepted: usize, rejected: usize) -> String {
    batch_of("v", accepted, rejected)
}

fn batch_of(visitor: &str, accepted: usize, rejected: usize) -> String {
    let right = (0..accepted).map(|index| {
        format!(
            r#"{{"id":"0199d0a4-0000-7000-8000-{index:012x}","time":1764000000001,"type":"page_view"}}"#
        )
    });
    let wrong = (0..rejected).map(|index| index.to_string());
    let events: Vec<_> = right.chain(wrong).collect();
    format!(
        r#"{{"write_key":"demo","sent_at":1764000000123,"visitor":"{visitor}","events":[{}]}}"#,
        events.join(",")
    )
}

/// What such a batch puts on Kafka.
pub(crate) fn outgoing(accepted: usize, rejected: usize) -> Outgoing {
    outgoing_of("v", accepted, rejected)
}

/// What such a batch of some visitor puts on Kafka.
pub(crate) fn outgoing_of(visitor: &str, accepted: usize, rejected: usize) -> Outgoing {
    let body = match accepted + rejected {
        0 => return Outgoing::default(),
        _ => batch_of(visitor, accepted, rejected),
    };
    let batch = Batch::read(body.as_bytes()).unwrap();
    let admitted = admit(&batch, &arrival(), 1 << 16);
    Outgoing::encode(&batch, &admitted, NOW).unwrap()
}
