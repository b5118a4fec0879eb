//! Spans of requests, sent to a collector by OTLP over HTTP. Without `otlp.endpoint` none of this is there.

mod client;

use anyhow::Context as _;
use axum::http::{Uri, uri::Scheme};
use client::Client;
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags,
        TraceId, TraceState, Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span},
};
use std::time::Duration;
use tokio::runtime::Handle;

const SERVICE: &str = "footfall-gateway";
/// How long a span waits for others, to be sent with them.
const DELAY: Duration = Duration::from_secs(1);
/// The most spans that wait; further ones are lost.
const QUEUE: usize = 4096;

/// `[otlp]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Otlp {
    /// Where spans are posted to.
    url: String,
    /// The share of requests with a span, of those without a parent.
    sample: f64,
}

impl Otlp {
    /// `endpoint`: `http://HOST:PORT`, and a path if the collector has one; `None` where it is something else.
    #[must_use]
    pub fn new(endpoint: &str, sample: f64) -> Option<Self> {
        let uri: Uri = endpoint.parse().ok()?;
        let is_http = uri.scheme() == Some(&Scheme::HTTP) && uri.query().is_none();
        let base = endpoint.trim_end_matches('/');
        is_http.then(|| Self {
            url: format!("{base}/v1/traces"),
            sample,
        })
    }
}

/// Makes spans, and sends them on a thread of its own. Clones share it.
#[derive(Clone, Debug)]
pub struct Spans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Spans {
    /// Begins. The collector need not be there: it is never waited for, and spans that it does not take are lost.
    ///
    /// # Errors
    /// When the environment has `OTEL_…` variables that cannot be read.
    pub fn start(otlp: &Otlp) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(Handle::current()))
            .with_endpoint(&otlp.url)
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .context("set up the exporter of spans")?;
        let batches = BatchConfigBuilder::default()
            .with_scheduled_delay(DELAY)
            .with_max_queue_size(QUEUE)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let root = Sampler::TraceIdRatioBased(otlp.sample);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_resource(Resource::builder().with_service_name(SERVICE).build())
            .build();
        let tracer = provider.tracer(SERVICE);
        Ok(Self { provider, tracer })
    }

    /// A request has begun. `parent`: its `traceparent`, whose form has been checked.
    pub(crate) fn begin(&self, method: &'static str, route: &str, parent: Option<&str>) -> Span {
        let attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", route.to_owned()),
        ];
        let span = self
            .tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let context = match parent.and_then(remote) {
            Some(parent) => Context::new().with_remote_span_context(parent),
            None => Context::new(),
        };
        self.tracer.build_with_context(span, &context)
    }

    /// Sends what waits, if the collector takes it in time. Blocks.
    pub(crate) fn finish(&self, timeout: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(timeout) {
            tracing::debug!(%error, "the last spans could not be sent");
        }
    }
}

/// A request has its answer.
pub(crate) fn end(mut span: Span, status: u16, code: &'static str) {
    span.set_attribute(KeyValue::new(
        "http.response.status_code",
        i64::from(status),
    ));
    span.set_attribute(KeyValue::new("footfall.code", code));
    if status >= 500 {
        span.set_attribute(KeyValue::new("error.type", code));
        span.set_status(Status::error(""));
    }
    span.end();
}

/// The span that a `traceparent` names.
fn remote(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    // Later versions may have more flags; only that of the sampling is known.
    let sampled = flags & TraceFlags::SAMPLED;
    Some(SpanContext::new(
        trace,
        span,
        sampled,
        true,
        TraceState::NONE,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_posted_below_the_endpoint() {
        let url = |endpoint| Otlp::new(endpoint, 1.0).map(|otlp| otlp.url);
        let usual = Some("http://127.0.0.1:4318/v1/traces".to_owned());
        assert_eq!(url("http://127.0.0.1:4318"), usual);
        assert_eq!(url("http://127.0.0.1:4318/"), usual);
        assert_eq!(
            url("http://collector/otlp"),
            Some("http://collector/otlp/v1/traces".into())
        );
        for other in [
            "127.0.0.1:4318",
            "https://collector",
            "/path",
            "http://",
            "grpc://a:1",
        ] {
            assert_eq!(url(other), None, "{other}");
        }
    }

    #[test]
    fn a_traceparent_names_the_span_that_is_the_parent() {
        let parent = remote("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(
            parent.trace_id().to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        assert_eq!(parent.span_id().to_string(), "00f067aa0ba902b7");
        assert!(parent.is_sampled() && parent.is_remote());
        let not = remote("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe-more").unwrap();
        assert!(!not.is_sampled());
    }
}
