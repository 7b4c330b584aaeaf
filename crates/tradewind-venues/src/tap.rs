//! A tap on connections: hands on a copy of every byte that is read from the addresses of a feed, for a recorder.
//!
//! [`TappedConnector`] stands before another [`Connector`], so protocols and sources do not know of it. Per read it costs a walk
//! over frame headers and one copy. The copy goes to a [`Tap`], which may refuse it, and never waits: then the tap counts
//! exactly the messages that are missing and resumes at the next whole one.

mod messages;
mod walk;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tradewind_model::{Clock, Timestamp};

use crate::address::{Address, Scheme};
use crate::gate::SendPermit;
use crate::wire::{ByteStream, Connector, Opening, RealTime, Sleeping};
use walk::Walk;

pub use messages::{Message, Messages};

/// What happens on a tapped connection.
#[derive(Debug)]
pub enum Tapped {
    /// It is open.
    Opened {
        /// Its number, which no other connection of the tap has.
        link: u64,
        /// When.
        at: Timestamp,
    },
    /// Bytes were read.
    Bytes {
        /// The connection.
        link: u64,
        /// When.
        at: Timestamp,
        /// The bytes.
        bytes: Vec<u8>,
        /// What is missing before them. Over WebSocket they begin with a whole message then.
        missing: Option<Missing>,
    },
    /// It is closed.
    Closed {
        /// The connection.
        link: u64,
        /// When.
        at: Timestamp,
        /// What is missing at its end.
        missing: Option<Missing>,
    },
}

/// Messages that a tap could not hand on. Where a transport is no WebSocket each read counts as one, and what follows on its
/// connection may begin within a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// How many.
    pub messages: u64,
    /// When bytes of them were first read.
    pub from: Timestamp,
    /// When bytes of them were last read.
    pub to: Timestamp,
}

/// Takes what happens on tapped connections. Called by the tasks that read, so it must not wait.
pub trait Tap: std::fmt::Debug + Send + Sync + 'static {
    /// Takes it; `false` if there is no room.
    fn take(&self, tapped: Tapped) -> bool;
}

/// Opens connections through another connector, and taps those to some addresses.
#[derive(Debug)]
pub struct TappedConnector {
    inner: Arc<dyn Connector>,
    feeds: Vec<(Address, Scheme)>,
    tap: Arc<dyn Tap>,
    clock: Arc<dyn Clock>,
    links: AtomicU64,
}

impl TappedConnector {
    /// Taps connections to `feeds`, exactly these addresses. What an order permit opens is never tapped.
    #[must_use]
    pub fn shared(
        inner: Arc<dyn Connector>,
        feeds: Vec<(Address, Scheme)>,
        tap: Arc<dyn Tap>,
        clock: Arc<dyn Clock>,
    ) -> Arc<dyn Connector> {
        Arc::new(Self {
            inner,
            feeds,
            tap,
            clock,
            links: AtomicU64::new(1),
        })
    }
}

impl Connector for TappedConnector {
    fn open<'a>(&'a self, address: &'a Address, permit: Option<Arc<SendPermit>>) -> Opening<'a> {
        let mut feeds = self.feeds.iter();
        let feed = feeds.find(|(feed, _)| permit.is_none() && feed == address);
        let Some((_, scheme)) = feed else {
            return self.inner.open(address, permit);
        };
        Box::pin(async move {
            let stream = self.inner.open(address, permit).await?;
            let link = self.links.fetch_add(1, Ordering::Relaxed);
            let at = self.clock.now();
            self.tap.take(Tapped::Opened { link, at });
            let tapped = TappedStream {
                stream,
                link: Link::new(link, *scheme),
                tap: Arc::clone(&self.tap),
                clock: Arc::clone(&self.clock),
            };
            Ok(Box::new(tapped) as ByteStream)
        })
    }

    fn nonce(&self) -> u64 {
        self.inner.nonce()
    }
}

impl RealTime for TappedConnector {
    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        self.inner.sleep(wait)
    }
}

/// What a tap knows of one connection.
#[derive(Debug)]
struct Link {
    number: u64,
    walk: Walk,
    missing: Option<Missing>,
}

impl Link {
    fn new(number: u64, scheme: Scheme) -> Self {
        Self {
            number,
            walk: Walk::new(scheme),
            missing: None,
        }
    }

    /// Hands on what was read, or counts what could not be.
    fn read(&mut self, at: Timestamp, bytes: &[u8], tap: &dyn Tap) {
        let walked = self.walk.over(bytes);
        let start = match (self.missing, walked.first_end) {
            (None, _) => Some(0),
            // The message that is being read began among those that are missing, so it is missing, too.
            (Some(_), Some(end)) if walked.was_within => {
                self.miss(at, u64::from(walked.first_has_data));
                Some(end)
            }
            (Some(_), None) if walked.was_within => None,
            (Some(_), _) => Some(0),
        };
        let counted = u64::from(self.missing.is_some() && walked.first_has_data);
        let Some(rest) = start.and_then(|start| bytes.get(start..)) else {
            return self.miss(at, 0);
        };
        if rest.is_empty() {
            return;
        }
        let taken = tap.take(Tapped::Bytes {
            link: self.number,
            at,
            bytes: rest.to_vec(),
            missing: self.missing,
        });
        if taken {
            self.missing = None;
        } else {
            self.miss(at, walked.ends.saturating_sub(counted));
        }
    }

    fn miss(&mut self, at: Timestamp, messages: u64) {
        let missing = self.missing.get_or_insert(Missing {
            messages: 0,
            from: at,
            to: at,
        });
        missing.messages += messages;
        missing.to = at;
    }
}

/// A stream whose reads are copied.
struct TappedStream {
    stream: ByteStream,
    link: Link,
    tap: Arc<dyn Tap>,
    clock: Arc<dyn Clock>,
}

impl Drop for TappedStream {
    fn drop(&mut self) {
        let (link, at, missing) = (self.link.number, self.clock.now(), self.link.missing);
        self.tap.take(Tapped::Closed { link, at, missing });
    }
}

impl AsyncRead for TappedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let bytes = buffer.filled().get(before..).unwrap_or_default();
        if !bytes.is_empty() {
            this.link.read(this.clock.now(), bytes, &*this.tap);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TappedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
