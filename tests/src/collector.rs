//! A collector of spans: takes OTLP over HTTP, and shows what it has taken.

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value,
};
use prost::Message as _;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A span as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// `service.name`.
    pub service: String,
    /// Its name.
    pub name: String,
    /// In hexadecimal digits.
    pub trace: String,
    /// The span above it in hexadecimal digits; empty: none.
    pub parent: String,
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
}

/// A running collector. Dropping it closes its port.
#[derive(Debug)]
pub struct Collector {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    spans: Arc<Mutex<Vec<Span>>>,
    accepting: JoinHandle<()>,
}

impl Collector {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let spans = Arc::default();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&spans)));
        Self {
            url: format!("http://{address}"),
            spans,
            accepting,
        }
    }

    /// What has been taken so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, spans: Arc<Mutex<Vec<Span>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let spans = Arc::clone(&spans);
        tokio::spawn(async move {
            let service = service_fn(|request| take(Arc::clone(&spans), request));
            let server = http1::Builder::new();
            // Whoever sends spans closes the connection when it likes.
            let _ended = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn take(
    spans: Arc<Mutex<Vec<Span>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let is_protobuf = head
        .headers
        .get("content-type")
        .is_some_and(|kind| kind == "application/x-protobuf");
    let read = ExportTraceServiceRequest::decode(body);
    let mut answer = Response::new(Full::default());
    match read {
        Ok(export) if head.uri.path() == "/v1/traces" && is_protobuf => {
            let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
            spans.extend(read_spans(&export));
        }
        _ => *answer.status_mut() = StatusCode::BAD_REQUEST,
    }
    Ok(answer)
}

fn read_spans(export: &ExportTraceServiceRequest) -> Vec<Span> {
    let mut read = Vec::new();
    for of_resource in &export.resource_spans {
        let resource = of_resource.resource.as_ref();
        let resource = resource.map(|resource| attributes(&resource.attributes));
        let service = resource.and_then(|mut all| all.remove("service.name"));
        let spans = of_resource
            .scope_spans
            .iter()
            .flat_map(|scope| &scope.spans);
        read.extend(spans.map(|span| Span {
            service: service.clone().unwrap_or_default(),
            name: span.name.clone(),
            trace: hex(&span.trace_id),
            parent: hex(&span.parent_span_id),
            attributes: attributes(&span.attributes),
        }));
    }
    read
}

fn attributes(
    all: &[opentelemetry_proto::tonic::common::v1::KeyValue],
) -> BTreeMap<String, String> {
    let text = |value: &Value| {
        if let Value::StringValue(text) = value {
            text.clone()
        } else if let Value::IntValue(number) = value {
            number.to_string()
        } else {
            format!("{value:?}")
        }
    };
    let pairs = all.iter().filter_map(|pair| {
        let value = pair.value.as_ref()?.value.as_ref()?;
        Some((pair.key.clone(), text(value)))
    });
    pairs.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
