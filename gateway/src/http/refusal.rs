use super::codec;
use crate::{sink::Unavailable, sites::Denied};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use footfall_protocol::batch;
use footfall_service::http::Problem;

/// Until the queue has drained a little, or another gateway is there.
const RETRY_AFTER_SECONDS: u32 = 5;

/// 431, for a head that is longer than `limits.headers`.
pub(super) fn head_too_large() -> Problem {
    let detail = "expected a head of up to `limits.headers` bytes, found a larger one";
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    Problem::new(status, "headers_too_large", detail)
}

/// Why a whole request is refused.
pub(super) enum Refusal {
    /// With `Accept-Encoding`, which says what would have been taken.
    UnsupportedEncoding,
    /// All memory for bodies is taken.
    Busy,
    /// Everything else.
    Problem(Problem),
}

impl Refusal {
    /// For programs, and for counting.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::Busy => "unavailable",
            Self::Problem(problem) => problem.code,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Busy => {
                let detail = "too many bodies are being read at once";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Problem::new(status, "unavailable", detail)
                    .retry_after(RETRY_AFTER_SECONDS)
                    .into_response()
            }
            Self::UnsupportedEncoding => {
                let detail =
                    "expected at most one `Content-Encoding`, of those that `Accept-Encoding` says";
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                let problem = Problem::new(status, "unsupported_encoding", detail);
                let taken = HeaderValue::from_static(codec::TAKEN);
                ([(header::ACCEPT_ENCODING, taken)], problem).into_response()
            }
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<batch::Error> for Refusal {
    fn from(error: batch::Error) -> Self {
        let problem = Problem::new(StatusCode::BAD_REQUEST, error.code(), error.to_string());
        Self::Problem(match error.pointer() {
            Some(pointer) => problem.at(pointer),
            None => problem,
        })
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let problem = |status, code| Problem::new(status, code, denied.to_string());
        Self::Problem(match denied {
            Denied::UnknownWriteKey => problem(StatusCode::UNAUTHORIZED, "unknown_write_key"),
            Denied::OriginNotAllowed => problem(StatusCode::FORBIDDEN, "origin_not_allowed"),
            Denied::TooFast(too_fast) => {
                problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited").retry_after(too_fast.seconds)
            }
        })
    }
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Problem::new(status, "unavailable", error.to_string());
        Self::Problem(problem.retry_after(RETRY_AFTER_SECONDS))
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        tracing::error!(%error, "a record could not be encoded");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let detail = "a record could not be encoded";
        Self::Problem(Problem::new(status, "internal", detail))
    }
}
