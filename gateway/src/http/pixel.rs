//! `GET /v1/pixel.gif`: a page view without scripts.

use super::{Gateway, events, refusal::Refusal};
use crate::clock;
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
};
use footfall_protocol::{Timestamp, batch::Batch};
use footfall_service::http::ProblemCode;
use serde::Serialize;
use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use uuid::Uuid;

/// One transparent pixel.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// Answers with the pixel, whatever becomes of the event: nobody who could read anything else is there.
pub(super) async fn get(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _body) = request.into_parts();
    let seen = match head.method {
        // A checker of links has seen no page.
        Method::HEAD => Ok(()),
        _ => see(&gateway, peer.ip(), &head.uri, &head.headers).await,
    };
    let headers = [
        (header::CONTENT_TYPE, "image/gif"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut answer = (headers, GIF).into_response();
    let policy = HeaderValue::from_static("cross-origin");
    answer
        .headers_mut()
        .insert("cross-origin-resource-policy", policy);
    if let Err(refusal) = seen {
        // The request's count says what its answer cannot.
        answer.extensions_mut().insert(ProblemCode(refusal.code()));
    }
    answer
}

async fn see(
    gateway: &Gateway,
    peer: IpAddr,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let received_at = clock::now();
    let query = Query::read(uri.query().unwrap_or_default());
    let body = query.to_batch(received_at)?;
    let batch = Batch::read(&body)?;
    let source = events::Source {
        peer,
        headers,
        received_at,
        is_pixel: true,
    };
    gateway.admit(&batch, &source).await?;
    Ok(())
}

/// What the query says; of a name that is there twice, the first.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query<'a> {
    write_key: Option<Cow<'a, str>>,
    url: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    referrer: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    fn read(query: &'a str) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "k" => &mut read.write_key,
                "u" => &mut read.url,
                "t" => &mut read.title,
                "r" => &mut read.referrer,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        read
    }

    /// The batch that the SDK would have sent.
    fn to_batch(&self, now: Timestamp) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&PixelBatch {
            write_key: self.write_key.as_deref(),
            sent_at: now,
            events: [PixelEvent {
                id: Uuid::now_v7().to_string(),
                time: now,
                r#type: "page_view",
                page: PixelPage {
                    url: self.url.as_deref(),
                    title: self.title.as_deref(),
                    referrer: self.referrer.as_deref(),
                },
            }],
        })
    }
}

#[derive(Serialize)]
struct PixelBatch<'a> {
    write_key: Option<&'a str>,
    sent_at: Timestamp,
    events: [PixelEvent<'a>; 1],
}

#[derive(Serialize)]
struct PixelEvent<'a> {
    id: String,
    time: Timestamp,
    r#type: &'static str,
    page: PixelPage<'a>,
}

#[derive(Serialize)]
struct PixelPage<'a> {
    url: Option<&'a str>,
    title: Option<&'a str>,
    referrer: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_forms_are_sent() {
        let query = Query::read("k=shop&u=https%3A%2F%2Fx.example%2F%3Fa%3Db&t=a+b&t=c&x=1");
        let text = |text: &'static str| Some(Cow::Borrowed(text));
        assert_eq!(
            query,
            Query {
                write_key: text("shop"),
                url: text("https://x.example/?a=b"),
                title: text("a b"),
                referrer: None,
            }
        );
    }

    #[test]
    fn its_batch_is_one_that_is_read() {
        let query = Query::read("k=shop&u=%FF%22");
        let body = query.to_batch(Timestamp::from_millis(7)).unwrap();
        let batch = Batch::read(&body).unwrap();
        assert_eq!((&*batch.write_key, batch.events.len()), ("shop", 1));
        assert!(batch.events[0].json().as_str().contains("\u{FFFD}\\\""));
    }
}
