//! The network between a desk and the exchange: pipes of bytes with latency, in virtual time.
//!
//! The desk's side is a [`Connector`]. At the other end is a [`VirtualServer`]. Bytes of one direction of a connection
//! arrive in order. Everything that leaves either side is recorded, so that two runs can be compared to the byte.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tradewind_model::{Clock, Timestamp};
use tradewind_simx_server::{ConnectionNumber, VirtualServer};
use tradewind_venues::{
    Address, ConnectError, Connector, Opening, RealTime, SendPermit, Sleeping, client_config, layer,
};

use crate::executor::VirtualTime;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// From the desk to the exchange.
    Up,
    /// From the exchange to the desk.
    Down,
}

/// Bytes that left one side together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) at: Timestamp,
    pub(crate) direction: Direction,
    pub(crate) connection: ConnectionNumber,
    pub(crate) length: usize,
    pub(crate) hash: u64,
}

/// What one direction does to bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    /// The shortest time that bytes take, and by how much it varies.
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    /// Bytes sent now never arrive, nor do later ones of the same connection.
    pub(crate) is_blocked: bool,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(2),
            jitter: Duration::from_millis(3),
            is_blocked: false,
        }
    }
}

/// What arrives.
#[derive(Debug)]
enum Arrival {
    Bytes(Vec<u8>),
    End,
}

/// One connection as the desk's side sees it.
#[derive(Debug, Default)]
struct Pipe {
    inbox: VecDeque<u8>,
    reader: Option<Waker>,
    /// How it ended, if it did.
    end: Option<End>,
    /// When the last bytes of each direction arrive.
    last: [Timestamp; 2],
    /// Directions that lost bytes.
    is_dead: [bool; 2],
    /// The exchange has ended it; the desk may not know yet.
    server_ended: bool,
    /// The desk has dropped it.
    client_gone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Broken,
}

struct State {
    server: VirtualServer,
    pipes: BTreeMap<ConnectionNumber, Pipe>,
    /// By time, and by the order in which they left.
    under_way: BTreeMap<(Timestamp, u64), (Direction, ConnectionNumber, Arrival)>,
    sent: u64,
    paths: [Path; 2],
    random: u64,
    segments: Vec<Segment>,
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
        f.debug_struct("Network")
            .field("connections", &self.state().pipes.len())
            .finish_non_exhaustive()
    }
}

impl Network {
    /// A network whose latencies follow from `seed`.
    pub(crate) fn new(time: VirtualTime, server: VirtualServer, seed: u64) -> Self {
        Self {
            time,
            tls: client_config(None).unwrap(),
            state: Arc::new(Mutex::new(State {
                server,
                pipes: BTreeMap::new(),
                under_way: BTreeMap::new(),
                sent: 0,
                paths: [Path::default(); 2],
                random: seed,
                segments: Vec::new(),
            })),
        }
    }

