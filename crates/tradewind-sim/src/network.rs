//! The desk's side of a [`VirtualNetwork`]: a [`Connector`] whose connections wake their readers.
//!
//! What travels, is lost or arrives is the network's. Each write stamps the network with how much of the journal is on the
//! disk, so that an order can be compared with its intent.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tradewind_journal::{Loss, MemoryStorage};
use tradewind_model::{Clock, Timestamp};
use tradewind_simx::{Chance, Latency};
use tradewind_simx_server::simulation::{
    Direction, LinkFault, LinkState, NetworkOptions, VirtualNetwork,
};
use tradewind_simx_server::{ConnectionNumber, VirtualServer};
use tradewind_venues::{
    Address, ConnectError, Connector, Opening, RealTime, SendPermit, Sleeping, client_config, layer,
};

use crate::evidence::truth_bytes;
use crate::executor::VirtualTime;

/// Lane of the draws for nonces; the network uses its connections' numbers.
const NONCES: u64 = u64::MAX;

struct State {
    network: VirtualNetwork,
    readers: BTreeMap<ConnectionNumber, Waker>,
    /// Where the journal is, and what an intent must survive before its order leaves.
    disk: (MemoryStorage, Loss),
    nonces: Chance,
}

/// The network and the exchange behind it. Clones are the same network.
#[derive(Clone)]
pub(crate) struct Network {
    time: VirtualTime,
    tls: Arc<ClientConfig>,
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Network")
            .field(&self.state().network)
            .finish()
    }
}

impl Network {
    /// A network whose latencies are drawn from `seed`, of either direction alike.
    pub(crate) fn new(
        time: VirtualTime,
        server: VirtualServer,
        seed: u64,
        latency: Latency,
    ) -> Self {
        let options = NetworkOptions {
            seed,
            to_server: latency,
            to_client: latency,
        };
        Self {
            time,
            tls: client_config(None).unwrap(),
            state: Arc::new(Mutex::new(State {
                network: VirtualNetwork::new(server, options),
                readers: BTreeMap::new(),
                disk: (MemoryStorage::new(), Loss::Process),
                nonces: Chance::new(seed, NONCES),
            })),
        }
    }

    /// From now on the journal is on this disk, and an intent has to survive this.
    pub(crate) fn use_disk(&self, disk: MemoryStorage, loss: Loss) {
        self.state().disk = (disk, loss);
    }

    /// When something arrives, or the exchange has something to do.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.state().network.next_at()
    }

    /// Lets everything happen that is due by now.
    pub(crate) fn deliver(&self) {
        self.with(|network, now| network.advance(now));
    }

    /// Works on the network at the present time, then wakes the readers of what arrived.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut VirtualNetwork, Timestamp) -> T) -> T {
        let now = Clock::now(&self.time);
        let state = &mut *self.state();
        let result = work(&mut state.network, now);
        for connection in state.network.take_arrived() {
            if let Some(reader) = state.readers.remove(&connection) {
                reader.wake();
            }
        }
        result
    }

    /// Breaks every connection; what is under way is lost.
    pub(crate) fn cut_all(&self) {
        self.with(|network, now| {
            let connections: Vec<ConnectionNumber> = network.connections().collect();
            for connection in connections {
                network.cut(now, connection);
            }
        });
    }

    /// Nothing arrives on any connection any more, and nobody notices.
    pub(crate) fn silence_all(&self) {
        self.with(|network, _| {
            let connections: Vec<ConnectionNumber> = network.connections().collect();
            for connection in connections {
                for direction in [Direction::ToServer, Direction::ToClient] {
                    network.strike(connection, LinkFault::Silence(direction));
                }
            }
        });
    }

    /// So many bytes a second are read of each connection that there is.
    pub(crate) fn slow_readers(&self, rate: u64) {
        self.with(|network, _| {
            let connections: Vec<ConnectionNumber> = network.connections().collect();
            for connection in connections {
                network.strike(connection, LinkFault::Slow(Direction::ToClient, rate));
            }
        });
    }

    /// Bytes that arrived, none at a connection's end; or the reader of `context` is woken later.
    fn take(&self, connection: ConnectionNumber, context: &Context<'_>) -> Option<Vec<u8>> {
        let state = &mut *self.state();
        let has_ended = state.network.state(connection) == LinkState::Ended;
        let arrived = state.network.take(connection);
        if arrived.is_empty() && !has_ended {
            state.readers.insert(connection, context.waker().clone());
            return None;
        }
        Some(arrived)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl RealTime for Network {
    fn now(&self) -> Duration {
        RealTime::now(&self.time)
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        self.time.sleep(wait)
    }
}

impl Connector for Network {
    fn open<'a>(&'a self, address: &'a Address, permit: Option<Arc<SendPermit>>) -> Opening<'a> {
        Box::pin(async move {
            let mut end = ClientEnd::connect(self.clone());
            match poll_fn(|context| end.poll_opened(context)).await {
                LinkState::Open => layer(end, address, &self.tls, permit).await,
                _ => {
                    let refused = io::ErrorKind::ConnectionRefused.into();
                    Err(ConnectError::Refused(address.host().to_owned(), refused))
                }
            }
        })
    }

    fn nonce(&self) -> u64 {
        let nonces = &mut self.state().nonces;
        (nonces.below(1 << 32) << 32) | nonces.below(1 << 32)
    }
}

/// The desk's end of a connection. Dropped, it ends the connection.
struct ClientEnd {
    network: Network,
    connection: ConnectionNumber,
    /// Bytes that arrived and were not read.
    inbox: Vec<u8>,
}

impl ClientEnd {
    fn connect(network: Network) -> Self {
        let connection = network.with(VirtualNetwork::connect);
        Self {
            network,
            connection,
            inbox: Vec::new(),
        }
    }

    fn poll_opened(&mut self, context: &Context<'_>) -> Poll<LinkState> {
        let state = &mut *self.network.state();
        match state.network.state(self.connection) {
            LinkState::Opening => {
                let reader = context.waker().clone();
                state.readers.insert(self.connection, reader);
                Poll::Pending
            }
            opened => Poll::Ready(opened),
        }
    }
}

impl AsyncRead for ClientEnd {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.inbox.is_empty() {
            let Some(arrived) = self.network.take(self.connection, context) else {
                return Poll::Pending;
            };
            self.inbox = arrived;
        }
        let count = self.inbox.len().min(buffer.remaining());
        buffer.put_slice(&self.inbox[..count]);
        self.inbox.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mark = {
            let (disk, loss) = &self.network.state().disk;
            truth_bytes(disk, *loss)
        };
        let is_sent = self.network.with(|network, now| {
            network.set_mark(mark);
            network.send(now, self.connection, bytes);
            network.state(self.connection) == LinkState::Open
        });
        if is_sent {
            Poll::Ready(Ok(bytes.len()))
        } else {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for ClientEnd {
    fn drop(&mut self) {
        self.network
            .with(|network, now| network.close(now, self.connection));
        self.network.state().readers.remove(&self.connection);
    }
}
