//! `/metrics` in the OpenMetrics text format.

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use std::sync::Arc;

/// The registry of a process; every name in it starts with `footfall_`.
#[must_use]
pub fn registry() -> Registry {
    Registry::with_prefix("footfall")
}

/// The route. `refresh` is called before each reading, to set the gauges that are counted elsewhere.
pub fn routes(registry: Registry, refresh: impl Fn() + Send + Sync + 'static) -> Router {
    let shared = Arc::new((registry, refresh));
    let read = async move || {
        let (registry, refresh) = &*shared;
        refresh();
        page(registry)
    };
    Router::new().route("/metrics", get(read))
}

fn page(registry: &Registry) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, content_type)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
