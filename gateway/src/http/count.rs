use super::Gateway;
use crate::clock;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use footfall_service::http::ProblemCode;
use std::sync::Arc;

/// The route of a request that no route has.
pub(crate) const NO_ROUTE: &str = "none";

/// Counts and times every answer by its route's pattern, so that no path from outside becomes a label.
pub(super) async fn answers(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let start = clock::monotonic();
    let response = next.run(request).await;
    let status = response.status();
    let code = match response.extensions().get::<ProblemCode>() {
        Some(ProblemCode(code)) => code,
        None if status.is_success() => "ok",
        // Only `/readyz` answers an error that is no problem+json.
        None => "not_ready",
    };
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let metrics = &gateway.metrics;
    metrics.answered(route, status.as_u16(), code, start.elapsed());
    response
}
