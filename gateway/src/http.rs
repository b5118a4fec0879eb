//! The HTTP interface.

mod body;
mod codec;
mod cors;
mod count;
mod events;
mod memory;
mod pixel;
pub mod privacy;
mod refusal;
pub mod sdk;
mod span;
#[cfg(test)]
mod tests;
mod timing;
mod trace;

pub(crate) use count::NO_ROUTE;
pub(crate) use span::with_spans;

use crate::{
    client::{AddressForm, Proxies},
    config::{Config, Limits},
    metrics::Metrics,
    sink::Sink,
    sites::Sites,
};
use arc_swap::{ArcSwap, ArcSwapOption};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, Uri, Version, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use footfall_service::{
    health::{self, Readiness},
    http::Problem,
};
use memory::Memory;
use privacy::Statement;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What requests are answered with.
pub struct Gateway {
    limits: Limits,
    ack_timeout: Duration,
    statement: ArcSwap<Statement>,
    ip: AddressForm,
    proxies: Proxies,
    sites: ArcSwap<Sites>,
    sdk: ArcSwapOption<sdk::Files>,
    bodies: Arc<Memory>,
    server_timing: bool,
    sink: Box<dyn Sink>,
    metrics: Metrics,
    /// The last request found no room.
    overloaded: AtomicBool,
    draining: AtomicBool,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway that puts its events into this sink.
    #[must_use]
    pub fn new(config: &Config, sink: impl Sink, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            limits: config.limits,
            ack_timeout: config.ack_timeout,
            statement: ArcSwap::from_pointee(config.privacy.clone()),
            ip: config.ip,
            proxies: config.proxies.clone(),
            sites: ArcSwap::from_pointee(config.sites.clone()),
            sdk: ArcSwapOption::new(config.sdk.clone()),
            bodies: Memory::new(config.limits.bodies),
            server_timing: config.server_timing,
            sink: Box::new(sink),
            metrics,
            overloaded: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        })
    }

    /// From now on goes by these sites and this statement, and serves these files, beside those that older pages still ask
    /// for. Requests that are under way are not touched.
    pub fn reload(&self, mut sites: Sites, statement: Statement, sdk: Option<Arc<sdk::Files>>) {
        sites.carry_on(&self.sites.load());
        self.sites.store(Arc::new(sites));
        self.statement.store(Arc::new(statement));
        let before = self.sdk.load();
        let sdk = match (sdk, &*before) {
            (Some(files), Some(before)) => Some(Arc::new(files.after(before))),
            (files, _) => files,
        };
        self.sdk.store(sdk);
    }

    /// From now on says that it is not ready, and closes each connection with its next answer.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether events can be taken.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let sink = self.sink.health();
        let draining = self.is_draining();
        Readiness {
            ready: sink.takes && !draining,
            kafka: sink.kafka,
            spill: Some(sink.spill),
            reason: if draining {
                Some("the gateway is stopping".into())
            } else {
                sink.reason
            },
        }
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// The routes of the main listener. `metrics` has `/metrics`, unless that is on a listener of its own.
pub fn router(gateway: &Arc<Gateway>, metrics: Router) -> Router {
    let read = |route| cors::with_preflight(route, "GET, HEAD, OPTIONS");
    let events = cors::with_preflight(post(events::post), "POST, OPTIONS");
    Router::new()
        .route("/v1/events", events)
        .route("/v1/pixel.gif", read(get(pixel::get)))
        .route("/sdk/{name}", read(get(sdk::get)))
        .merge(privacy::routes())
        .with_state(gateway.clone())
        .merge(health(gateway))
        .merge(metrics)
        .fallback(async |uri: Uri| Problem::not_found(uri.path()))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(from_fn_with_state(gateway.clone(), around))
}

/// The routes of the `admin` listener.
pub fn admin(gateway: &Arc<Gateway>, metrics: Router) -> Router {
    health(gateway)
        .merge(metrics)
        .fallback(async |uri: Uri| Problem::not_found(uri.path()))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
}

fn health(gateway: &Arc<Gateway>) -> Router {
    let gateway = gateway.clone();
    health::routes(move || gateway.readiness())
}

/// What is done for every request, whoever answers it. It is one layer, for each costs every request allocations.
async fn around(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    // Who asks for a head only wants to know what there is.
    let is_counted = request.method() != Method::HEAD;
    let begun = is_counted.then(|| count::Begun::with(&request));
    let origin = cors::origin(&request);
    let is_http_1 = request.version() <= Version::HTTP_11;
    // Of HTTP/1 only what is not too long comes as far as this.
    let mut response = if !is_http_1 && head_len(&request) > gateway.limits.headers {
        refusal::head_too_large().into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    if is_http_1 && gateway.is_draining() {
        // Clients that keep connections, load balancers above all, shall open their next one elsewhere.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    cors::allow(origin, headers);
    if let Some(begun) = begun {
        begun.end(&response, &gateway.metrics);
    }
    response
}

/// As RFC 9113 counts it (6.5.2): 32 bytes for each field beside its name and value.
fn head_len(request: &Request) -> usize {
    const FIELD: usize = 32;
    let uri = request.uri();
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let authority = uri.authority().map_or(0, |name| name.as_str().len());
    let first = request.method().as_str().len() + path + authority + 4 * FIELD;
    let fields = request.headers().iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + FIELD);
    first + fields.sum::<usize>()
}
