use crate::{clock, metrics::Metrics};
use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use footfall_service::http::ProblemCode;
use std::time::Instant;

/// The route of a request that no route has.
pub(crate) const NO_ROUTE: &str = "none";

/// A request that will be counted and timed, by its route's pattern, so that no path from outside becomes a label.
#[derive(Debug)]
pub(super) struct Begun {
    route: Option<MatchedPath>,
    at: Instant,
}

impl Begun {
    pub(super) fn with(request: &Request) -> Self {
        Self {
            route: request.extensions().get().cloned(),
            at: clock::monotonic(),
        }
    }

    /// It is answered so.
    pub(super) fn end(self, response: &Response, metrics: &Metrics) {
        let status = response.status();
        let code = match response.extensions().get::<ProblemCode>() {
            Some(ProblemCode(code)) => code,
            None if !status.is_client_error() && !status.is_server_error() => "ok",
            // Only `/readyz` answers an error that is no problem+json.
            None => "not_ready",
        };
        let route = self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        metrics.answered(route, status.as_u16(), code, self.at.elapsed());
    }
}
