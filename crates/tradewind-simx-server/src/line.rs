//! A TCP connection that can be made to fail: cut after so many bytes, mute, or ended at a time.
//!
//! Every connection is one of these. While nothing is wrong with it a write costs one look at an atomic number.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::door::Door;

const OPEN: u64 = u64::MAX;
const MUTE: u64 = u64::MAX - 1;

/// What may leave a connection; shared by the connection and whoever decides about it.
#[derive(Debug)]
pub(crate) struct Switch(AtomicU64);

/// What becomes of bytes that are to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// So many of them may leave.
    Open(usize),
    /// None leaves, and the writer does not learn it.
    Mute,
}

impl Switch {
    pub(crate) const fn open() -> Self {
        Self(AtomicU64::new(OPEN))
    }

    /// What becomes of the next `wanted` bytes.
    ///
    /// # Errors
    /// `ConnectionReset` when the connection is cut.
    pub(crate) fn passage(&self, wanted: usize) -> io::Result<Passage> {
        match self.0.load(Ordering::Relaxed) {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            OPEN => Ok(Passage::Open(wanted)),
            MUTE => Ok(Passage::Mute),
            left => Ok(Passage::Open(
                wanted.min(usize::try_from(left).unwrap_or(usize::MAX)),
            )),
        }
    }

    /// Counts bytes that left.
    pub(crate) fn count(&self, bytes: usize) {
        let state = self.0.load(Ordering::Relaxed);
        if !matches!(state, OPEN | MUTE) {
            let left = state.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
            self.0.store(left, Ordering::Relaxed);
        }
    }

    /// Lets `bytes` more out, then hangs up.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.0.store(bytes.min(MUTE - 1), Ordering::Relaxed);
    }

    /// Lets nothing out any more, and pretends that it did.
    pub(crate) fn mute(&self) {
        self.0.store(MUTE, Ordering::Relaxed);
    }
}

/// The connection itself.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    switch: Arc<Switch>,
    ends: Option<Pin<Box<Sleep>>>,
}

/// The other side of a connection, as handlers know it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) switch: Arc<Switch>,
}

impl Line {
    /// A connection that ends after `lives`, if that is said.
    pub(crate) fn new(stream: TcpStream, lives: Option<Duration>) -> Self {
        Self {
            stream,
            switch: Arc::new(Switch::open()),
            ends: lives.map(|lives| Box::pin(tokio::time::sleep(lives))),
        }
    }

    /// Whether its time is over; wakes the reader when it is.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let ends = self.ends.as_mut();
        ends.is_some_and(|ends| ends.as_mut().poll(context).is_ready())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ends.is_some() && self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Passage::Open(allowed) = self.switch.passage(bytes.len())? else {
            return Poll::Ready(Ok(bytes.len()));
        };
        let bytes = bytes.get(..allowed).unwrap_or(bytes);
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.switch.count(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.switch.0.load(Ordering::Relaxed) == OPEN {
            return Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        }
        let first = buffers.iter().find(|buffer| !buffer.is_empty());
        self.poll_write(context, first.map_or(&[], |buffer| &**buffer))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self {
            address: *stream.remote_addr(),
            switch: stream.io().switch.clone(),
        }
    }
}
