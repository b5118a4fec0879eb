use super::{Shared, StreamName};
use crate::feed::Feed;
use axum::{
    extract::State,
    http::StatusCode,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use footfall_service::http::Problem;
use futures_util::{Stream, StreamExt as _, stream};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

/// A comment this often shows both ends that the connection is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// `GET /v1/streams/NAME/live`: each result as it is written.
pub(super) async fn live(
    State(shared): State<Shared>,
    StreamName(name): StreamName,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let stream = shared.stream(&name)?;
    let feed = shared.aggregation().results(stream);
    let feed = feed.ok_or_else(|| Problem::not_found(&name))?;
    Ok(watch(feed, "window", &shared))
}

/// `GET /v1/streams/NAME/tail`: each record that the stream reads, before its `where`.
pub(super) async fn tail(
    State(shared): State<Shared>,
    StreamName(name): StreamName,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let stream = shared.stream(&name)?;
    let feed = shared.aggregation().tail(stream).ok_or_else(|| {
        let detail = "records are not shown, because they are visitors' data; `tail = true` in the configuration shows them";
        Problem::new(StatusCode::NOT_FOUND, "tail_disabled", detail)
    })?;
    Ok(watch(feed, "record", &shared))
}

fn watch(
    feed: &Feed,
    name: &'static str,
    shared: &Shared,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let (last, coming) = feed.watch();
    let event = move |data: &Arc<str>| Event::default().event(name).data(&**data);
    let last: Vec<_> = last.iter().map(event).collect();
    let coming = BroadcastStream::new(coming).map(move |item| match item {
        Ok(data) => event(&data),
        // Said, so that a page can ask for the windows anew.
        Err(BroadcastStreamRecvError::Lagged(count)) => Event::default()
            .event("missed")
            .data(format!(r#"{{"count":{count}}}"#)),
    });
    let events = stream::iter(last)
        .chain(coming)
        .map(Ok)
        .take_until(shared.stop.clone().cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}
