//! `GET /sdk/NAME`: the SDK's files, from memory.

mod accept;
mod files;

pub use files::{Error, Files};

use super::Gateway;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use files::File;
use footfall_service::http::Problem;
use std::sync::Arc;

const POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

pub(super) async fn get(
    State(gateway): State<Arc<Gateway>>,
    // No file has a name that is no text.
    name: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let files = gateway.sdk.load();
    let named = |Path(name): Path<String>| files.as_ref()?.named(&name);
    match name.ok().and_then(named) {
        Some(file) => answer(file, &headers),
        None => Problem::not_found(uri.path()).into_response(),
    }
}

fn answer(file: &File, request: &HeaderMap) -> Response {
    let coding = accept::best(request, |coding| file.body(coding).is_some());
    let Some(body) = file.body(coding) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let cache = if file.is_immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let etag = file.etag(coding);
    let is_known = request.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let listed = value.to_str().unwrap_or_default().split(',');
        listed
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == etag || tag == "*")
    });
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::VARY, HeaderValue::from_static("Accept-Encoding")),
        (POLICY, HeaderValue::from_static("cross-origin")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::CONTENT_TYPE, HeaderValue::from_static(file.r#type)),
    ];
    let mut answer = if is_known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, body).into_response()
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.headers_mut().insert(header::ETAG, etag);
    }
    if let Some(name) = coding.name()
        && !is_known
    {
        let name = HeaderValue::from_static(name);
        answer.headers_mut().insert(header::CONTENT_ENCODING, name);
    }
    answer
}
