//! The main listener: who may connect, how many, for how long, and how they are told to go.

mod closing;
mod connection;
mod farewell;
mod framing;
mod guard;
mod http_2;
mod proxy_protocol;
pub mod tls;

use crate::{
    client::Proxies,
    metrics::{Metrics, Turned},
};
use axum::Router;
use guard::Patience;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tls::Tls;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long the listener rests when the system gives it no connection.
const REST: Duration = Duration::from_millis(50);

/// How long a connection is quiet before its buffers go. Ten thousand of them wait for their next request, and each
/// would hold some 20 KiB.
const REST_AFTER: Duration = Duration::from_millis(500);

/// What a connection may be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most connections at a time.
    pub connections: usize,
    /// The longest head of a request, in bytes.
    pub headers: usize,
    /// How long a head may take, and a TLS handshake, and a header of the PROXY protocol.
    pub header_timeout: Duration,
    /// How long a connection may be quiet.
    pub idle_timeout: Duration,
    /// The proxies whose connections begin with a header of the PROXY protocol; then nobody else may connect.
    pub proxy_protocol: Option<Proxies>,
    /// The certificate, when the gateway speaks TLS itself.
    pub tls: Option<Tls>,
}

/// How a listener's life ends.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// Clients are told to connect elsewhere; everything is still answered.
    pub draining: CancellationToken,
    /// No connection is taken any more, and those that are quiet are closed.
    pub closing: CancellationToken,
}

/// What all connections share.
struct Server {
    router: Router,
    options: Options,
    life: Life,
    metrics: Metrics,
}

/// Serves until `life` says that it is over, and every request that is under way has its answer.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: Options,
    life: Life,
    metrics: Metrics,
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(options.connections));
    let server = Arc::new(Server {
        router,
        options,
        life,
        metrics,
    });
    let open = TaskTracker::new();
    let take = |(stream, peer): (TcpStream, SocketAddr)| match room.clone().try_acquire_owned() {
        Ok(place) => {
            let server = server.clone();
            open.spawn(async move {
                server.metrics.connected(1);
                connection::serve(&server, stream, peer).await;
                server.metrics.connected(-1);
                drop(place);
            });
        }
        Err(_full) => {
            server.metrics.turned_away(Turned::NoRoom);
            farewell::no_room(&stream);
        }
    };
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => take(accepted),
                Err(error) => rest_after(&error).await?,
            },
            () = server.life.closing.cancelled() => break,
        }
    }
    closing::last_connections(&listener, take).await;
    drop(listener);
    open.close();
    open.wait().await;
    Ok(())
}

/// What is wrong with one connection, or for now, is no reason to give up the listener.
async fn rest_after(error: &io::Error) -> io::Result<()> {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput};
    let kind = error.kind();
    if kind == InvalidInput {
        return Err(io::Error::new(kind, error.to_string()));
    }
    if !matches!(kind, ConnectionAborted | ConnectionReset) {
        tracing::warn!(%error, "a connection could not be accepted");
        sleep(REST).await;
    }
    Ok(())
}

impl Options {
    fn patience(&self) -> Patience {
        Patience {
            head: self.header_timeout,
            idle: self.idle_timeout.saturating_sub(REST_AFTER),
            rest: REST_AFTER.min(self.idle_timeout),
        }
    }
}