    /// When something arrives, or the exchange has something to do.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        let state = self.state();
        let arrives = state.under_way.first_key_value().map(|((at, _), _)| *at);
        arrives.into_iter().chain(state.server.next_at()).min()
    }

    /// Lets everything happen that is due by now.
    pub(crate) fn deliver(&self) {
        let now = Clock::now(&self.time);
        let state = &mut *self.state();
        state.server.advance(now);
        state.collect(now);
        while let Some(first) = state.under_way.first_entry() {
            if first.key().0 > now {
                return;
            }
            let (direction, connection, arrival) = first.remove();
            match direction {
                Direction::Up => state.reach_server(now, connection, arrival),
                Direction::Down => state.reach_desk(connection, arrival),
            }
        }
    }

    /// Changes what a direction does to bytes that are sent from now on.
    pub(crate) fn set_path(&self, direction: Direction, change: impl FnOnce(&mut Path)) {
        change(&mut self.state().paths[direction as usize]);
    }

    /// Breaks every connection; what is under way is lost.
    pub(crate) fn cut_all(&self) {
        let now = Clock::now(&self.time);
        let state = &mut *self.state();
        state.under_way.clear();
        for (connection, pipe) in &mut state.pipes {
            pipe.end.get_or_insert(End::Broken);
            pipe.wake();
            state.server.close(now, *connection);
        }
        state.pipes.retain(|_, pipe| !pipe.client_gone);
    }

    /// What looks at the exchange itself, or does what an operator can.
    pub(crate) fn with_server<T>(&self, work: impl FnOnce(&mut VirtualServer) -> T) -> T {
        work(&mut self.state().server)
    }

    /// Takes what has left either side so far.
    pub(crate) fn take_segments(&self) -> Vec<Segment> {
        std::mem::take(&mut self.state().segments)
    }

    /// The time that a connection takes to be opened; `None` if it is never answered.
    fn handshake(&self) -> Option<Duration> {
        let state = &mut *self.state();
        if state.paths.iter().any(|path| path.is_blocked) {
            return None;
        }
        Some(state.travel(Direction::Up) + state.travel(Direction::Down))
    }

    fn connect(&self) -> Option<ConnectionNumber> {
        let now = Clock::now(&self.time);
        let state = &mut *self.state();
        let connection = state.server.connect(now)?;
        state.pipes.insert(connection, Pipe::default());
        Some(connection)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// A random number from the seed (splitmix64).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn travel(&mut self, direction: Direction) -> Duration {
        let Path {
            latency, jitter, ..
        } = self.paths[direction as usize];
        let nanos = u64::try_from(jitter.as_nanos()).unwrap();
        latency + Duration::from_nanos(self.draw() % nanos.max(1))
    }

    /// Sends on a connection: it arrives behind all that was sent before.
    fn send(
        &mut self,
        now: Timestamp,
        direction: Direction,
        connection: ConnectionNumber,
        arrival: Arrival,
    ) {
        if let Arrival::Bytes(bytes) = &arrival {
            self.record(now, direction, connection, bytes);
        }
        let at = now + self.travel(direction);
        let is_blocked = self.paths[direction as usize].is_blocked;
        let Some(pipe) = self.pipes.get_mut(&connection) else {
            return;
        };
        let is_dead = &mut pipe.is_dead[direction as usize];
        *is_dead |= is_blocked;
        if *is_dead {
            return;
        }
        let last = &mut pipe.last[direction as usize];
        *last = at.max(*last);
        self.sent += 1;
        self.under_way
            .insert((*last, self.sent), (direction, connection, arrival));
    }

    fn record(
        &mut self,
        at: Timestamp,
        direction: Direction,
        connection: ConnectionNumber,
        bytes: &[u8],
    ) {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        self.segments.push(Segment {
            at,
            direction,
            connection,
            length: bytes.len(),
            hash: hasher.finish(),
        });
    }

    /// Sends what the exchange has for its clients.
    fn collect(&mut self, now: Timestamp) {
        let connections: Vec<ConnectionNumber> = self.pipes.keys().copied().collect();
        for connection in connections {
            let bytes = self.server.take(connection);
            if !bytes.is_empty() {
                self.send(now, Direction::Down, connection, Arrival::Bytes(bytes));
            }
            let has_ended = self.server.is_closed(connection);
            let pipe = self.pipes.get_mut(&connection).unwrap();
            if has_ended && !std::mem::replace(&mut pipe.server_ended, true) {
                self.send(now, Direction::Down, connection, Arrival::End);
            }
        }
    }

    fn reach_server(&mut self, now: Timestamp, connection: ConnectionNumber, arrival: Arrival) {
        match arrival {
            Arrival::Bytes(bytes) => self.server.receive(now, connection, &bytes),
            Arrival::End => {
                self.server.close(now, connection);
                self.pipes.remove(&connection);
            }
        }
        self.collect(now);
    }

    fn reach_desk(&mut self, connection: ConnectionNumber, arrival: Arrival) {
        let Some(pipe) = self.pipes.get_mut(&connection) else {
            return;
        };
        match arrival {
            Arrival::Bytes(bytes) => pipe.inbox.extend(bytes),
            Arrival::End => {
                pipe.end.get_or_insert(End::Closed);
            }
        }
        pipe.wake();
    }
}

impl Pipe {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
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
            let Some(handshake) = self.handshake() else {
                return std::future::pending().await;
            };
            self.sleep(handshake).await;
            let Some(connection) = self.connect() else {
                let refused = io::ErrorKind::ConnectionRefused.into();
                return Err(ConnectError::Refused(address.host().to_owned(), refused));
            };
            let stream = ClientEnd {
                network: self.clone(),
                connection,
            };
            layer(stream, address, &self.tls, permit).await
        })
    }

    fn nonce(&self) -> u64 {
        self.state().draw()
    }
}

/// The desk's end of a connection.
struct ClientEnd {
    network: Network,
    connection: ConnectionNumber,
}

impl AsyncRead for ClientEnd {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let state = &mut *self.network.state();
        let pipe = state.pipes.get_mut(&self.connection).unwrap();
        if pipe.inbox.is_empty() {
            return match pipe.end {
                Some(End::Closed) => Poll::Ready(Ok(())),
                Some(End::Broken) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => {
                    pipe.reader = Some(context.waker().clone());
                    Poll::Pending
                }
            };
        }
        let (bytes, _) = pipe.inbox.as_slices();
        let count = bytes.len().min(buffer.remaining());
        buffer.put_slice(&bytes[..count]);
        pipe.inbox.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let now = Clock::now(&self.network.time);
        let state = &mut *self.network.state();
        if state.pipes[&self.connection].end == Some(End::Broken) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let sent = Arrival::Bytes(bytes.to_vec());
        state.send(now, Direction::Up, self.connection, sent);
        Poll::Ready(Ok(bytes.len()))
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
        let now = Clock::now(&self.network.time);
        let state = &mut *self.network.state();
        let Some(pipe) = state.pipes.get_mut(&self.connection) else {
            return;
        };
        pipe.client_gone = true;
        if pipe.end == Some(End::Broken) {
            state.pipes.remove(&self.connection);
        } else {
            state.send(now, Direction::Up, self.connection, Arrival::End);
        }
    }
}
