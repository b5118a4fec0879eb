//! One connection, from its first byte to its last.

use super::{
    Server, farewell,
    guard::{End, Guard},
    http_2, proxy_protocol,
    tls::{self, Protocol},
};
use crate::metrics::Turned;
use axum::{
    Router,
    extract::{ConnectInfo, Request},
    routing::future::RouteFuture,
};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

/// What an HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection's bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Answers the requests of one connection.
pub(super) async fn serve(server: &Server, stream: TcpStream, peer: SocketAddr) {
    if let Err(turned) = open(server, stream, peer).await {
        server.metrics.turned_away(turned);
    }
}

async fn open(server: &Server, mut stream: TcpStream, mut peer: SocketAddr) -> Result<(), Turned> {
    // Without it small answers wait for acknowledgements; where it cannot be set, they do.
    let _set = stream.set_nodelay(true);
    let options = &server.options;
    let mut begun = Vec::new();
    if let Some(proxies) = &options.proxy_protocol {
        if !proxies.is_trusted(peer.ip()) {
            return Err(Turned::UntrustedProxy);
        }
        let header = proxy_protocol::read(&mut stream, &mut begun);
        let source = timeout(options.header_timeout, header).await;
        let source = source
            .ok()
            .and_then(Result::ok)
            .ok_or(Turned::NoProxyHeader)?;
        peer = source.unwrap_or(peer);
    }
    let Some(tls) = &options.tls else {
        return begin(server, stream, begun, peer, None).await;
    };
    let stream = Guard::rewound(stream, begun, options.patience());
    let handshake = Box::pin(tls.acceptor().accept(stream));
    let stream = timeout(options.header_timeout, handshake).await;
    let stream = stream
        .ok()
        .and_then(Result::ok)
        .ok_or(Turned::TlsHandshake)?;
    let protocol = tls::protocol(&stream);
    Box::pin(begin(server, stream, Vec::new(), peer, protocol)).await
}

/// Finds out which protocol is spoken, and speaks it.
async fn begin<S: Stream>(
    server: &Server,
    mut stream: S,
    mut begun: Vec<u8>,
    peer: SocketAddr,
    agreed: Option<Protocol>,
) -> Result<(), Turned> {
    let options = &server.options;
    let protocol = match agreed {
        Some(protocol) => protocol,
        None => {
            let first = timeout(options.idle_timeout, first_bytes(&mut stream, &mut begun));
            let has_begun = tokio::select! {
                first = first => matches!(first, Ok(Ok(true))),
                () = server.life.over() => false,
            };
            if !has_begun {
                return Ok(());
            }
            let known = recognise(&mut stream, &mut begun);
            match timeout(options.header_timeout, known).await {
                Ok(Ok(protocol)) => protocol,
                Ok(Err(_)) => return Ok(()),
                // A beginning of the preface is no head that can be answered.
                Err(_) => return Err(Turned::NoRequest),
            }
        }
    };
    let endpoint = Endpoint {
        router: server.router.clone(),
        peer,
    };
    match protocol {
        Protocol::Http1 => {
            let guard = Guard::http_1(stream, begun, options.headers, options.patience());
            http_1(server, guard, endpoint).await;
        }
        Protocol::Http2 => {
            let guard = Guard::rewound(stream, begun, options.patience());
            Box::pin(http_2::serve(server, guard, endpoint)).await;
        }
    }
    Ok(())
}

/// Waits for the sender to say something; false when it goes.
async fn first_bytes<S: Stream>(stream: &mut S, begun: &mut Vec<u8>) -> std::io::Result<bool> {
    Ok(!begun.is_empty() || stream.read_buf(begun).await? > 0)
}

async fn recognise<S: Stream>(stream: &mut S, begun: &mut Vec<u8>) -> std::io::Result<Protocol> {
    loop {
        if begun.starts_with(PREFACE) {
            return Ok(Protocol::Http2);
        }
        if !PREFACE.starts_with(begun) || stream.read_buf(begun).await? == 0 {
            return Ok(Protocol::Http1);
        }
    }
}

async fn http_1<S: Stream>(server: &Server, mut guard: Guard<S>, endpoint: Endpoint) {
    loop {
        guard = Box::pin(requests(server, guard, endpoint.clone())).await;
        if guard.end() != Some(End::Rested) {
            break;
        }
        tokio::select! {
            begins = guard.begins_again() => if !begins { break },
            () = server.life.over() => break,
        }
    }
    let (stream, end) = guard.into_parts();
    Box::pin(farewell::say(stream, end, &server.metrics)).await;
}

/// Answers the requests that come soon after one another.
async fn requests<S: Stream>(server: &Server, guard: Guard<S>, endpoint: Endpoint) -> Guard<S> {
    let mut connection = http1::Builder::new()
        // The guard has clocks of its own, which can tell a quiet connection from a slow head.
        .header_read_timeout(None)
        // Whoever sends a request and closes their side may still read the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(guard), endpoint);
    let mut over = pin!(server.life.over());
    let mut told = false;
    let served = poll_fn(|cx| {
        if !told && over.as_mut().poll(cx).is_ready() {
            told = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(cx)
    });
    // What went wrong with a connection is seen by its peer, and by nobody else.
    let failed = served.await.is_err();
    let mut guard = connection.into_parts().io.into_inner();
    if failed {
        guard.give_up();
    }
    guard
}

/// Where the requests of one connection go.
#[derive(Clone)]
pub(super) struct Endpoint {
    router: Router,
    peer: SocketAddr,
}

impl Service<Request<Incoming>> for Endpoint {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        tower::Service::call(&mut self.router.clone(), request)
    }
}
