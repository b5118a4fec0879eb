//! The PROXY protocol: a load balancer says, before anything else, for whom it has opened a connection.

use ppp::{HeaderResult, v1, v2};
use std::{io, net::SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest header that is read, in bytes. The second version allows 64 KiB, for certificates and the like.
const MAX_LEN: usize = 4096;

/// Reads the header, of either version, and says who is behind the balancer: `None` when the balancer itself is, as
/// with its health checks, or when it does not tell. What came after the header stays in `begun`.
///
/// # Errors
/// When the connection does not begin with one.
pub(super) async fn read<S: AsyncRead + Unpin>(
    io: &mut S,
    begun: &mut Vec<u8>,
) -> io::Result<Option<SocketAddr>> {
    loop {
        if let Some((len, source)) = parse(begun)? {
            begun.drain(..len);
            return Ok(source);
        }
        if begun.len() >= MAX_LEN || io.read_buf(begun).await? == 0 {
            return Err(missing());
        }
    }
}

/// The header's length, and whom it names; `None` when it is not whole.
fn parse(bytes: &[u8]) -> io::Result<Option<(usize, Option<SocketAddr>)>> {
    if !is_whole(bytes)? {
        return Ok(None);
    }
    match HeaderResult::parse(bytes) {
        HeaderResult::V1(Ok(header)) => {
            let source = match header.addresses {
                v1::Addresses::Tcp4(tcp) => Some((tcp.source_address, tcp.source_port).into()),
                v1::Addresses::Tcp6(tcp) => Some((tcp.source_address, tcp.source_port).into()),
                v1::Addresses::Unknown => None,
            };
            Ok(Some((header.header.len(), source)))
        }
        HeaderResult::V2(Ok(header)) => {
            let source = match header.addresses {
                _ if header.command == v2::Command::Local => None,
                v2::Addresses::IPv4(ip) => Some((ip.source_address, ip.source_port).into()),
                v2::Addresses::IPv6(ip) => Some((ip.source_address, ip.source_port).into()),
                v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
            };
            Ok(Some((header.len(), source)))
        }
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(missing()),
    }
}

/// Whether all of the header is there, as far as it can be one: the parser calls some beginnings wrong, and much
/// incomplete that can never become a header.
fn is_whole(bytes: &[u8]) -> io::Result<bool> {
    const V1: &[u8] = b"PROXY ";
    const MAX_V1: usize = 107;
    const V2: &[u8] = v2::PROTOCOL_PREFIX;
    const V2_FIXED: usize = 16;
    let begins = |with: &[u8]| with.starts_with(bytes) || bytes.starts_with(with);
    if begins(V2) {
        return Ok(match bytes.get(V2_FIXED - 2..V2_FIXED) {
            Some(len) => bytes.len() >= V2_FIXED + usize::from(len[0]) * 256 + usize::from(len[1]),
            None => false,
        });
    }
    let line = &bytes[..bytes.len().min(MAX_V1)];
    if !begins(V1) {
        return Err(missing());
    }
    let ends = line.windows(2).any(|pair| pair == b"\r\n");
    if !ends && bytes.len() >= MAX_V1 {
        return Err(missing());
    }
    Ok(ends)
}

fn missing() -> io::Error {
    let message = "expected a header of the PROXY protocol, found something else";
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(bytes: &[u8]) -> io::Result<(Option<SocketAddr>, Vec<u8>)> {
        // One byte at a time, so that every beginning is looked at.
        let mut io = tokio_test_io(bytes);
        let mut begun = Vec::new();
        let source = read(&mut io, &mut begun).await?;
        io.read_to_end(&mut begun).await?;
        Ok((source, begun))
    }

    fn tokio_test_io(bytes: &[u8]) -> impl AsyncRead + Unpin {
        let (mut sender, io) = tokio::io::duplex(1);
        let bytes = bytes.to_vec();
        tokio::spawn(async move {
            // The reader may have seen enough.
            let _sent = tokio::io::AsyncWriteExt::write_all(&mut sender, &bytes).await;
        });
        io
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
        bytes.extend([0x20 | command, family]);
        bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        bytes.extend(body);
        bytes
    }

    const IPV4: [u8; 12] = [203, 0, 113, 9, 10, 0, 0, 1, 0x11, 0x5c, 0, 80];

    #[tokio::test]
    async fn both_versions_name_the_source_and_leave_the_rest() {
        let named = Some("203.0.113.9:4444".parse().unwrap());
        let first = b"PROXY TCP4 203.0.113.9 10.0.0.1 4444 80\r\nGET".to_vec();
        let second = [v2(1, 0x11, &IPV4), b"GET".to_vec()].concat();
        for bytes in [first, second] {
            assert_eq!(read_all(&bytes).await.unwrap(), (named, b"GET".to_vec()));
        }
        let bytes = b"PROXY TCP6 2001:db8::9 2001:db8::1 4444 80\r\n";
        let named = Some("[2001:db8::9]:4444".parse().unwrap());
        assert_eq!(read_all(bytes).await.unwrap(), (named, Vec::new()));
    }

    #[tokio::test]
    async fn a_balancer_that_speaks_for_itself_or_does_not_tell_is_taken() {
        for bytes in [
            b"PROXY UNKNOWN\r\n".to_vec(),
            v2(0, 0x11, &IPV4),
            v2(1, 0, &[]),
        ] {
            assert_eq!(read_all(&bytes).await.unwrap(), (None, Vec::new()));
        }
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"PROXY TCP4 203.0.113.9\r\n",
            b"PROXY TCP4 203.0.113.999 10.0.0.1 4444 80\r\n",
            b"PROXY ",
            b"",
        ] {
            let error = read_all(bytes).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
        let endless = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 200]].concat();
        assert!(read_all(&endless).await.is_err());
    }
}
