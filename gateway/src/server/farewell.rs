//! The last words of a connection, where the HTTP library has none.

use super::{framing::Refusal, guard::End};
use crate::{http::NO_ROUTE, metrics::Metrics};
use axum::http::StatusCode;
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How much is still read of a sender that does not stop, in bytes, and for how long.
const MAX_DISCARDED: usize = 8 << 20;
const MAX_LINGERING: Duration = Duration::from_secs(2);

/// Says why no more is read, if that has not been said, and closes.
pub(super) async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    end: Option<End>,
    metrics: &Metrics,
) {
    let parting = async {
        if let Some((status, code, detail)) = end.and_then(words) {
            metrics.answered(NO_ROUTE, status.as_u16(), code, Duration::ZERO);
            stream.write_all(&answer(status, code, detail)).await?;
        }
        stream.shutdown().await?;
        if end != Some(End::Quiet) {
            linger(&mut stream).await?;
        }
        std::io::Result::Ok(())
    };
    // Who is not there any more cannot be told.
    let _told = timeout(MAX_LINGERING, parting).await;
}

/// Turns away who is one too many.
pub(super) fn no_room(stream: &TcpStream) {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let detail = "too many connections are open";
    // The buffer of a new connection has room for this, and nobody waits for who is turned away.
    let _told = stream.try_write(&answer(status, "unavailable", detail));
}

/// Reads on until the sender has seen the answer. A connection that is closed with unread bytes is reset, and a sender
/// that is still sending would never see why.
async fn linger<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<()> {
    let mut discarded = 0;
    let mut buffer = vec![0; 4096];
    while discarded < MAX_DISCARDED {
        match stream.read(&mut buffer).await? {
            0 => break,
            len => discarded += len,
        }
    }
    Ok(())
}

fn words(end: End) -> Option<(StatusCode, &'static str, &'static str)> {
    match end {
        End::Late => Some((
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "expected the whole head of a request within `limits.header_timeout`",
        )),
        End::Refused(Refusal::HeadTooLarge) => Some((
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers_too_large",
            "expected a head of up to `limits.headers` bytes and 100 lines, found a larger one",
        )),
        End::Refused(Refusal::Malformed) => Some((
            StatusCode::BAD_REQUEST,
            "malformed_request",
            "expected a request after RFC 9112, found something that could be read in two ways or not at all",
        )),
        End::Refused(Refusal::BrokenBody) | End::Quiet | End::Rested => None,
    }
}

fn answer(status: StatusCode, code: &str, detail: &str) -> Vec<u8> {
    let title = status.canonical_reason().unwrap_or("Error");
    let number = status.as_u16();
    let body = format!(
        r#"{{"type":"about:blank","title":"{title}","status":{number},"code":"{code}","detail":"{detail}"}}"#
    );
    let retry = match status {
        StatusCode::SERVICE_UNAVAILABLE => "retry-after: 5\r\n",
        _ => "",
    };
    let len = body.len();
    format!(
        "HTTP/1.1 {number} {title}\r\ncontent-type: application/problem+json\r\ncontent-length: {len}\r\n\
         {retry}vary: Origin\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
