//! HTTP as bytes, for what no client library would send.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long a server may think before a test gives up on it.
const LIMIT: Duration = Duration::from_secs(30);

/// One connection.
#[derive(Debug)]
pub struct Wire(TcpStream);

impl Wire {
    /// Connects to `http://HOST:PORT`.
    ///
    /// # Panics
    /// When nobody is there.
    pub async fn to(url: &str) -> Self {
        let address = url.strip_prefix("http://").expect("an http address");
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the other side has closed.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.write_all(bytes.as_ref()).await
    }

    /// Reads to the end of the connection.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn to_the_end(&mut self) -> String {
        let mut bytes = Vec::new();
        // A reset is an end too; what came before it counts.
        let _ended = timeout(LIMIT, self.0.read_to_end(&mut bytes))
            .await
            .expect("the end of the connection");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads one answer with a `content-length`.
    ///
    /// # Panics
    /// When none comes.
    pub async fn answer(&mut self) -> String {
        let mut text = String::new();
        while !is_whole(&text) {
            let mut bytes = [0; 4096];
            let read = timeout(LIMIT, self.0.read(&mut bytes));
            let len = read.await.expect("an answer in time").expect("an answer");
            assert!(len > 0, "the connection ended after {text:?}");
            text += &String::from_utf8_lossy(&bytes[..len]);
        }
        text
    }

    /// Sends a request and reads to the end of the connection.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn ask_once(url: &str, request: impl AsRef<[u8]>) -> String {
        let mut wire = Self::to(url).await;
        // Who is refused early may find the door shut; the answer still says why.
        let _sent = wire.send(request).await;
        wire.to_the_end().await
    }
}

fn is_whole(text: &str) -> bool {
    text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        let len = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned)
        });
        body.len() >= len.and_then(|len| len.parse().ok()).unwrap_or(0)
    })
}
