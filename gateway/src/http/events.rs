use super::{Gateway, body, refusal::Refusal};
use crate::{
    admission::{Admitted, Arrival, admit},
    client, clock,
    metrics::Dropped,
    outgoing::Outgoing,
    privacy::Treatment,
};
use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use footfall_protocol::{answer::Answer, batch::Batch};
use std::{borrow::Cow, net::SocketAddr, sync::Arc};

/// `POST /v1/events`: 202 once the sink has taken every accepted event.
pub(super) async fn post(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Refusal> {
    let received_at = clock::now();
    let (head, body) = request.into_parts();
    let body = body::read(&head, body, gateway.limits.body).await?;
    let batch = Batch::read(&body)?;
    let origin = origin(&head.headers);
    gateway.sites.check(&batch.write_key, origin)?;
    let address = gateway.proxies.client(peer.ip(), &head.headers);
    let address = gateway.ip.of(address);
    let objects = client::objects(&head.headers);
    let arrival = Arrival {
        received_at,
        client: client::describe(address.as_deref(), &head.headers),
        treatment: gateway.privacy.treat(objects, batch.consent),
    };
    let admitted = admit(&batch, &arrival, gateway.limits.event);
    gateway.keep(&batch, &admitted, &arrival).await?;
    Ok(answer(&admitted, arrival.treatment))
}

impl Gateway {
    /// Hands everything to the sink, or counts it as dropped if the visitor does not want it kept.
    async fn keep(
        &self,
        batch: &Batch<'_>,
        admitted: &Admitted<'_>,
        arrival: &Arrival<'_>,
    ) -> Result<(), Refusal> {
        if arrival.treatment == Treatment::Drop {
            self.metrics.taken(admitted);
            self.metrics
                .dropped(Dropped::Privacy, admitted.accepted.len());
            return Ok(());
        }
        let outgoing = Outgoing::encode(batch, admitted, arrival.received_at)?;
        let receipt = self.sink.take(outgoing)?;
        self.metrics.taken(admitted);
        Ok(receipt.honoured(self.ack_timeout).await?)
    }
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    // An origin that is no text is on no list.
    let origin = headers.get(header::ORIGIN)?;
    Some(origin.to_str().unwrap_or_default())
}

fn answer(admitted: &Admitted<'_>, treatment: Treatment) -> Response {
    let events = admitted.accepted.len();
    let (accepted, dropped) = match treatment {
        Treatment::Drop => (0, Some(events)),
        Treatment::Keep | Treatment::Anonymise => (events, None),
    };
    let answer = Answer {
        accepted,
        rejected: Cow::Borrowed(&admitted.rejected),
        dropped,
    };
    (StatusCode::ACCEPTED, Json(answer)).into_response()
}
