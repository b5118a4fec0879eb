//! The server itself.

use super::{Log, Page, Reply, Request};
use crate::program;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Response, StatusCode,
    body::{Bytes, Incoming},
    header::{HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    collections::BTreeMap,
    fmt::{self, Debug, Formatter},
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::{net::TcpListener, sync::watch};

type Answering = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// What the connections share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Counts how often hanging answers were let go.
    released: watch::Sender<u64>,
}

struct State {
    requests: Vec<Request>,
    files: BTreeMap<String, (String, String)>,
    folder: Option<PathBuf>,
    headers: Vec<(&'static str, String)>,
    reply: Answering,
}

impl Default for Shared {
    fn default() -> Self {
        let html = ("text/html; charset=utf-8".into(), Page::default().html());
        let state = State {
            requests: Vec::new(),
            files: BTreeMap::from([(String::new(), html)]),
            folder: None,
            headers: Vec::new(),
            reply: Arc::new(|_| Reply::Status(202)),
        };
        Self {
            state: Mutex::new(state),
            released: watch::Sender::new(0),
        }
    }
}

impl Debug for Shared {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.lock().requests.fmt(f)
    }
}

impl Shared {
    pub(super) fn serve(&self, path: &str, content_type: &str, content: &str) {
        let file = (content_type.to_owned(), content.to_owned());
        self.lock().files.insert(path.to_owned(), file);
    }

    pub(super) fn serve_folder(&self, folder: &Path) {
        self.lock().folder = Some(folder.to_owned());
    }

    pub(super) fn add_header(&self, name: &'static str, value: &str) {
        self.lock().headers.push((name, value.to_owned()));
    }

    pub(super) fn set_reply(&self, reply: Answering) {
        self.lock().reply = reply;
    }

    pub(super) fn release(&self) {
        self.released.send_modify(|count| *count += 1);
    }

    pub(super) fn log(&self) -> Log {
        Log(self.lock().requests.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that failed elsewhere has said why.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a request down; returns its index and what to do with it.
    fn note(&self, request: Request) -> (usize, Reply) {
        let mut state = self.lock();
        let reply = Arc::clone(&state.reply)(&request);
        state.requests.push(request);
        (state.requests.len() - 1, reply)
    }

    fn note_status(&self, index: usize, status: u16) {
        if let Some(request) = self.lock().requests.get_mut(index) {
            request.status = Some(status);
        }
    }

    /// A page, or a file of the SDK's.
    fn file(&self, path: &str) -> Response<Full<Bytes>> {
        let state = self.lock();
        let found = match path.strip_prefix("/sdk/") {
            Some(name) if !state.files.contains_key(path) => sdk(name),
            _ => {
                let from = |path| {
                    let (kind, content) = state.files.get(path)?;
                    Some((kind.clone(), content.clone().into()))
                };
                from(path).or_else(|| match &state.folder {
                    Some(folder) => within(folder, path),
                    None => from(""),
                })
            }
        };
        let Some((kind, content)) = found else {
            return response(StatusCode::NOT_FOUND, Bytes::new());
        };
        let mut response = response(StatusCode::OK, content);
        put(&mut response, "content-type", &kind);
        for (name, value) in &state.headers {
            put(&mut response, name, value);
        }
        response
    }
}

/// Serves every connection that comes.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&shared), request));
            let mut server = http1::Builder::new();
            // A browser repeats a request by itself when a connection ends that it has used before.
            server.keep_alive(false);
            // Whoever closes a connection early does so on purpose.
            let _ended = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Answers one request; an error closes the connection.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    if head.uri.path() != "/v1/events" {
        return Ok(shared.file(head.uri.path()));
    }
    let origin = head.headers.get("origin").cloned();
    let request = read(&head, &body);
    let is_preflight = request.method == "OPTIONS";
    let (index, reply) = shared.note(request);
    let reply = if is_preflight {
        Reply::Status(204)
    } else {
        reply
    };
    let mut content = String::from("{}");
    let (status, retry_after) = match reply {
        Reply::Status(status) => (status, None),
        Reply::Body(status, body) => {
            content = body;
            (status, None)
        }
        Reply::RetryAfter(status, after) => (status, Some(after)),
        Reply::Hang(status) => {
            let mut released = shared.released.subscribe();
            released.changed().await.map_err(|_| Closed)?;
            (status, None)
        }
        Reply::Drop => return Err(Closed),
    };
    shared.note_status(index, status);
    let code = StatusCode::from_u16(status).unwrap_or_default();
    let mut response = response(code, content.into());
    if let Some(after) = retry_after {
        put(&mut response, "retry-after", &after);
    }
    allow(&mut response, origin);
    Ok(response)
}

/// The connection is closed without an answer.
#[derive(Debug)]
pub(super) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("closed on purpose")
    }
}

impl std::error::Error for Closed {}

fn read(head: &hyper::http::request::Parts, bytes: &Bytes) -> Request {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter();
    let path = head.uri.to_string();
    let mut body = String::new();
    let is_packed =
        path.contains("compression=gzip") || head.headers.contains_key("content-encoding");
    if !is_packed
        || GzDecoder::new(bytes.as_ref())
            .read_to_string(&mut body)
            .is_err()
    {
        body = String::from_utf8_lossy(bytes).into_owned();
    }
    Request {
        at: now(),
        method: head.method.to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        path,
        bytes: bytes.len(),
        body,
        status: None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the harness measures from outside"
)]
fn now() -> Instant {
    Instant::now()
}

/// A file of the built SDK.
fn sdk(name: &str) -> Option<(String, Bytes)> {
    within(&program::root().join("sdk-wasm/dist"), name)
}

fn within(folder: &Path, path: &str) -> Option<(String, Bytes)> {
    let name = path.trim_start_matches('/');
    let index = if name.is_empty() || name.ends_with('/') {
        "index.html"
    } else {
        ""
    };
    let file = folder.join(format!("{name}{index}"));
    let kind = match file.extension()?.to_str()? {
        "css" => "text/css",
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => return None,
    };
    Some((kind.into(), std::fs::read(file).ok()?.into()))
}

fn response(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}

/// Lets a page of any origin read the answer, as the gateway does.
fn allow(response: &mut Response<Full<Bytes>>, origin: Option<HeaderValue>) {
    let origin = origin.unwrap_or(HeaderValue::from_static("*"));
    let headers = response.headers_mut();
    headers.insert("access-control-allow-origin", origin);
    put(response, "access-control-allow-headers", "*");
    put(response, "access-control-expose-headers", "Retry-After");
}

fn put(response: &mut Response<Full<Bytes>>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}
