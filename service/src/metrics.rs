//! `/metrics`: OpenMetrics, or the Prometheus text format for scrapers that ask for it.

mod accept;
mod text;

use accept::Format;
use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
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
    let read = async move |request: HeaderMap| {
        let (registry, refresh) = &*shared;
        refresh();
        page(registry, accept::best(&request))
    };
    Router::new().route("/metrics", get(read))
}

fn page(registry: &Registry, format: Format) -> Response {
    let mut page = String::new();
    if let Err(error) = encode(&mut page, registry) {
        return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
    }
    let page = match format {
        Format::OpenMetrics => page,
        Format::Text => text::from_open_metrics(&page),
    };
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        // So no cache answers a scraper in a format that another has asked for.
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, page).into_response()
}
