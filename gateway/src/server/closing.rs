//! How connections end without failing whoever is just about to use one.

use super::Life;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, sleep_until},
};

/// How long a connection in which nothing is said is kept once the listener is closed. A load balancer may have a request on
/// its way in it, and could not know whether that one may be repeated.
const LAST_REQUEST: Duration = Duration::from_millis(500);
/// How long connections that have been begun may take until they are made.
const HANDSHAKES: Duration = Duration::from_millis(20);

impl Life {
    /// Connections in which nothing is said may be closed.
    pub(super) async fn over(&self) {
        self.closing.cancelled().await;
        sleep(LAST_REQUEST).await;
    }
}

/// Takes every connection that has been begun, and lets no further one begin. A listener that is just closed resets those
/// that it has not handed out, and their requests may have been sent. Who cannot begin any more is refused as soon as it is
/// closed, and goes elsewhere.
pub(super) async fn last_connections(
    listener: &TcpListener,
    mut take: impl FnMut((TcpStream, SocketAddr)),
) {
    if let Err(error) = ignore_beginnings(listener) {
        tracing::debug!(%error, "who is just connecting may be reset");
    }
    let until = Instant::now() + HANDSHAKES;
    loop {
        tokio::select! {
            // All that wait are taken before it is over.
            biased;
            accepted = listener.accept() => match accepted {
                Ok(accepted) if Instant::now() < until + HANDSHAKES => take(accepted),
                Ok(_) | Err(_) => break,
            },
            () = sleep_until(until) => break,
        }
    }
}

/// The kernel drops the first packet of each new connection from now on; those of others pass.
#[cfg(target_os = "linux")]
fn ignore_beginnings(listener: &TcpListener) -> io::Result<()> {
    use socket2::{SockFilter, SockRef};
    // Classic BPF (linux/bpf_common.h); a packet begins with its TCP header.
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const FLAGS_AT: u32 = 13;
    const SYN: u32 = 0x02;
    const DROP: u32 = 0;
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS_AT),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, DROP),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

#[cfg(not(target_os = "linux"))]
fn ignore_beginnings(_: &TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
