//! A listener whose connections give up: on a reader that does not read, on a sender that never finishes its request.
//!
//! The HTTP library leaves both to us. One rule covers slow headers, idle keep-alive connections and stalled streams:
//! a connection lives on what it writes. The first byte of an answer must leave within [`Patience::first`], each write
//! must make way within [`Patience::stalled`], and at most [`Patience::idle`] may pass between two. A live event
//! stream writes each second.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// How long a connection may go without writing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) first: Duration,
    pub(crate) stalled: Duration,
    pub(crate) idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // Ten seconds to send the header and as many for the answer.
            first: Duration::from_secs(20),
            stalled: Duration::from_secs(10),
            idle: Duration::from_secs(75),
        }
    }
}

/// The address of the other side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Accepts a bounded number of connections and guards each.
#[derive(Debug)]
pub(crate) struct GuardedListener {
    listener: TcpListener,
    room: Arc<Semaphore>,
    patience: Patience,
}

impl GuardedListener {
    pub(crate) fn new(listener: TcpListener, connections_max: usize, patience: Patience) -> Self {
        Self {
            listener,
            room: Arc::new(Semaphore::new(connections_max)),
            patience,
        }
    }
}

impl Listener for GuardedListener {
    type Io = GuardedStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.expect("the semaphore is never closed");
        let (stream, address) = Listener::accept(&mut self.listener).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "events to this client may be delayed");
        }
        (
            GuardedStream::new(stream, self.patience, Some(room)),
            address,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, GuardedListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, GuardedListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection that is closed unless it keeps writing.
#[derive(Debug)]
pub(crate) struct GuardedStream<S> {
    stream: S,
    patience: Patience,
    /// When it is given up.
    until: Pin<Box<Sleep>>,
    /// Whether a write waits for the other side to read.
    stalled: bool,
    _room: Option<OwnedSemaphorePermit>,
}

impl<S> GuardedStream<S> {
    fn new(stream: S, patience: Patience, room: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            stream,
            patience,
            until: Box::pin(tokio::time::sleep(patience.first)),
            stalled: false,
            _room: room,
        }
    }

    fn extend(&mut self, span: Duration) {
        self.until.as_mut().reset(Instant::now() + span);
    }

    /// Whether it must be closed; if not yet, the task is woken at that time.
    fn give_up<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.until.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Follows a write: one that made way extends the connection's life, the first that did not shortens it.
    fn after_write<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = false;
            self.extend(self.patience.idle);
            return written;
        }
        if !self.stalled {
            self.stalled = true;
            self.extend(self.patience.stalled);
        }
        self.give_up(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            return Poll::Ready(read);
        }
        self.give_up(context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.after_write(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.after_write(written, context)
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn guarded(
        room: usize,
    ) -> (
        GuardedStream<tokio::io::DuplexStream>,
        tokio::io::DuplexStream,
    ) {
        let (ours, theirs) = duplex(room);
        (GuardedStream::new(ours, Patience::default(), None), theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_never_ends_is_given_up() {
        let (mut ours, mut theirs) = guarded(64);
        let began = Instant::now();
        let mut drip = tokio::time::interval(Duration::from_secs(3));
        let mut byte = [0];
        let error = loop {
            tokio::select! {
                biased;
                _ = drip.tick() => theirs.write_all(b"x").await.unwrap(),
                read = ours.read(&mut byte) => match read {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_does_not_read_is_given_up_and_one_that_reads_is_not() {
        let (mut ours, mut theirs) = guarded(4);
        ours.write_all(b"1234").await.unwrap();
        tokio::time::advance(Duration::from_secs(60)).await;
        let mut four = [0; 4];
        theirs.read_exact(&mut four).await.unwrap();
        ours.write_all(b"5678").await.unwrap();
        let began = Instant::now();
        let error = ours.write_all(b"9").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 10);
    }
}
