//! The bytes of one connection, on their way to the HTTP library: only whole, unambiguous heads go on, in time.

#[cfg(test)]
mod tests;

use super::framing::{Framing, Refusal, Step};
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// What is read at once while a head is not whole, in bytes.
const PIECE: usize = 4096;

/// How long a sender may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For a head, from its first byte.
    pub(super) head: Duration,
    /// Between requests, and to take an answer.
    pub(super) idle: Duration,
    /// How long the HTTP library is kept ready for the next request.
    pub(super) rest: Duration,
}

/// Why no more is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The sender has nothing more, or nothing came for too long.
    Quiet,
    /// Nothing has come for a while, so the HTTP library and its buffers may go; the connection stays.
    Rested,
    /// A head did not come in time.
    Late,
    /// What came is not to be read.
    Refused(Refusal),
}

/// A connection whose requests are framed before the HTTP library sees them. To the library a refusal looks like the
/// end of what the sender has to say, so it first answers what came before.
#[derive(Debug)]
pub(super) struct Guard<S> {
    io: S,
    /// `None` for what is not HTTP/1, and frames its requests itself.
    framing: Option<Framing>,
    /// What came and has not gone on; its first `passed` bytes may.
    held: Vec<u8>,
    passed: usize,
    end: Option<End>,
    patience: Patience,
    is_resting: bool,
    waits_for: Option<(Awaited, Instant)>,
    alarm: Option<Pin<Box<Sleep>>>,
    stalled: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Request,
    Head,
}

impl<S> Guard<S> {
    /// Of HTTP/1, which has begun with these bytes.
    pub(super) fn http_1(io: S, begun: Vec<u8>, max_head: usize, patience: Patience) -> Self {
        let mut guard = Self::new(io, begun, Some(Framing::new(max_head)), patience);
        guard.look();
        guard
    }

    /// Of anything else that has begun with these bytes; it goes on as it comes.
    pub(super) fn rewound(io: S, begun: Vec<u8>, patience: Patience) -> Self {
        let mut guard = Self::new(io, begun, None, patience);
        guard.passed = guard.held.len();
        guard
    }

    fn new(io: S, held: Vec<u8>, framing: Option<Framing>, patience: Patience) -> Self {
        Self {
            io,
            framing,
            held,
            passed: 0,
            end: None,
            patience,
            is_resting: false,
            waits_for: None,
            alarm: None,
            stalled: None,
        }
    }

    /// Why no more is read, if it is not.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Nothing more is to be read, for the HTTP library is at its end: a rest it took for one is over.
    pub(super) fn give_up(&mut self) {
        self.end = self.end.filter(|end| *end != End::Rested);
    }

    /// The connection, and why no more was read.
    pub(super) fn into_parts(self) -> (S, Option<End>) {
        (self.io, self.end)
    }

    /// Finds out how much of what is held may go on.
    fn look(&mut self) {
        self.passed = pass(&mut self.framing, &self.held, &mut self.end);
    }

    /// Whether what is awaited does not come in time.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let awaited = match &self.framing {
            Some(framing) if framing.is_between_requests() => Awaited::Request,
            Some(framing) if !framing.is_in_body() => Awaited::Head,
            // Whoever reads a body has a clock of their own.
            Some(_) | None => {
                self.waits_for = None;
                return false;
            }
        };
        let until = match self.waits_for {
            Some((before, until)) if before == awaited => until,
            Some(_) | None => {
                let until = Instant::now()
                    + match awaited {
                        Awaited::Request if self.is_resting => self.patience.idle,
                        Awaited::Request => self.patience.rest,
                        Awaited::Head => self.patience.head,
                    };
                self.waits_for = Some((awaited, until));
                until
            }
        };
        // The alarm is not set anew for each request: one that rings early is set to what is awaited then.
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if alarm.deadline() > until {
            alarm.as_mut().reset(until);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            if alarm.deadline() >= until {
                self.end = Some(match awaited {
                    Awaited::Request if self.is_resting => End::Quiet,
                    Awaited::Request => End::Rested,
                    Awaited::Head => End::Late,
                });
                return true;
            }
            alarm.as_mut().reset(until);
        }
        false
    }

    /// Whether the receiver has not taken anything for too long.
    fn is_stalled<T>(&mut self, cx: &mut Context<'_>, written: &Poll<T>) -> bool {
        if written.is_ready() {
            self.stalled = None;
            return false;
        }
        let until = || Box::pin(sleep_until(Instant::now() + self.patience.idle));
        let stalled = self.stalled.get_or_insert_with(until);
        stalled.as_mut().poll(cx).is_ready()
    }
}

/// How much of `bytes` may go on.
fn pass(framing: &mut Option<Framing>, bytes: &[u8], end: &mut Option<End>) -> usize {
    let Some(framing) = framing else {
        return bytes.len();
    };
    let mut passed = 0;
    while passed < bytes.len() {
        match framing.step(&bytes[passed..]) {
            Step::Pass(len) => passed += len,
            Step::Hold => break,
            Step::Refuse(refusal) => {
                *end = Some(End::Refused(refusal));
                break;
            }
        }
    }
    passed
}

impl<S: AsyncRead + Unpin> Guard<S> {
    /// Waits, after [`End::Rested`], for the next request to begin; false when it does not, and the connection is over.
    pub(super) async fn begins_again(&mut self) -> bool {
        self.end = None;
        self.is_resting = true;
        self.waits_for = None;
        let waited = poll_fn(|cx| match self.poll_more(cx) {
            Poll::Pending if self.is_late(cx) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
            Poll::Ready(read) => Poll::Ready(read),
        });
        let waited = waited.await;
        self.is_resting = false;
        self.waits_for = None;
        waited.is_ok() && self.end != Some(End::Quiet)
    }

    /// Reads straight into the library's buffer, and takes back what may not go on yet.
    fn poll_through(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let came = &buf.filled()[before..];
        if came.is_empty() {
            self.end = Some(End::Quiet);
            return Poll::Ready(Ok(()));
        }
        self.waits_for = None;
        let passed = pass(&mut self.framing, came, &mut self.end);
        self.held.extend_from_slice(&came[passed..]);
        buf.set_filled(before + passed);
        Poll::Ready(Ok(()))
    }

    /// Reads more of a head that is not whole.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut piece = [std::mem::MaybeUninit::uninit(); PIECE];
        let mut piece = ReadBuf::uninit(&mut piece);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut piece))?;
        if piece.filled().is_empty() {
            self.end = Some(End::Quiet);
        }
        self.held.extend_from_slice(piece.filled());
        self.look();
        Poll::Ready(Ok(()))
    }

    fn give_held(&mut self, buf: &mut ReadBuf<'_>) {
        let len = self.passed.min(buf.remaining());
        buf.put_slice(&self.held[..len]);
        self.passed -= len;
        self.held.drain(..len);
        if self.held.is_empty() {
            // Thousands of connections wait for their next request, and should hold nothing while they do.
            self.held = Vec::new();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        loop {
            if this.passed > 0 {
                this.give_held(buf);
                return Poll::Ready(Ok(()));
            }
            if this.end.is_some() {
                return Poll::Ready(Ok(()));
            }
            let read = if this.held.is_empty() {
                this.poll_through(cx, buf)
            } else {
                this.poll_more(cx)
            };
            match read {
                Poll::Ready(Ok(())) if buf.filled().len() > before => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if this.is_late(cx) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        if this.is_stalled(cx, &written) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, bytes);
        if this.is_stalled(cx, &written) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
