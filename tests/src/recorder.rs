//! A server in place of a gateway: it serves pages with the SDK on them, writes down every batch,
//! and answers as it is told.

mod page;
mod request;
mod site;

pub use page::Page;
pub use request::{Log, Request};

use serde_json::Value;
use site::Shared;
use std::{
    net::Ipv4Addr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

/// What the server does with a batch.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with a status.
    Status(u16),
    /// Answers with a status and a `Retry-After`.
    RetryAfter(u16, String),
    /// Answers with a status and a body.
    Body(u16, String),
    /// Keeps silent until [`Recorder::release`], then answers with the status.
    Hang(u16),
    /// Reads the request, and closes the connection.
    Drop,
}

/// A running server. Dropping it closes its port; connections that are open end by themselves.
#[derive(Debug)]
pub struct Recorder {
    /// `http://127.X.Y.Z:PORT`, a host of its own, so that nothing is stored for it yet, cookies included.
    pub url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Recorder {
    /// Starts one that takes everything with 202, and serves [`Page::default`] under every path.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        static HOSTS: AtomicU16 = AtomicU16::new(1);
        let [high, low] = HOSTS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let host = Ipv4Addr::new(127, 1, high, low);
        let listener = TcpListener::bind((host, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(site::accept(listener, Arc::clone(&shared)));
        Self {
            url: format!("http://{address}"),
            shared,
            accepting,
        }
    }

    /// From now on serves this page under every path that has none of its own.
    pub fn page(&self, page: &Page) {
        self.file("", "text/html; charset=utf-8", &page.html());
    }

    /// From now on serves a text under a path, as `/page.js`.
    pub fn file(&self, path: &str, content_type: &str, content: &str) {
        self.shared.serve(path, content_type, content);
    }

    /// From now on serves the files of a folder, `index.html` where a path ends with `/`.
    pub fn folder(&self, folder: &Path) {
        self.shared.serve_folder(folder);
    }

    /// From now on adds a header to every answer but those to batches.
    pub fn header(&self, name: &'static str, value: &str) {
        self.shared.add_header(name, value);
    }

    /// From now on answers every batch alike.
    pub fn reply(&self, reply: Reply) {
        self.reply_by(move |_| reply.clone());
    }

    /// From now on answers every batch as the function says.
    pub fn reply_by(&self, reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        self.shared.set_reply(Arc::new(reply));
    }

    /// Lets all answers go that hang.
    pub fn release(&self) {
        self.shared.release();
    }

    /// All that has arrived, preflights included, in order.
    #[must_use]
    pub fn log(&self) -> Log {
        self.shared.log()
    }

    /// The events that were answered with 2xx, doubles included, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        self.log().taken()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
