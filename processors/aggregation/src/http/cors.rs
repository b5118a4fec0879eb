use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;

/// Origins whose pages may read answers.
#[derive(Debug)]
pub(super) struct Origins {
    listed: Vec<HeaderValue>,
    all: bool,
}

impl Origins {
    pub(super) fn new(origins: &[String]) -> Self {
        let listed = origins.iter().filter_map(|origin| origin.parse().ok());
        Self {
            listed: listed.collect(),
            all: origins.iter().any(|origin| origin == "*"),
        }
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.all || self.listed.contains(origin)
    }
}

/// Answers preflights, and lets pages of these origins read every other answer, errors too.
pub(super) async fn answer(
    State(origins): State<Arc<Origins>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let origin = headers
        .get(header::ORIGIN)
        .filter(|origin| origins.allows(origin));
    let origin = origin.cloned();
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (&origin, is_preflight) {
        (Some(_), true) => preflight(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    response
}

fn preflight() -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Cache-Control, Last-Event-ID",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    (StatusCode::NO_CONTENT, headers).into_response()
}
