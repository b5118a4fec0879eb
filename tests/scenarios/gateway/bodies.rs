//! Compressed bodies and pixels.

use crate::pipeline::batch;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use footfall_tests::{client::Answer, gateway::Gateway, kafka::Kafka};
use std::io::Write as _;
use std::time::Duration;
use tokio::time::Instant;

type Encode = fn(&[u8]) -> Vec<u8>;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(bytes).unwrap();
    encoder.into_inner()
}

async fn post(gateway: &Gateway, encoding: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = gateway.request(body).header("content-encoding", encoding);
    Answer::to(request).await.unwrap()
}

/// The most memory that a process has ever had, in bytes.
fn peak_memory(gateway: &Gateway) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", gateway.program.pid())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn every_encoding_is_taken_with_a_length_and_in_chunks() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let encode: [(&str, Encode); 6] = [
        ("gzip", gzip),
        ("deflate", zlib),
        ("deflate", raw_deflate),
        ("br", brotli),
        ("zstd", |bytes| zstd::encode_all(bytes, 3).unwrap()),
        ("identity", <[u8]>::to_vec),
    ];
    for (encoding, encode) in encode {
        let body = encode(batch::of_page_views(3).to_string().as_bytes());
        let answer = post(&gateway, encoding, body.clone()).await;
        assert_eq!(
            (answer.status, &answer.json()["accepted"]),
            (202, &3.into()),
            "{encoding}"
        );
        let cut = post(&gateway, encoding, body[..body.len() - 1].to_vec()).await;
        assert_eq!(cut.json()["code"], "malformed_body", "{encoding}");
        let body = encode(batch::of_page_views(3).to_string().as_bytes());
        let pieces: Vec<_> = body
            .chunks(50)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect();
        let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        assert_eq!(
            post(&gateway, encoding, chunked).await.status,
            202,
            "{encoding}"
        );
    }
    assert_eq!(kafka.records(&gateway.topic, 36).await.len(), 36);
    let refused = post(&gateway, "gzip, br", gzip(b"{}")).await;
    assert_eq!(refused.json()["code"], "unsupported_encoding");
    assert!(refused.header("accept-encoding").unwrap().contains("zstd"));
}

#[tokio::test]
async fn a_beacon_may_say_gzip_in_the_query() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let url = format!("{}/v1/events?compression=gzip", gateway.url);
    let body = batch::of_page_views(2).to_string();
    for (content_type, body, status) in [
        ("text/plain", gzip(body.as_bytes()), 202),
        (
            "text/plain;charset=UTF-8",
            gzip(body.replace("0", "1").as_bytes()),
            202,
        ),
        ("application/json", gzip(body.as_bytes()), 400),
    ] {
        let request = reqwest::Client::new()
            .post(&url)
            .header("content-type", content_type);
        let answer = Answer::to(request.body(body)).await.unwrap();
        assert_eq!(answer.status, status, "{content_type}: {answer:?}");
    }
}

/// How long it takes to be refused.
async fn send_bomb(gateway: &Gateway, encoding: &str, bomb: &[u8]) -> Duration {
    let start = Instant::now();
    let answer = post(gateway, encoding, bomb.to_vec()).await;
    let took = start.elapsed();
    let said = (answer.status, answer.json()["code"].clone());
    assert_eq!(said, (413, "body_too_large".into()), "{encoding}");
    took
}

