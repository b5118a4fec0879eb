use super::*;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use proptest::prelude::*;
use std::io::Write as _;

const ALL: [Encoding; 5] = [
    Encoding::Identity,
    Encoding::Gzip,
    Encoding::Deflate,
    Encoding::Brotli,
    Encoding::Zstd,
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
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

fn brotli(bytes: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, window_log);
    encoder.write_all(bytes).unwrap();
    encoder.into_inner()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn encoded(bytes: &[u8]) -> [(Encoding, Vec<u8>); 6] {
    [
        (Encoding::Identity, bytes.to_vec()),
        (Encoding::Gzip, gzip(bytes)),
        (Encoding::Deflate, zlib(bytes)),
        (Encoding::Deflate, raw_deflate(bytes)),
        (Encoding::Brotli, brotli(bytes, 22)),
        (Encoding::Zstd, zstd(bytes)),
    ]
}

fn decoded(encoding: Encoding, bytes: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    decode(encoding, bytes, limit, |_| true)
}

#[test]
fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    for len in [0, 1, PIECE, 200_000] {
        let body = vec![b' '; len];
        for (encoding, bytes) in encoded(&body).into_iter().skip(1) {
            assert_eq!(
                decoded(encoding, &bytes, len),
                Ok(body.clone()),
                "{encoding:?}"
            );
            if len > 0 {
                assert_eq!(
                    decoded(encoding, &bytes, len - 1),
                    Err(Fault::TooLarge),
                    "{encoding:?}"
                );
            }
        }
    }
}

#[test]
fn a_bomb_is_given_up_without_more_memory_than_a_piece() {
    let body = vec![0; 64 << 20];
    for (encoding, bytes) in encoded(&body).into_iter().skip(1) {
        let mut reserved = 0;
        let reserve = |more| {
            reserved += more;
            true
        };
        let limit = 1 << 20;
        assert_eq!(
            decode(encoding, &bytes, limit, reserve),
            Err(Fault::TooLarge)
        );
        assert!(reserved <= 2 * PIECE, "{encoding:?}: {reserved}");
    }
}

#[test]
fn what_is_cut_or_followed_by_something_is_malformed() {
    let body = "장바구니 ".repeat(100);
    for (encoding, bytes) in encoded(body.as_bytes()).into_iter().skip(1) {
        let cut = decoded(encoding, &bytes[..bytes.len() - 1], 1 << 20);
        assert_eq!(cut, Err(Fault::Malformed), "{encoding:?}");
        if encoding != Encoding::Brotli {
            let more = decoded(encoding, &[&bytes[..], b"more"].concat(), 1 << 20);
            assert_eq!(more, Err(Fault::Malformed), "{encoding:?}");
        }
        assert_eq!(
            decoded(encoding, b"", 1 << 20),
            Err(Fault::Malformed),
            "{encoding:?}"
        );
    }
}

#[test]
fn gzip_may_come_in_members() {
    let bytes = [gzip(b"{\"a\""), gzip(b":1}")].concat();
    assert_eq!(decoded(Encoding::Gzip, &bytes, 100).unwrap(), b"{\"a\":1}");
}

#[test]
fn windows_beyond_the_limit_are_refused() {
    let body = b"x".repeat(1000);
    assert!(decoded(Encoding::Brotli, &brotli(&body, 22), 1000).is_ok());
    for log in [23, 24] {
        let refused = decoded(Encoding::Brotli, &brotli(&body, log), 1000);
        assert_eq!(refused, Err(Fault::Malformed));
    }
    let wide = |log| {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(&body).unwrap();
        encoder.finish().unwrap()
    };
    assert!(decoded(Encoding::Zstd, &wide(23), 1000).is_ok());
    assert_eq!(
        decoded(Encoding::Zstd, &wide(24), 1000),
        Err(Fault::Malformed)
    );
}

#[test]
fn where_memory_is_short_nothing_is_inflated() {
    let none = decode(Encoding::Gzip, &gzip(b"x"), 100, |_| false);
    assert_eq!(none, Err(Fault::NoRoom));
}

proptest! {
    #[test]
    fn every_body_comes_back_as_it_was(body: Vec<u8>) {
        for (encoding, bytes) in encoded(&body) {
            prop_assert_eq!(decoded(encoding, &bytes, 1 << 20).unwrap(), &body[..], "{:?}", encoding);
        }
    }

    #[test]
    fn no_bytes_at_all_are_trusted(bytes: Vec<u8>) {
        for encoding in ALL {
            if let Ok(body) = decoded(encoding, &bytes, 1000) {
                prop_assert!(encoding == Encoding::Identity || body.len() <= 1000);
            }
        }
    }
}
