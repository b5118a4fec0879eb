use async_trait::async_trait;
use axum::http::{HeaderValue, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{net::TcpStream, runtime::Handle, time::timeout};

/// How long a collector may take for one post.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// Posts to the collector, a connection each time: there is one post a second at most.
#[derive(Debug)]
pub(super) struct Client {
    /// The exporter's own thread has none.
    runtime: Handle,
    /// Whether the newest post failed.
    failed: AtomicBool,
}

impl Client {
    pub(super) fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            failed: AtomicBool::new(false),
        }
    }

    fn tell(&self, sent: Result<(), &HttpError>) {
        let before = self.failed.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Ok(()) if before => tracing::info!("the collector takes spans again"),
            Err(error) if !before => {
                tracing::warn!(%error, "the collector does not take spans: they are lost until it does");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let posted = self
            .runtime
            .spawn(async move { timeout(TIMEOUT, post(request)).await? });
        let answer = posted.await.unwrap_or_else(|error| Err(error.into()));
        match &answer {
            Ok(answer) if !answer.status().is_success() => {
                self.tell(Err(&format!("it answers {}", answer.status()).into()));
            }
            Ok(_) => self.tell(Ok(())),
            Err(error) => self.tell(Err(error)),
        }
        answer
    }
}

async fn post(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or("an address without a host")?;
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    head.headers
        .insert(header::HOST, HeaderValue::from_str(authority.as_str())?);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = path.parse::<Uri>()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender.
    tokio::spawn(connection);
    let request = Request::from_parts(head, Full::new(body));
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}
