//! CORS is for readability of the answers only: who may send is decided by the sites' origins.

use super::Gateway;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use std::sync::Arc;

/// What senders need, asked for or not: a browser remembers it, and asks once less.
const ALWAYS_ALLOWED: &[u8] = b"content-type, content-encoding, traceparent";

/// Where a request comes from, if it says so.
pub(super) fn origin(request: &Request) -> Option<HeaderValue> {
    request.headers().get(header::ORIGIN).cloned()
}

/// Lets the page that has sent the request read the answer, whatever it is.
pub(super) fn allow(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    vary(headers);
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static("Retry-After");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// One line, for clients and caches that look at one only.
fn vary(headers: &mut HeaderMap) {
    let by_origin = HeaderValue::from_static("Origin");
    let value = match headers.get(header::VARY) {
        None => by_origin,
        Some(others) => {
            let all = [b"Origin, ", others.as_bytes()].concat();
            HeaderValue::from_bytes(&all).unwrap_or(by_origin)
        }
    };
    headers.insert(header::VARY, value);
}

/// The same route, which also answers `OPTIONS`: what a browser asks before a script sends what a form could not. Scripts
/// that put a header of their own on every request of the page ask it of every route.
pub(super) fn with_preflight(
    route: MethodRouter<Arc<Gateway>>,
    methods: &'static str,
) -> MethodRouter<Arc<Gateway>> {
    route.options(async move |asked: HeaderMap| preflight(&asked, methods))
}

/// Allows every header that is asked for. A browser may remember it for two hours.
fn preflight(asked: &HeaderMap, methods: &'static str) -> Response {
    let mut allowed = ALWAYS_ALLOWED.to_vec();
    for names in asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        allowed.extend_from_slice(b", ");
        allowed.extend_from_slice(names.as_bytes());
    }
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let headers = answer.headers_mut();
    let mut say = |name, value| headers.insert(name, value);
    say(header::ALLOW, HeaderValue::from_static(methods));
    say(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(methods.trim_end_matches(", OPTIONS")),
    );
    say(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("7200"),
    );
    say(
        header::VARY,
        HeaderValue::from_static("Access-Control-Request-Headers"),
    );
    // What came as the value of a header is one.
    if let Ok(allowed) = HeaderValue::from_bytes(&allowed) {
        say(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    answer
}
