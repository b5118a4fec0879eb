use super::{
    Gateway,
    codec::{self, Encoding, Fault},
    memory::Share,
    refusal::Refusal,
};
use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{StatusCode, header, request::Parts},
};
use footfall_service::http::Problem;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

/// The most memory that a length alone, without the bytes, is believed to be worth.
const MAX_RESERVED: usize = 64 << 10;

/// A body as it was before it was compressed, and the memory it takes.
#[derive(Debug)]
pub(super) struct Inflated {
    pub(super) bytes: Bytes,
    _share: Share,
}

/// Reads a body of at most `limits.body` bytes, with a `Content-Length` or without, and inflates it.
pub(super) async fn read(gateway: &Gateway, head: &Parts, body: Body) -> Result<Inflated, Refusal> {
    let form = Form::of(head)?;
    let limits = &gateway.limits;
    let mut share = gateway.bodies.share();
    let sent = timeout(limits.body_timeout, collect(body, limits.body, &mut share));
    let sent = sent.await.map_err(|_elapsed| late())??;
    let bytes = match form.encoding(&sent) {
        Encoding::Identity => sent,
        encoding @ (Encoding::Gzip | Encoding::Deflate | Encoding::Brotli | Encoding::Zstd) => {
            codec::decode(encoding, &sent, limits.decompressed, |more| {
                share.grow(more)
            })
            .map_err(|fault| match fault {
                Fault::TooLarge => too_large("decompressed body", limits.decompressed),
                Fault::Malformed => unreadable("expected a body that is compressed as it says"),
                Fault::NoRoom => Refusal::Busy,
            })?
            .into()
        }
    };
    Ok(Inflated {
        bytes,
        _share: share,
    })
}

async fn collect(mut body: Body, limit: usize, share: &mut Share) -> Result<Bytes, Refusal> {
    let hint = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if hint > limit {
        return Err(too_large("body", limit));
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| unreadable("expected a whole body, found one that broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > limit - bytes.len() {
            return Err(too_large("body", limit));
        }
        if !share.grow(data.len()) {
            return Err(Refusal::Busy);
        }
        if bytes.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        if bytes.is_empty() {
            bytes.reserve_exact(hint.min(MAX_RESERVED).max(data.len()));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// How a body is to be read.
struct Form {
    encoding: Encoding,
    /// A beacon's, which may not name an encoding and yet be gzip.
    may_be_gzip: bool,
}

impl Form {
    fn of(head: &Parts) -> Result<Self, Refusal> {
        let media_type = media_type(head)?;
        let mut named = head.headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = match named.next() {
            None => Some(Encoding::Identity),
            Some(name) => Encoding::named(name.as_bytes().trim_ascii()),
        };
        if named.next().is_some() {
            return Err(Refusal::UnsupportedEncoding);
        }
        let encoding = encoding.ok_or(Refusal::UnsupportedEncoding)?;
        Ok(Self {
            encoding,
            may_be_gzip: encoding == Encoding::Identity
                && media_type == MediaType::Text
                && says_compressed(head),
        })
    }

    fn encoding(&self, bytes: &[u8]) -> Encoding {
        if self.may_be_gzip && codec::looks_like_gzip(bytes) {
            Encoding::Gzip
        } else {
            self.encoding
        }
    }
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

fn too_large(what: &str, limit: usize) -> Refusal {
    let detail = format!("expected a {what} of up to {limit} bytes, found a longer one");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail).into()
}

fn unreadable(detail: &str) -> Refusal {
    Problem::new(StatusCode::BAD_REQUEST, "malformed_body", detail).into()
}

fn late() -> Refusal {
    let detail = "expected the whole body within `limits.body_timeout`";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail).into()
}
