//! A connection's input and output, and how bytes move between them and a stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes of one read; then other sockets and the deadlines have their turn.
pub(super) const READ_BYTES_MAX: usize = 64 * 1024;
/// Most bytes that may wait to be written: a peer that does not read is lost.
const OUT_BYTES_MAX: usize = 1024 * 1024;

/// What [`Buffers::poll`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Bytes were read; they lie in the input.
    Read,
    /// All output was written and flushed.
    Written,
    /// The other side has ended its half of the stream.
    Ended,
}

/// Bytes read and not used yet, and bytes to be written.
#[derive(Debug, Default)]
pub struct Buffers {
    /// Storage of the input; its bytes are those from `start` to `end`.
    input: Vec<u8>,
    start: usize,
    end: usize,
    out: Vec<u8>,
    /// Bytes of `out` that the stream has taken.
    sent: usize,
}

impl Buffers {
    /// The bytes that were read and not used yet.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    /// The first `count` bytes of the input are done with.
    pub fn used(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// What is appended here will be written.
    pub const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Input and output, for a machine that takes from the one and appends to the other.
    pub fn both(&mut self) -> (&[u8], &mut Vec<u8>) {
        let input = self.input.get(self.start..self.end).unwrap_or_default();
        (input, &mut self.out)
    }

    /// Whether nothing waits to be written or flushed.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        self.out.is_empty()
    }

    /// Appends to the input, as a stream that is not polled does.
    pub fn fill(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = self.space();
            let count = space.len().min(bytes.len());
            let (now, later) = bytes.split_at(count);
            space[..count].copy_from_slice(now);
            self.end += count;
            bytes = later;
        }
    }

    /// Moves what can be moved without waiting: output first, then one read of at most 64 KiB.
    ///
    /// # Errors
    /// The stream's; the connection is over.
    pub fn poll<S>(
        &mut self,
        mut stream: Pin<&mut S>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Moved>>
    where
        S: AsyncRead + AsyncWrite + ?Sized,
    {
        if self.poll_write(stream.as_mut(), context)?.is_ready() {
            return Poll::Ready(Ok(Moved::Written));
        }
        let mut space = ReadBuf::new(self.space());
        ready!(stream.poll_read(context, &mut space))?;
        let count = space.filled().len();
        self.end += count;
        Poll::Ready(Ok(if count > 0 { Moved::Read } else { Moved::Ended }))
    }

    /// Ready when output was there and all of it is written and flushed.
    fn poll_write<S>(
        &mut self,
        mut stream: Pin<&mut S>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + ?Sized,
    {
        if self.out.is_empty() {
            return Poll::Pending;
        }
        if self.out.len() - self.sent > OUT_BYTES_MAX {
            let why = "the other side does not read what is written";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)));
        }
        while let Some(rest) = self.out.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(stream.as_mut().poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        ready!(stream.poll_flush(context))?;
        self.out.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Free storage behind the input, never empty. What lies there unused moves to the front: the part of one message.
    fn space(&mut self) -> &mut [u8] {
        self.input.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.input.len() == self.end {
            let length = (self.end * 2).max(READ_BYTES_MAX);
            self.input.resize(length, 0);
        }
        let end = self.input.len().min(self.end + READ_BYTES_MAX);
        &mut self.input[self.end..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn bytes_move_both_ways_and_the_end_is_reported() {
        let (mut ours, mut theirs) = duplex(4);
        let mut buffers = Buffers::default();
        buffers.out().extend(b"a request");
        let mut moved = async || poll_fn(|cx| buffers.poll(Pin::new(&mut ours), cx)).await;
        let (written, ()) = tokio::join!(moved(), async {
            let mut request = [0; 9];
            theirs.read_exact(&mut request).await.unwrap();
            assert_eq!(&request, b"a request");
        });
        assert_eq!(written.unwrap(), Moved::Written);
        theirs.write_all(b"abc").await.unwrap();
        assert_eq!(moved().await.unwrap(), Moved::Read);
        drop(theirs);
        assert_eq!(moved().await.unwrap(), Moved::Ended);
        assert_eq!(buffers.input(), b"abc");
    }

    #[test]
    fn unused_input_is_kept_however_much_follows() {
        let mut buffers = Buffers::default();
        let long: Vec<u8> = (0..=255).cycle().take(3 * READ_BYTES_MAX).collect();
        buffers.fill(b"xx");
        buffers.used(2);
        for part in long.chunks(1_000) {
            buffers.fill(part);
        }
        assert_eq!(buffers.input(), long);
        buffers.used(long.len() - 1);
        buffers.fill(b"y");
        assert_eq!(buffers.input(), [long[long.len() - 1], b'y']);
    }

    #[test]
    fn a_peer_that_does_not_read_is_lost() {
        let (mut ours, _theirs) = duplex(4);
        let mut buffers = Buffers::default();
        buffers.out().resize(OUT_BYTES_MAX + 1, 0);
        let mut context = Context::from_waker(std::task::Waker::noop());
        let moved = buffers.poll(Pin::new(&mut ours), &mut context);
        assert!(matches!(moved, Poll::Ready(Err(_))));
    }
}
