use super::Refusal;

/// The most lines of a head; the HTTP library takes no more either.
const MAX_LINES: usize = 100;

/// How long a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunked,
}

/// A head that comes in, line by line.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Where the first unread line begins.
    line: usize,
    /// Up to where its end has been looked for.
    searched: usize,
    lines: usize,
    is_http_11: bool,
    length: Option<u64>,
    chunked: bool,
}

impl Head {
    pub(super) fn is_untouched(&self) -> bool {
        self.searched == 0
    }

    /// Reads on in a head, of which `bytes` is all that has come. Gives the head's length once it is whole.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        max: usize,
    ) -> Result<Option<(usize, Body)>, Refusal> {
        while let Some(at) = find(b'\n', &bytes[self.searched..]) {
            let end = self.searched + at;
            self.searched = end + 1;
            if self.searched > max {
                return Err(Refusal::HeadTooLarge);
            }
            if end == self.line || bytes[end - 1] != b'\r' {
                return Err(Refusal::Malformed);
            }
            let line = &bytes[self.line..end - 1];
            self.line = self.searched;
            if line.is_empty() && self.lines == 0 {
                // RFC 9112 asks servers to overlook an empty line before a request.
                continue;
            }
            if line.is_empty() {
                return Ok(Some((self.searched, self.body())));
            }
            self.read_line(line)?;
        }
        self.searched = bytes.len();
        if bytes.len() >= max {
            return Err(Refusal::HeadTooLarge);
        }
        Ok(None)
    }

    fn body(&self) -> Body {
        if self.chunked {
            Body::Chunked
        } else {
            Body::Length(self.length.unwrap_or(0))
        }
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.lines += 1;
        if self.lines > MAX_LINES {
            return Err(Refusal::HeadTooLarge);
        }
        if line.iter().any(|byte| matches!(byte, b'\r' | 0)) {
            return Err(Refusal::Malformed);
        }
        let right = if self.lines == 1 {
            self.read_request_line(line)
        } else {
            self.read_field(line)
        };
        right.ok_or(Refusal::Malformed)
    }

    fn read_request_line(&mut self, line: &[u8]) -> Option<()> {
        let mut parts = line.split(|byte| *byte == b' ');
        let (method, target, version) = (parts.next()?, parts.next()?, parts.next()?);
        self.is_http_11 = version == b"HTTP/1.1";
        let known_version = self.is_http_11 || version == b"HTTP/1.0";
        // What follows CONNECT is no request, and there is nothing here to connect to.
        let right = known_version
            && parts.next().is_none()
            && is_token(method)
            && method != b"CONNECT"
            && !target.is_empty();
        right.then_some(())
    }

    fn read_field(&mut self, line: &[u8]) -> Option<()> {
        let colon = find(b':', line)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // This refuses folded lines and spaces before the colon too.
        if !is_token(name) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() || self.chunked {
                return None;
            }
            self.length = Some(decimal(value)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let right = value.eq_ignore_ascii_case(b"chunked")
                && self.is_http_11
                && !self.chunked
                && self.length.is_none();
            if !right {
                return None;
            }
            self.chunked = true;
        }
        Some(())
    }
}

fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|other| *other == byte)
}

fn is_token(bytes: &[u8]) -> bool {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(legal)
}

/// Digits only: no sign, no list, no space.
fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
