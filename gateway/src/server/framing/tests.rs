use super::{Framing, Refusal, Step};
use proptest::prelude::*;

const MAX: usize = 200;

/// The lengths of what passes, as a connection that brings `pieces` would see it, and why it ended, if it did.
fn follow(pieces: &[&[u8]]) -> (Vec<u8>, Option<Refusal>) {
    let mut framing = Framing::new(MAX);
    let (mut passed, mut held) = (Vec::new(), Vec::new());
    for piece in pieces {
        held.extend_from_slice(piece);
        while !held.is_empty() {
            match framing.step(&held) {
                Step::Pass(len) => passed.extend(held.drain(..len)),
                Step::Hold => break,
                Step::Refuse(refusal) => return (passed, Some(refusal)),
            }
        }
    }
    (passed, None)
}

fn refusal(bytes: &str) -> Option<Refusal> {
    follow(&[bytes.as_bytes()]).1
}

#[test]
fn requests_in_a_row_pass_whole() {
    let bytes = b"\r\nPOST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n\
        POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\ntrailer: 1\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    assert_eq!(follow(&[bytes]), (bytes.to_vec(), None));
}

#[test]
fn what_two_servers_could_read_differently_is_refused() {
    for fields in [
        "content-length: 3\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 3",
        "content-length: 3\r\ncontent-length: 3",
        "content-length: 3\r\nContent-Length: 4",
        "content-length: 3, 3",
        "content-length: +3",
        "content-length: ",
        "content-length: 99999999999999999999",
        "content-length : 3",
        "content-length\r\n : 3",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: xchunked",
        "transfer-encoding:\u{b}chunked",
        "x: a\r\n b",
        "x: a\r\n\tb",
        "x: a\nb: c",
        "x: a\rb",
        "x: a\0",
        "no colon",
        ": no name",
    ] {
        let request = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\nabc");
        assert_eq!(refusal(&request), Some(Refusal::Malformed), "{fields:?}");
    }
    for line in [
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET /",
        "GET / HTTP/2.0",
        "CONNECT x:1 HTTP/1.1",
        "G(T / HTTP/1.1",
        "GET / HTTP/1.0\r\ntransfer-encoding: chunked",
    ] {
        let request = format!("{line}\r\n\r\n");
        assert_eq!(refusal(&request), Some(Refusal::Malformed), "{line:?}");
    }
    assert_eq!(refusal("GET / HTTP/1.1\n\n"), Some(Refusal::Malformed));
}

#[test]
fn broken_chunks_end_the_connection() {
    let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
    for body in [
        "\r\n",
        "3\nabc\r\n",
        "g\r\n",
        "-1\r\n",
        "0x3\r\nabc",
        "3 \r\nabc",
        "3\r\nabcd\r\n",
        "3\r\nabc\n",
        "0\r\n\n",
        "0\r\n folded\r\n\r\n",
        "0\r\na: b\n\r\n",
        "3;a\nb\r\nabc",
        "10000000000000000\r\n",
    ] {
        let broken = refusal(&format!("{head}{body}"));
        assert_eq!(broken, Some(Refusal::BrokenBody), "{body:?}");
    }
    let padded = format!("{head}{}3\r\n", "0".repeat(300));
    assert_eq!(refusal(&padded), Some(Refusal::BrokenBody));
}

#[test]
fn a_head_may_be_as_long_as_the_limit_and_no_longer() {
    let head = |len: usize| {
        let start = "GET / HTTP/1.1\r\nx: ";
        format!("{start}{}\r\n\r\n", "y".repeat(len - start.len() - 4))
    };
    assert_eq!(refusal(&head(MAX)), None);
    assert_eq!(refusal(&head(MAX + 1)), Some(Refusal::HeadTooLarge));
    let endless = "y".repeat(MAX);
    assert_eq!(refusal(&endless), Some(Refusal::HeadTooLarge));
    let mut framing = Framing::new(1 << 20);
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
    let step = framing.step(many.as_bytes());
    assert_eq!(step, Step::Refuse(Refusal::HeadTooLarge));
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_does_not_matter(
        bodies in proptest::collection::vec((any::<bool>(), "[a-z]{0,20}"), 1..4),
        tail in "(|GET|GET / HTTP/1.1\\r\\na:\\n|X\\r\\n\\r\\n)",
        cuts in proptest::collection::vec(0_usize..300, 0..8),
    ) {
        let mut bytes = Vec::new();
        for (chunked, body) in &bodies {
            let len = body.len();
            let request = match (chunked, len) {
                (true, 0) => "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
                (true, _) => format!("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{len:x}\r\n{body}\r\n0\r\n\r\n"),
                (false, _) => format!("POST / HTTP/1.1\r\ncontent-length: {len}\r\n\r\n{body}"),
            };
            bytes.extend(request.into_bytes());
        }
        let right = bytes.clone();
        bytes.extend(tail.bytes());
        let mut at: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let pieces: Vec<_> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let cut = follow(&pieces);
        prop_assert_eq!(&cut.0, &right);
        prop_assert_eq!(cut, follow(&[&bytes]));
    }

    #[test]
    fn no_bytes_pass_twice_or_out_of_order(bytes: Vec<u8>) {
        let (passed, _) = follow(&[&bytes]);
        prop_assert!(bytes.starts_with(&passed));
    }
}
