//! The shell of everything that keeps connections: opens sockets, moves bytes, wakes the machine. It decides nothing.
//!
//! It needs an executor, but not tokio's: streams, openings and waits are the connector's.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tradewind_model::{Clock, Timestamp};

use super::buffers::{Buffers, Moved, READ_BYTES_MAX};
use super::connector::{ByteStream, Connector, within};
use crate::address::Address;
use crate::gate::SendPermit;
use crate::machine::LinkId;

/// An action of a machine with connections.
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

type Opened = Result<ByteStream, String>;
type Connecting = (LinkId, Pin<Box<dyn Future<Output = Opened> + Send>>);

/// The sockets of one machine.
pub(crate) struct Shell {
    connector: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
    /// Longest a connection may take to be opened.
    within: Duration,
    streams: Vec<(LinkId, ByteStream)>,
    opening: Vec<Connecting>,
    /// Bytes read since the other tasks ran last.
    taken: usize,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shell(..)")
    }
}

enum Happened {
    Opened(LinkId, Opened),
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
            streams: Vec::new(),
            opening: Vec::new(),
            taken: 0,
        }
    }

    /// The time the machine counts in.
    pub(crate) fn now(&self) -> Duration {
        self.connector.now()
    }

    /// Waits for one event and passes it to the machine. Dropping the future before that loses nothing.
    pub(crate) async fn step(&mut self, links: &mut impl Links) {
        self.act(links);
        let now = self.now();
        let wake = links.wake_at().map(|at| at.saturating_sub(now));
        let (connector, streams, opening) = (&self.connector, &mut self.streams, &mut self.opening);
        let happened = tokio::select! {
            biased;
            (id, opened) = poll_fn(|context| poll_opening(opening, context)) => Happened::Opened(id, opened),
            (id, moved) = poll_fn(|context| poll_streams(streams, links, context)) => Happened::Moved(id, moved),
            // Made when nothing else is ready, so that a busy stream pays for no timer.
            () = async { connector.sleep(wake.unwrap_or_default()).await }, if wake.is_some() => Happened::Deadline,
        };
        match happened {
            Happened::Opened(id, opened) => self.opened(links, id, opened),
            Happened::Moved(id, moved) => {
                if matches!(moved, Ok(Moved::Read)) {
                    self.taken += links.buffers(id).map_or(0, |buffers| buffers.input().len());
                }
                self.moved(links, id, moved);
            }
            Happened::Deadline => {}
        }
        links.tick(self.now());
        self.act(links);
        if self.taken >= READ_BYTES_MAX {
            self.taken = 0;
            give_way().await;
        }
    }

    /// Carries out the machine's remaining actions, then drops all connections.
    pub(crate) fn shutdown(&mut self, links: &mut impl Links) {
        self.act(links);
        self.opening.clear();
        self.streams.clear();
    }

    /// Carries out the machine's actions.
    pub(crate) fn act(&mut self, links: &mut impl Links) {
        while let Some(action) = links.next_action() {
            match action {
                LinkAction::Open(id, address, permit) => self.open(id, address, permit),
                LinkAction::Close(id, rest) => self.close(id, rest),
            }
        }
    }

    fn open(&mut self, id: LinkId, address: Address, permit: Option<Arc<SendPermit>>) {
        let (connector, limit) = (Arc::clone(&self.connector), self.within);
        let opening = async move {
            let opened = within(&*connector, limit, connector.open(&address, permit)).await;
            match opened {
                Some(opened) => opened.map_err(|error| error.to_string()),
                None => Err("no connection in time".to_owned()),
            }
        };
        self.opening.push((id, Box::pin(opening)));
    }

    /// Bytes that the socket does not take at once are dropped with it. A lost close frame, for example, does no harm.
    fn close(&mut self, id: LinkId, mut rest: Buffers) {
        if let Some(at) = self.streams.iter().position(|(open, _)| *open == id) {
            let (_, mut stream) = self.streams.remove(at);
            let mut context = Context::from_waker(Waker::noop());
            let _moved = rest.poll(Pin::new(&mut stream), &mut context);
        }
    }

    fn opened(&mut self, links: &mut impl Links, id: LinkId, opened: Opened) {
        let now = self.now();
        match opened {
            Ok(stream) => {
                if links.opened(now, id, self.connector.nonce()) {
                    self.streams.push((id, stream));
                }
            }
            Err(why) => links.lost(now, id, why),
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

/// Lets the other tasks of this executor run once: a stream that never ends must not keep them waiting.
async fn give_way() {
    let mut has_waited = false;
    poll_fn(|context| match std::mem::replace(&mut has_waited, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

fn poll_opening(
    opening: &mut Vec<Connecting>,
    context: &mut Context<'_>,
) -> Poll<(LinkId, Opened)> {
    for at in 0..opening.len() {
        let (id, connecting) = &mut opening[at];
        let id = *id;
        if let Poll::Ready(opened) = connecting.as_mut().poll(context) {
            drop(opening.swap_remove(at));
            return Poll::Ready((id, opened));
        }
    }
    Poll::Pending
}

/// Moves bytes on the first stream that is ready; the next call begins behind it, so that none starves.
fn poll_streams(
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

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
    use tradewind_model::ManualClock;

    use super::*;
    use crate::wire::connector::TcpConnector;
    use crate::{LinkId, client_config};

    /// A stream that is ready for ever, in parts.
    struct Endless;

    impl Endless {
        const PART: usize = 20 * 1024;
    }

    impl AsyncRead for Endless {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            space: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            space.put_slice(&[0; Self::PART]);
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Endless {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Counts the bytes of one connection.
    #[derive(Default)]
    struct Counts {
        buffers: Buffers,
        bytes: usize,
    }

    impl Links for Counts {
        fn next_action(&mut self) -> Option<LinkAction> {
            None
        }

        fn buffers(&mut self, _: LinkId) -> Option<&mut Buffers> {
            Some(&mut self.buffers)
        }

        fn opened(&mut self, _: Duration, _: LinkId, _: u64) -> bool {
            true
        }

        fn received(&mut self, _: Duration, _: LinkId, _: Timestamp) {
            let read = self.buffers.input().len();
            self.buffers.used(read);
            self.bytes += read;
        }

        fn written(&mut self, _: Duration, _: LinkId) {}

        fn lost(&mut self, _: Duration, _: LinkId, why: String) {
            panic!("{why}");
        }

        fn tick(&mut self, _: Duration) {}

        fn wake_at(&self) -> Option<Duration> {
            None
        }
    }

    #[test]
    fn a_stream_that_never_ends_lets_others_run_after_64_kib() {
        let connector = TcpConnector::shared(client_config(None).unwrap());
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::default();
        let mut shell = Shell::new(connector, clock, Duration::from_secs(1));
        shell.streams.push((LinkId(1), Box::new(Endless)));
        let mut counts = Counts::default();
        let mut context = Context::from_waker(Waker::noop());
        for turn in 1..=3 {
            {
                let mut run = pin!(async {
                    for _ in 0..1_000 {
                        shell.step(&mut counts).await;
                    }
                });
                assert!(run.as_mut().poll(&mut context).is_pending());
            }
            assert_eq!(counts.bytes, turn * 4 * Endless::PART);
        }
    }
}
