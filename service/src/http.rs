//! What HTTP interfaces have in common: errors as problem+json, and serving until told to stop.

mod listen;

pub use listen::{bind, check_listeners};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{future::Future, net::SocketAddr};
use tokio::net::TcpListener;

/// An error answer after RFC 9457, with a stable `code` for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The answer's status.
    pub status: StatusCode,
    /// Stable, for programs, e.g. `invalid_parameter`.
    pub code: &'static str,
    /// For people: what was expected, what was found, what to do.
    pub detail: String,
    /// The JSON pointer of the wrong part of the body, e.g. `#/sent_at`.
    pub pointer: Option<&'static str>,
    /// Seconds until another try makes sense.
    pub retry_after: Option<u32>,
}

/// A problem's `code`, as an extension of its answer, for whoever counts answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemCode(pub &'static str);

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
}

impl Problem {
    /// A problem without pointer or `Retry-After`.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            pointer: None,
            retry_after: None,
        }
    }

    /// 404 `not_found`, for a path that no route has.
    #[must_use]
    pub fn not_found(path: &str) -> Self {
        let detail = format!("there is nothing at `{}`", path.escape_debug());
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 405 `method_not_allowed`. axum adds `Allow` itself.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let detail = "this path does not take this method; `Allow` names those that it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    /// Names the wrong part of the body.
    #[must_use]
    pub fn at(mut self, pointer: &'static str) -> Self {
        self.pointer = Some(pointer);
        self
    }

    /// Says when another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            pointer: self.pointer,
        };
        // A struct of texts and numbers always has a JSON form.
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let headers = [
            (header::CONTENT_TYPE, "application/problem+json"),
            // What is not there may be there soon, and a cache would go on telling that it is not.
            (header::CACHE_CONTROL, "no-store"),
        ];
        let mut response = (self.status, headers, bytes).into_response();
        response.extensions_mut().insert(ProblemCode(self.code));
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Serves until `stop`, then lets the requests that are under way finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await
}
