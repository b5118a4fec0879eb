use super::{Gateway, body, refusal::Refusal, timing::Timing, trace};
use crate::{
    admission::{Admitted, Arrival, admit},
    client, clock,
    metrics::{Dropped, Lost},
    outgoing::Outgoing,
    privacy::Treatment,
    sink::{Receipt, Unavailable},
};
use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use footfall_protocol::{Timestamp, answer::Answer, batch::Batch, event::EventType};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering},
};

/// Where a batch comes from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// Whom the connection is with.
    pub(super) peer: IpAddr,
    /// Of its request.
    pub(super) headers: &'a HeaderMap,
    /// When it came.
    pub(super) received_at: Timestamp,
    /// Whether it is a pixel, whose rejected event is worth no record: nobody could mend it.
    pub(super) is_pixel: bool,
}

/// `POST /v1/events`: 202 once the sink has taken every accepted event.
pub(super) async fn post(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Refusal> {
    let received_at = clock::now();
    let mut timing = gateway.server_timing.then(Timing::start);
    let (head, body) = request.into_parts();
    gateway.shed()?;
    let body = body::read(&gateway, &head, body).await?;
    timing.iter_mut().for_each(Timing::has_body);
    let batch = Batch::read(&body.bytes)?.with_context_within(gateway.limits.context)?;
    let source = Source {
        peer: peer.ip(),
        headers: &head.headers,
        received_at,
        is_pixel: false,
    };
    let answer = gateway.admit(&batch, &source).await?;
    let mut answer = (StatusCode::ACCEPTED, Json(answer)).into_response();
    if let Some(timing) = timing {
        timing.say(answer.headers_mut());
    }
    Ok(answer)
}

impl Gateway {
    /// Refuses a request whose body would be read for nothing.
    fn shed(&self) -> Result<(), Refusal> {
        // The sink is asked only where the answer may be yes.
        if self.overloaded.load(Ordering::Relaxed) && self.sink.is_full() {
            return Err(Unavailable::Full.into());
        }
        Ok(())
    }

    /// Decides on a batch, and hands what is accepted to the sink.
    pub(super) async fn admit(
        &self,
        batch: &Batch<'_>,
        source: &Source<'_>,
    ) -> Result<Answer<'static>, Refusal> {
        let is_configured = self.check(batch, source.headers)?;
        let address = self.proxies.client(source.peer, source.headers);
        let address = self.ip.of(address);
        let objects = client::objects(source.headers);
        let arrival = Arrival {
            received_at: source.received_at,
            client: client::describe(address.as_deref(), source.headers),
            treatment: self.statement.load().policy.treat(objects, batch.consent),
        };
        let admitted = admit(batch, &arrival, self.limits.event);
        let receipt = self.keep(batch, &admitted, &arrival, source)?;
        self.count(batch, &admitted, is_configured);
        receipt.honoured(self.ack_timeout).await?;
        Ok(answer(admitted, arrival.treatment))
    }

    /// Whether the sender may send; if so, whether its site is configured.
    fn check(&self, batch: &Batch<'_>, headers: &HeaderMap) -> Result<bool, Refusal> {
        let sites = self.sites.load();
        sites.check(&batch.write_key, origin(headers), batch.events.len())?;
        Ok(!sites.is_empty())
    }

    /// Hands everything to the sink, or counts it as dropped if the visitor does not want it kept.
    fn keep(
        &self,
        batch: &Batch<'_>,
        admitted: &Admitted<'_>,
        arrival: &Arrival<'_>,
        source: &Source<'_>,
    ) -> Result<Receipt, Refusal> {
        let events = admitted.accepted.len();
        let nothing_to_keep = source.is_pixel && events == 0;
        if arrival.treatment == Treatment::Drop || nothing_to_keep {
            self.metrics.taken(admitted);
            self.metrics.dropped(Dropped::Privacy, events);
            return Ok(Receipt::taken());
        }
        let mut outgoing = Outgoing::encode(batch, admitted, arrival.received_at)?;
        if let Some(parent) = trace::parent(source.headers) {
            outgoing = outgoing.with_traceparent(parent);
        }
        let taken = self.sink.take(outgoing);
        if taken.is_err() != self.overloaded.load(Ordering::Relaxed) {
            self.overloaded.store(taken.is_err(), Ordering::Relaxed);
        }
        let receipt = taken?;
        self.metrics.taken(admitted);
        if arrival.treatment == Treatment::Anonymise {
            self.metrics.anonymised(events);
        }
        Ok(receipt)
    }

    fn count(&self, batch: &Batch<'_>, admitted: &Admitted<'_>, is_configured: bool) {
        self.metrics.taken_of_site(batch, is_configured);
        let of_losses = admitted
            .accepted
            .iter()
            .filter(|record| record.r#type == EventType::Lost);
        for properties in of_losses.filter_map(|record| record.properties) {
            // What is no count is carried like any other property, and counts nothing.
            if let Ok(lost) = serde_json::from_str::<Lost>(properties.as_str()) {
                self.metrics.lost_by_sender(batch, is_configured, lost);
            }
        }
    }
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    // An origin that is no text is on no list.
    let origin = headers.get(header::ORIGIN)?;
    Some(origin.to_str().unwrap_or_default())
}

fn answer(admitted: Admitted<'_>, treatment: Treatment) -> Answer<'static> {
    let events = admitted.accepted.len();
    let (accepted, dropped) = match treatment {
        Treatment::Drop => (0, Some(events)),
        Treatment::Keep | Treatment::Anonymise => (events, None),
    };
    Answer {
        accepted,
        rejected: admitted.rejected.into(),
        dropped,
    }
}
