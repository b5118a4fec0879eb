use super::trace;
use crate::otlp::{self, Spans};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use footfall_service::http::ProblemCode;

/// Routes that are asked for every few seconds, by machines.
const ABOUT_THE_GATEWAY: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// The same routes, whose requests have spans.
pub(crate) fn with_spans(router: Router, spans: Spans) -> Router {
    router.layer(from_fn_with_state(spans, of_request))
}

async fn of_request(State(spans): State<Spans>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let Some(route) = route.filter(|route| !ABOUT_THE_GATEWAY.contains(&route.as_str())) else {
        return next.run(request).await;
    };
    let parent = trace::parent(request.headers());
    let span = spans.begin(method(request.method()), route.as_str(), parent);
    let response = next.run(request).await;
    let problem = response.extensions().get::<ProblemCode>();
    let code = problem.map_or("ok", |ProblemCode(code)| code);
    otlp::end(span, response.status().as_u16(), code);
    response
}

/// So that no word from outside becomes a name.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::POST => "POST",
        _ => "_OTHER",
    }
}
