//! Compressed bodies, and how much of them is believed.

#[cfg(test)]
mod tests;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, BufReader, Read};

/// What is taken, for `Accept-Encoding`.
pub(super) const TAKEN: &str = "gzip, deflate, br, zstd, identity";

/// The largest window of zstd, as a power of two: 8 MiB, which RFC 9659 asks every receiver for.
const ZSTD_WINDOW_LOG: u32 = 23;
/// The largest window of brotli, as a power of two. Its encoders take more only for bodies beyond any sensible limit.
const BROTLI_WINDOW_LOG: u8 = 22;
/// How much is inflated before the next look at the limit, in bytes.
const PIECE: usize = 64 << 10;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Why a body cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is longer than the limit.
    TooLarge,
    /// It is not what its encoding says.
    Malformed,
    /// There is no memory for it now.
    NoRoom,
}

impl Encoding {
    /// By its name in `Content-Encoding`.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        match () {
            () if name.is_empty() || is("identity") => Some(Self::Identity),
            () if is("gzip") || is("x-gzip") => Some(Self::Gzip),
            () if is("deflate") => Some(Self::Deflate),
            () if is("br") => Some(Self::Brotli),
            () if is("zstd") => Some(Self::Zstd),
            () => None,
        }
    }
}

/// Whether bytes begin as gzip does.
pub(super) fn looks_like_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Inflates a body of at most `limit` bytes. `reserve` is asked before memory grows by so many bytes.
pub(super) fn decode(
    encoding: Encoding,
    bytes: &[u8],
    limit: usize,
    mut reserve: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, Fault> {
    match encoding {
        Encoding::Identity => Ok(bytes.to_vec()),
        Encoding::Gzip => read(|| Ok(MultiGzDecoder::new(bytes)), limit, &mut reserve),
        Encoding::Deflate => {
            // RFC 9110 says that deflate is in zlib's envelope; enough senders have left it off.
            if has_zlib_header(bytes) {
                match whole(
                    || Ok(ZlibDecoder::new(bytes)),
                    limit,
                    &mut reserve,
                    |zlib| zlib.get_ref().is_empty(),
                ) {
                    Err(Fault::Malformed) => {}
                    read => return read,
                }
            }
            whole(
                || Ok(DeflateDecoder::new(bytes)),
                limit,
                &mut reserve,
                |raw| raw.get_ref().is_empty(),
            )
        }
        Encoding::Brotli => {
            if brotli_window_log(bytes).is_none_or(|log| log > BROTLI_WINDOW_LOG) {
                return Err(Fault::Malformed);
            }
            let open = || Ok(brotli::Decompressor::new(bytes, 4096));
            read(open, limit, &mut reserve)
        }
        Encoding::Zstd => {
            let open = || {
                let mut zstd = zstd::stream::read::Decoder::with_buffer(BufReader::new(bytes))?;
                zstd.window_log_max(ZSTD_WINDOW_LOG)?;
                Ok(zstd)
            };
            read(open, limit, &mut reserve)
        }
    }
}

/// Reads to the end, and never much beyond the limit.
fn read<R: Read>(
    open: impl Fn() -> io::Result<R>,
    limit: usize,
    reserve: &mut impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, Fault> {
    whole(open, limit, reserve, |_| true)
}

/// The same, where bytes after the end are a fault.
///
/// Most bodies are one piece. A longer one is inflated twice: first for its length alone, so that what turns out to be
/// too long has never taken more than a piece, then into one buffer of that length.
fn whole<R: Read>(
    open: impl Fn() -> io::Result<R>,
    limit: usize,
    reserve: &mut impl FnMut(usize) -> bool,
    is_at_end: impl Fn(&R) -> bool,
) -> Result<Vec<u8>, Fault> {
    // One byte beyond the limit is enough to know.
    let room = PIECE.min(limit + 1);
    if !reserve(room) {
        return Err(Fault::NoRoom);
    }
    let mut decoder = open().map_err(|_| Fault::Malformed)?;
    let mut piece = Vec::with_capacity(room);
    let mut len = 0;
    loop {
        piece.clear();
        let read = inflate(&mut decoder, room, &mut piece)?;
        len += read;
        if len > limit {
            return Err(Fault::TooLarge);
        }
        if read < room {
            break;
        }
    }
    if !is_at_end(&decoder) {
        return Err(Fault::Malformed);
    }
    if len == piece.len() {
        return Ok(piece);
    }
    if !reserve(len) {
        return Err(Fault::NoRoom);
    }
    let mut body = Vec::with_capacity(len);
    inflate(open().map_err(|_| Fault::Malformed)?, len, &mut body)?;
    Ok(body)
}

/// Appends up to `most` bytes, and says how many.
fn inflate(decoder: impl Read, most: usize, to: &mut Vec<u8>) -> Result<usize, Fault> {
    let read = decoder.take(most as u64).read_to_end(to);
    read.map_err(|_| Fault::Malformed)
}

/// RFC 1950, 2.2.
fn has_zlib_header(bytes: &[u8]) -> bool {
    let [cmf, flags, ..] = *bytes else {
        return false;
    };
    cmf & 0x0f == 8 && cmf >> 4 <= 7 && u16::from_be_bytes([cmf, flags]).is_multiple_of(31)
}

/// RFC 7932, 9.1: the window's size stands in the first bits. `None` for none, and for the large windows that are not
/// part of it.
fn brotli_window_log(bytes: &[u8]) -> Option<u8> {
    let first = *bytes.first()?;
    match (first & 1, (first >> 1) & 7, (first >> 4) & 7) {
        (0, _, _) => Some(16),
        (_, 0, 0) => Some(17),
        (_, 0, 1) => None,
        (_, 0, rest) => Some(8 + rest),
        (_, bits, _) => Some(17 + bits),
    }
}
