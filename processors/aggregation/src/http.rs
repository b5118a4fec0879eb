//! The HTTP interface: which streams there are, their windows, and what happens right now.

mod cors;
mod events;
mod page;
mod streams;
mod topology;
mod windows;

use crate::{local::Local, peers::Peers, processor::Aggregation};
use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::{StatusCode, Uri, request::Parts},
    middleware,
    routing::get,
};
use footfall_service::http::Problem;
use footfall_streams::Definition;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What the handlers share.
#[derive(Clone, Debug)]
struct Shared {
    local: Local,
    peers: Peers,
    /// Ends the answers that have no end of their own.
    stop: CancellationToken,
}

impl Shared {
    fn aggregation(&self) -> &Aggregation {
        &self.local.aggregation
    }

    fn stream(&self, name: &str) -> Result<&Arc<Definition>, Problem> {
        self.aggregation().stream(name).ok_or_else(|| {
            let names = self.aggregation().streams().iter();
            let names: Vec<_> = names.map(|stream| format!("`{}`", stream.name)).collect();
            let name = name.escape_debug();
            let detail = format!(
                "there is no stream `{name}`; there are {}",
                names.join(", ")
            );
            Problem::new(StatusCode::NOT_FOUND, "unknown_stream", detail)
        })
    }
}

/// The name in a path, which may be any text once it is decoded.
struct StreamName(String);

impl<S: Send + Sync> FromRequestParts<S> for StreamName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        let Path(name) = name.map_err(|_| Problem::not_found(parts.uri.path()))?;
        Ok(Self(name))
    }
}

/// The routes under `/v1`.
pub(crate) fn routes(local: Local, peers: Peers, stop: CancellationToken) -> Router {
    Router::new()
        .route("/v1/streams", get(streams::list))
        .route("/v1/streams/{name}/windows", get(windows::ask))
        .route("/v1/streams/{name}/live", get(events::live))
        .route("/v1/streams/{name}/tail", get(events::tail))
        .route("/v1/topology", get(topology::show))
        .with_state(Shared { local, peers, stop })
        .merge(page::routes())
}

/// Adds what holds for every path: errors as problem+json, and CORS for `origins`.
pub(crate) fn finish(routes: Router, origins: &[String]) -> Router {
    let origins = Arc::new(cors::Origins::new(origins));
    routes
        .fallback(async |uri: Uri| Problem::not_found(uri.path()))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::from_fn_with_state(origins, cors::answer))
}
