use super::Shared;
use axum::{Json, extract::State};
use footfall_streams::Definition;
use serde::Serialize;

/// The answer of `GET /v1/streams`.
#[derive(Debug, Serialize)]
pub(super) struct Streams {
    streams: Vec<Stream>,
}

#[derive(Debug, Serialize)]
struct Stream {
    name: String,
    from: String,
    to: String,
    window: Window,
    aggregates: Vec<Aggregate>,
    emit: &'static str,
}

#[derive(Debug, Serialize)]
struct Window {
    size_ms: i64,
    advance_ms: i64,
    grace_ms: i64,
}

#[derive(Debug, Serialize)]
struct Aggregate {
    name: String,
    function: String,
}

/// `GET /v1/streams`.
pub(super) async fn list(State(shared): State<Shared>) -> Json<Streams> {
    let streams = shared.aggregation.streams().iter();
    Json(Streams {
        streams: streams.map(|stream| Stream::from(&**stream)).collect(),
    })
}

impl From<&Definition> for Stream {
    fn from(stream: &Definition) -> Self {
        let aggregates = stream.aggregates.iter().map(|aggregation| Aggregate {
            name: aggregation.name.to_string(),
            function: aggregation.expression(),
        });
        Self {
            name: stream.name.to_string(),
            from: stream.from.to_string(),
            to: stream.to.to_string(),
            window: Window {
                size_ms: stream.windows.size().as_millis(),
                advance_ms: stream.windows.advance().as_millis(),
                grace_ms: stream.windows.grace().as_millis(),
            },
            aggregates: aggregates.collect(),
            emit: stream.emit.name(),
        }
    }
}
