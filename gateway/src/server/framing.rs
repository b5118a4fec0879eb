//! Where one HTTP/1 request ends and the next begins, decided strictly and before the HTTP library sees a byte.
//!
//! Proxies and servers that read the same bytes as different requests let one visitor speak as another. So what RFC 9112
//! lets a server repair is refused here: a length beside `Transfer-Encoding`, a length twice, a line end that is not
//! CRLF, a folded line, a space before a colon.

mod chunks;
mod head;
#[cfg(test)]
mod tests;

use chunks::Chunks;
use head::{Body, Head};

/// What is to be done with bytes that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many of them may go on.
    Pass(usize),
    /// They begin a head that is not whole: they are to be held until more has come, and shown again.
    Hold,
    /// Nothing more of this connection may be read.
    Refuse(Refusal),
}

/// Why a connection is not read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A head that is not what RFC 9112 asks for.
    Malformed,
    /// A head with too many bytes or lines.
    HeadTooLarge,
    /// A body in chunks that are none; its request is being answered already.
    BrokenBody,
}

/// Follows the requests of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    max_head: usize,
}

#[derive(Debug)]
enum State {
    Head(Head),
    Length(u64),
    Chunked(Chunks),
}

impl Framing {
    /// Of a new connection, with heads of at most `max_head` bytes.
    pub(super) fn new(max_head: usize) -> Self {
        Self {
            state: State::Head(Head::default()),
            max_head,
        }
    }

    /// Whether the next byte would be the first of a request.
    pub(super) fn is_between_requests(&self) -> bool {
        matches!(&self.state, State::Head(head) if head.is_untouched())
    }

    /// Whether the body of a request is still to come.
    pub(super) fn is_in_body(&self) -> bool {
        !matches!(self.state, State::Head(_))
    }

    /// Looks at what has come since the last [`Step::Pass`], which is not empty.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Step {
        match &mut self.state {
            State::Head(head) => match head.read(bytes, self.max_head) {
                Ok(None) => Step::Hold,
                Ok(Some((len, body))) => {
                    self.state = match body {
                        Body::Length(0) => State::Head(Head::default()),
                        Body::Length(len) => State::Length(len),
                        Body::Chunked => State::Chunked(Chunks::default()),
                    };
                    Step::Pass(len)
                }
                Err(refusal) => Step::Refuse(refusal),
            },
            State::Length(left) => {
                let len = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= len as u64;
                if *left == 0 {
                    self.state = State::Head(Head::default());
                }
                Step::Pass(len)
            }
            State::Chunked(chunks) => match chunks.read(bytes, self.max_head) {
                Ok((len, whole)) => {
                    if whole {
                        self.state = State::Head(Head::default());
                    }
                    Step::Pass(len)
                }
                Err(refusal) => Step::Refuse(refusal),
            },
        }
    }
}
