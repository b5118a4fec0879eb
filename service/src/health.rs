//! `/livez` and `/readyz`.

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use std::sync::Arc;

/// Whether a process can do its work now, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Answered with 200 when true, else with 503.
    pub ready: bool,
    /// Whether Kafka is within reach.
    pub kafka: Kafka,
    /// The state of the gateway's spill; other programs have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spill: Option<Spill>,
    /// In words, when something is not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether Kafka is within reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kafka {
    Up,
    Down,
}

/// The state of the gateway's spill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spill {
    Off,
    Empty,
    InUse,
    Full,
    Failed,
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        let status = if self.ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        (status, Json(self)).into_response()
    }
}

/// The routes, for the main listener or the `admin` one. `readiness` is asked at every request and must not block.
pub fn routes(readiness: impl Fn() -> Readiness + Send + Sync + 'static) -> Router {
    let readiness = Arc::new(readiness);
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async move || readiness()))
}
