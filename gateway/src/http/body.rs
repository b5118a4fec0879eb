use super::refusal::Refusal;
use axum::{
    body::{Body, HttpBody as _},
    http::{StatusCode, header, request::Parts},
};
use footfall_service::http::Problem;
use http_body_util::BodyExt as _;
use std::time::Duration;

/// How much of a refused body is still read, in bytes, and for how long.
const MAX_DISCARDED: usize = 8 << 20;
const MAX_DISCARDING: Duration = Duration::from_secs(2);
/// The most memory that a length alone, without the bytes, is believed to be worth.
const MAX_RESERVED: usize = 64 << 10;

/// Reads a body of at most `limit` bytes, with a `Content-Length` or without.
pub(super) async fn read(head: &Parts, mut body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let read = match check_head(head) {
        Ok(()) => collect(&mut body, limit).await,
        Err(refusal) => Err(refusal),
    };
    if read.is_err() && !head.headers.contains_key(header::EXPECT) {
        discard(body).await;
    }
    read
}

async fn collect(body: &mut Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let hint = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if hint > limit {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::with_capacity(hint.min(MAX_RESERVED));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| unreadable())?;
        if let Some(data) = frame.data_ref() {
            if data.len() > limit - bytes.len() {
                return Err(too_large(limit));
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}

/// Reads the rest of a refused body. A connection that is closed with unread bytes is reset, and the sender, still busy
/// sending, would never see why. Senders that wait for `100 Continue` send nothing, so they are answered at once.
async fn discard(mut body: Body) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, |data| data.len());
            if read > MAX_DISCARDED {
                break;
            }
        }
    };
    // Read or not, the answer is the same.
    let _read_in_time = tokio::time::timeout(MAX_DISCARDING, reading).await;
}

fn check_head(head: &Parts) -> Result<(), Refusal> {
    let media_type = media_type(head)?;
    let encodings = head.headers.get_all(header::CONTENT_ENCODING);
    let identity = encodings
        .iter()
        .all(|value| value.is_empty() || value.as_bytes().eq_ignore_ascii_case(b"identity"));
    let compressed = media_type == MediaType::Text && says_compressed(head);
    if !identity || encodings.iter().count() > 1 || compressed {
        return Err(Refusal::UnsupportedEncoding);
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MediaType {
    Json,
    Text,
}

/// Beacons send `text/plain`, which costs no preflight; what is in it is JSON all the same.
fn media_type(head: &Parts) -> Result<MediaType, Refusal> {
    let Some(value) = head.headers.get(header::CONTENT_TYPE) else {
        return Ok(MediaType::Json);
    };
    let essence = value.to_str().unwrap_or_default().split(';').next();
    match essence.unwrap_or_default().trim() {
        essence if essence.eq_ignore_ascii_case("application/json") => Ok(MediaType::Json),
        essence if essence.eq_ignore_ascii_case("text/plain") => Ok(MediaType::Text),
        _ => {
            let detail = "expected `Content-Type: application/json`, `text/plain` or none";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            Err(Problem::new(status, "unsupported_media_type", detail).into())
        }
    }
}

/// `?compression=gzip` is a `Content-Encoding` for senders that may not send one.
fn says_compressed(head: &Parts) -> bool {
    let query = head.uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair == "compression=gzip")
}

fn too_large(limit: usize) -> Refusal {
    let detail = format!("expected a body of up to {limit} bytes, found a longer one");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail).into()
}

fn unreadable() -> Refusal {
    let detail = "expected a whole body, found one that broke off";
    Problem::new(StatusCode::BAD_REQUEST, "malformed_body", detail).into()
}
