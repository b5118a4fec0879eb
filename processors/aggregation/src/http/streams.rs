use super::Shared;
use axum::{Json, extract::State};
use footfall_streams::{Definition, Span};
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
    /// Without those that end when a key is silent.
    #[serde(flatten)]
    steps: Option<Steps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_ms: Option<i64>,
    grace_ms: i64,
    #[serde(skip_serializing_if = "is_zero")]
    offset_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<String>,
}

#[derive(Debug, Serialize)]
struct Steps {
    size_ms: i64,
    advance_ms: i64,
}

#[derive(Debug, Serialize)]
struct Aggregate {
    name: String,
    function: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_zero(millis: &i64) -> bool {
    *millis == 0
}

/// `GET /v1/streams`.
pub(super) async fn list(State(shared): State<Shared>) -> Json<Streams> {
    let streams = shared.aggregation().streams().iter();
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
        let gap = stream.windows.session_gap();
        Self {
            name: stream.name.to_string(),
            from: stream.from.to_string(),
            to: stream.to.to_string(),
            window: Window {
                steps: gap.is_none().then(|| Steps {
                    size_ms: stream.windows.size().as_millis(),
                    advance_ms: stream.windows.advance().as_millis(),
                }),
                gap_ms: gap.map(Span::as_millis),
                grace_ms: stream.windows.grace().as_millis(),
                offset_ms: stream.windows.offset().as_millis(),
                calendar: stream.windows.calendar().map(|calendar| calendar.name()),
            },
            aggregates: aggregates.collect(),
            emit: stream.emit.name(),
        }
    }
}