#[tokio::test]
async fn a_bomb_is_refused_at_once_and_costs_no_memory() {
    let gateway = Gateway::start(Kafka::shared().await).await;
    let body = vec![0; 400 << 20];
    let bombs = [
        ("gzip", gzip(&body)),
        ("deflate", zlib(&body)),
        ("br", brotli(&body)),
        ("zstd", zstd::encode_all(&body[..], 3).unwrap()),
    ];
    drop(body);
    assert_eq!(
        gateway
            .post(batch::of_page_views(1).to_string())
            .await
            .status,
        202
    );
    for (encoding, bomb) in bombs {
        assert!(bomb.len() < 1 << 20);
        let before = peak_memory(&gateway);
        let mut took = send_bomb(&gateway, encoding, &bomb).await;
        let pieces: Vec<_> = bomb
            .chunks(8192)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect();
        let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        let answer = post(&gateway, encoding, chunked).await;
        assert_eq!(answer.status, 413, "{encoding}: {answer:?}");
        // The kernel counts pages by core, so that what it says of a peak may be a little less later.
        let grown = peak_memory(&gateway).saturating_sub(before);
        assert!(grown < 2 * (8 << 20), "{encoding}: {grown}");
        // Other tests run on the same cores: the best of three is the gateway's own time.
        for _ in 0..2 {
            took = took.min(send_bomb(&gateway, encoding, &bomb).await);
        }
        assert!(took < Duration::from_millis(100), "{encoding}: {took:?}");
    }
}

#[tokio::test]
async fn bodies_that_together_take_too_much_memory_are_told_to_come_back() {
    let flags = ["--limits-bodies", "64KiB", "--limits-body-timeout", "60s"];
    let gateway = Gateway::start_with(Kafka::shared().await, &flags).await;
    let body = " ".repeat(100 << 10);
    let request = gateway.request(body).header("origin", "https://a.example");
    let busy = Answer::to(request).await.unwrap();
    assert_eq!(
        (busy.status, &busy.json()["code"]),
        (503, &"unavailable".into())
    );
    assert!(busy.header("retry-after").is_some());
    assert_eq!(
        busy.header("access-control-allow-origin"),
        Some("https://a.example")
    );
    assert_eq!(
        gateway
            .post(batch::of_page_views(1).to_string())
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn a_pixel_is_a_page_view_and_always_a_picture() {
    let kafka = Kafka::shared().await;
    let gateway = Gateway::start(kafka).await;
    let get = async |query: &str, headers: &[(&str, &str)]| {
        let mut request =
            reqwest::Client::new().get(format!("{}/v1/pixel.gif{query}", gateway.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "image/gif");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let body = answer.bytes().await.unwrap();
        assert!(
            body.starts_with(b"GIF89a") && body.ends_with(b";"),
            "{body:?}"
        );
    };
    get(
        "?k=demo&u=https%3A%2F%2Fshop.example%2F&t=Shop+%26+more&r=https://x.example/",
        &[("user-agent", "Googlebot/2.1")],
    )
    .await;
    get(&format!("?k=demo&u={}", "x".repeat(4097)), &[]).await;
    get("?k=demo&u=https://shop.example/", &[("sec-gpc", "1")]).await;
    get("?k=no%20key", &[]).await;
    get("", &[]).await;
    // A checker of links.
    let head = format!(
        "{}/v1/pixel.gif?k=demo&u=https://shop.example/",
        gateway.url
    );
    let head = reqwest::Client::new().head(head).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-type"]),
        (200, &"image/gif".parse().unwrap())
    );
    let records = kafka.records(&gateway.topic, 1).await;
    assert_eq!(records.len(), 1);
    let record = records[0].json();
    assert_eq!(record["type"], "page_view");
    assert_eq!(record["page"]["url"], "https://shop.example/");
    assert_eq!(record["page"]["title"], "Shop & more");
    assert_eq!(record["page"]["referrer"], "https://x.example/");
    assert_eq!(record["client"]["bot"], true);
    let metrics = gateway.metrics().await;
    assert_eq!(metrics.sum("footfall_events_received_total"), 3.0);
    assert_eq!(
        metrics.sum("footfall_events_rejected_total{code=\"url_too_long\"}"),
        1.0
    );
    assert_eq!(
        metrics.sum("footfall_events_dropped_total{reason=\"privacy\"}"),
        1.0
    );
    // Their picture says 200 all the same.
    for (code, count) in [("ok", 3.0), ("invalid_field", 2.0)] {
        let of_code = format!(
            "footfall_requests_total{{route=\"/v1/pixel.gif\",status=\"200\",code=\"{code}\"}}"
        );
        assert_eq!(metrics.sum(&of_code), count, "{metrics:?}");
    }
    assert_eq!(kafka.read(&gateway.rejected).await.unwrap(), []);
}
