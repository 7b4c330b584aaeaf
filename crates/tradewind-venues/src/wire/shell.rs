//! The tokio shell of everything that keeps connections: opens sockets, moves bytes, keeps the time. It decides nothing.
//!
//! A shell without tokio does the same four things: carry out the actions, poll each stream by [`Buffers::poll`], say what
//! happened, and wake the machine when it is due.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tradewind_model::{Clock, Timestamp};

use super::buffers::{Buffers, Moved};
use super::connector::{ByteStream, Connector};
use crate::address::Address;
use crate::gate::SendPermit;
use crate::machine::LinkId;

/// What a machine with connections wants done.
#[derive(Debug)]
pub enum LinkAction {
    /// Open a connection; with a permit, behind the order gate.
    Open(LinkId, Address, Option<Arc<SendPermit>>),
    /// Drop a connection, after one attempt to write what is left.
    Close(LinkId, Buffers),
}

/// A machine with connections. `now` is monotonic since an origin of the shell's.
pub trait Links {
    /// What is to be done next.
    fn next_action(&mut self) -> Option<LinkAction>;
    /// An open connection's buffers.
    fn buffers(&mut self, id: LinkId) -> Option<&mut Buffers>;
    /// A connection is open; `false` if it is not wanted any more. `nonce` comes from the [`Connector`].
    fn opened(&mut self, now: Duration, id: LinkId, nonce: u64) -> bool;
    /// Bytes were read into a connection's buffers; `received_at` is stamped on data.
    fn received(&mut self, now: Duration, id: LinkId, received_at: Timestamp);
    /// All that a connection's buffers held was written and flushed.
    fn written(&mut self, now: Duration, id: LinkId);
    /// A connection could not be opened, broke or ended.
    fn lost(&mut self, now: Duration, id: LinkId, why: String);
    /// Time passed.
    fn tick(&mut self, now: Duration);
    /// When the next tick is due.
    fn wake_at(&self) -> Option<Duration>;
}

type Opened = (LinkId, Result<ByteStream, String>);

/// The sockets of one machine.
pub(crate) struct Shell {
    connector: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
    /// Longest a connection may take to be opened.
    within: Duration,
    origin: Instant,
    streams: Vec<(LinkId, ByteStream)>,
    opening: JoinSet<Opened>,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shell(..)")
    }
}

enum Happened {
    Opened(Result<Opened, JoinError>),
    Moved(LinkId, io::Result<Moved>),
    Deadline,
}

impl Shell {
    pub(crate) fn new(
        connector: Arc<dyn Connector>,
        clock: Arc<dyn Clock>,
        within: Duration,
    ) -> Self {
        Self {
            connector,
            clock,
            within,
            origin: Instant::now(),
            streams: Vec::new(),
            opening: JoinSet::new(),
        }
    }

    /// The time the machine counts in.
    pub(crate) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Waits for one thing to happen and tells the machine. Dropping the future before loses nothing.
    pub(crate) async fn step(&mut self, links: &mut impl Links) {
        self.act(links);
        let wake = links.wake_at().map(|at| self.origin + at);
        let streams = &mut self.streams;
        let happened = tokio::select! {
            biased;
            Some(opened) = self.opening.join_next() => Happened::Opened(opened),
            (id, moved) = poll_fn(|context| poll(streams, links, context)) => Happened::Moved(id, moved),
            () = sleep_or_never(wake) => Happened::Deadline,
        };
        match happened {
            Happened::Opened(opened) => self.opened(links, opened),
            Happened::Moved(id, moved) => self.moved(links, id, moved),
            Happened::Deadline => {}
        }
        links.tick(self.now());
        self.act(links);
    }

    /// Carries out what the machine still wants, then drops all connections.
    pub(crate) async fn shutdown(&mut self, links: &mut impl Links) {
        self.act(links);
        self.opening.shutdown().await;
        self.streams.clear();
    }

    /// Carries out what the machine wants.
    pub(crate) fn act(&mut self, links: &mut impl Links) {
        while let Some(action) = links.next_action() {
            match action {
                LinkAction::Open(id, address, permit) => self.open(id, address, permit),
                LinkAction::Close(id, rest) => self.close(id, rest),
            }
        }
    }

    /// Connects on a task of its own, so that connections in use are served meanwhile.
    fn open(&mut self, id: LinkId, address: Address, permit: Option<Arc<SendPermit>>) {
        let (connector, within) = (Arc::clone(&self.connector), self.within);
        self.opening.spawn(async move {
            let opened = match timeout(within, connector.open(&address, permit)).await {
                Ok(opened) => opened.map_err(|error| error.to_string()),
                Err(_) => Err("no connection in time".to_owned()),
            };
            (id, opened)
        });
    }

    /// What the socket does not take at once is dropped with it: a close frame, say, which is no more than polite.
    fn close(&mut self, id: LinkId, mut rest: Buffers) {
        if let Some(at) = self.streams.iter().position(|(open, _)| *open == id) {
            let (_, mut stream) = self.streams.remove(at);
            let mut context = Context::from_waker(Waker::noop());
            let _moved = rest.poll(Pin::new(&mut stream), &mut context);
        }
    }

    fn opened(&mut self, links: &mut impl Links, opened: Result<Opened, JoinError>) {
        let now = self.now();
        match opened {
            Ok((id, Ok(stream))) => {
                if links.opened(now, id, self.connector.nonce()) {
                    self.streams.push((id, stream));
                }
            }
            Ok((id, Err(why))) => links.lost(now, id, why),
            // A panic in a connector; the machine's time-out covers it.
            Err(error) => tracing::error!(%error, "Connecting failed"),
        }
    }

    fn moved(&self, links: &mut impl Links, id: LinkId, moved: io::Result<Moved>) {
        let now = self.now();
        match moved {
            Ok(Moved::Read) => links.received(now, id, self.clock.now()),
            Ok(Moved::Written) => links.written(now, id),
            Ok(Moved::Ended) => links.lost(now, id, "closed".to_owned()),
            Err(error) => links.lost(now, id, error.to_string()),
        }
    }
}

/// Moves bytes on the first stream that is ready; the next call begins behind it, so that none starves.
fn poll(
    streams: &mut [(LinkId, ByteStream)],
    links: &mut impl Links,
    context: &mut Context<'_>,
) -> Poll<(LinkId, io::Result<Moved>)> {
    for at in 0..streams.len() {
        let (id, stream) = &mut streams[at];
        let id = *id;
        let Some(buffers) = links.buffers(id) else {
            continue;
        };
        if let Poll::Ready(moved) = buffers.poll(Pin::new(stream), context) {
            streams.rotate_left(at + 1);
            return Poll::Ready((id, moved));
        }
    }
    Poll::Pending
}

async fn sleep_or_never(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}
