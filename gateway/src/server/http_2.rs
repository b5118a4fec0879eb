//! HTTP/2, by TLS or by prior knowledge.

use super::{
    Server,
    connection::{Endpoint, Stream},
    guard::Guard,
};
use axum::extract::Request;
use hyper::{body::Incoming, server::conn::http2, service::Service as _};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::{sync::Notify, time::interval};

/// The most requests of one connection at a time.
const MAX_STREAMS: u32 = 128;

/// The longest head that is read at all. What is longer than `limits.headers` is refused as one request; beyond this much
/// more the HTTP library can only close the connection, which other visitors' requests are on.
const MAX_HEAD_READ: u32 = 128 << 10;

/// Answers requests until the client goes, is quiet for too long, or has to go elsewhere.
pub(super) async fn serve<S: Stream>(server: &Server, guard: Guard<S>, endpoint: Endpoint) {
    let activity = Arc::new(Activity::default());
    let service = {
        let activity = activity.clone();
        hyper::service::service_fn(move |request: Request<Incoming>| {
            let request_of = InFlight::new(activity.clone());
            let answer = endpoint.call(request);
            async move {
                let answer = answer.await;
                drop(request_of);
                answer
            }
        })
    };
    let max_head = u32::try_from(server.options.headers).unwrap_or(u32::MAX);
    let max_read = max_head.max(MAX_HEAD_READ);
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(max_read)
            .serve_connection(TokioIo::new(guard), service)
    );
    let life = &server.life;
    let mut quiet = interval(server.options.idle_timeout);
    quiet.tick().await;
    let (mut told, mut seen) = (false, 0);
    loop {
        tokio::select! {
            _ended = connection.as_mut() => return,
            // GOAWAY before the first request would refuse it.
            () = both(life.draining.cancelled(), activity.first()), if !told => {}
            () = life.over(), if !told => {}
            _ = quiet.tick() => {
                let is_quiet = activity.is_quiet_since(seen);
                seen = activity.begun.load(Ordering::Relaxed);
                match (is_quiet, told) {
                    (false, _) => continue,
                    // It has not even acknowledged that it should go.
                    (true, true) => return,
                    (true, false) => {}
                }
            }
        }
        told = true;
        connection.as_mut().graceful_shutdown();
    }
}

async fn both(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    tokio::join!(first, second);
}

/// What goes on in a connection.
#[derive(Debug, Default)]
struct Activity {
    begun: AtomicU64,
    in_flight: AtomicUsize,
    has_begun: Notify,
}

impl Activity {
    async fn first(&self) {
        let begun = self.has_begun.notified();
        if self.begun.load(Ordering::Acquire) == 0 {
            begun.await;
        }
    }

    fn is_quiet_since(&self, seen: u64) -> bool {
        self.in_flight.load(Ordering::Relaxed) == 0 && self.begun.load(Ordering::Relaxed) == seen
    }
}

struct InFlight(Arc<Activity>);

impl InFlight {
    fn new(activity: Arc<Activity>) -> Self {
        activity.in_flight.fetch_add(1, Ordering::Relaxed);
        if activity.begun.fetch_add(1, Ordering::Release) == 0 {
            activity.has_begun.notify_waiters();
        }
        Self(activity)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
