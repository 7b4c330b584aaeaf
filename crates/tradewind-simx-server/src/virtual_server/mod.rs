//! The exchange's server without sockets: bytes of connections and times in, bytes out.
//!
//! [`VirtualServer`] is one value with no task, thread, runtime or clock. It speaks HTTP and WebSocket as
//! [`Server`](crate::Server) does, by the same [`Front`], sessions and faults. Time passes only by the times that its caller
//! names. The same calls at the same times give the same bytes.

mod connection;
pub(crate) mod http;
mod operator;
mod order_request;
mod pipe;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tradewind_model::Timestamp;

pub use order_request::OrderRequest;

use crate::core::{In, Out};
use crate::exchange_task::TICK_MAX;
use crate::faults::{Conduct, DoorState, Reply, Stroke, Target, WireKind};
use crate::front::Front;
use crate::options::{Limits, ServerError, ServerOptions};
use crate::rest::{ApiError, RestAnswer};
use crate::startup;
use crate::streams::ConnectionId;
use crate::streams::attempts::Attempts;
use crate::websocket::{Client, Session};
use connection::{Connection, Time, Wanted};
use http::Upgrade;

/// The address of every client.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The market is looked at this often, as by the server on sockets.
const TICK: Duration = TICK_MAX;
/// Order requests that are kept until they are taken; the oldest are dropped first, and counted.
const ORDER_REQUESTS_MAX: usize = 1_000_000;

/// One connection of a [`VirtualServer`]. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionNumber(u64);

impl fmt::Display for ConnectionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ConnectionNumber {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

    /// How the exchange names the connection once it is a WebSocket.
    const fn id(self) -> ConnectionId {
        ConnectionId(self.0)
    }
}

/// A simulated exchange, served over bytes in memory.
///
/// Each call that takes a time lets the exchange's time pass up to it first. A time before the latest one counts as that one.
#[derive(Debug)]
pub struct VirtualServer {
    front: Front,
    limits: Limits,
    time: Time,
    next_tick: Timestamp,
    door: DoorState,
    attempts: Attempts,
    /// Connections so far.
    accepted: u64,
    connections: BTreeMap<ConnectionNumber, Connection>,
    /// WebSockets that the exchange sends frames to.
    sockets: BTreeMap<ConnectionNumber, WireKind>,
    /// Requests so far.
    tokens: u64,
    /// Who waits for the answer to a request.
    asked: BTreeMap<u64, ConnectionNumber>,
    /// Connections whose input may hold something that can be read now.
    ready: VecDeque<ConnectionNumber>,
    out: Out,
    order_requests: VecDeque<OrderRequest>,
    order_requests_dropped: u64,
    /// Connections cut because their bytes were not taken.
    cut: u64,
}

impl VirtualServer {
    /// A server at the time that the options' clock shows now; the clock is not read again, and `listen` is not used.
    ///
    /// # Errors
    /// The options name a `data_dir`, since nothing is stored here, or an account that cannot be opened.
    pub fn new(options: &ServerOptions, conduct: Conduct) -> Result<Self, ServerError> {
        if let Some(folder) = &options.data_dir {
            return Err(ServerError::Storage {
                folder: folder.clone(),
                source: "a server without sockets stores nothing".into(),
            });
        }
        let started = startup::start(options)?;
        let now = started.last;
        let mut server = Self {
            front: Front::new(started.core, now, conduct),
            limits: options.limits,
            time: Time { now, origin: now },
            next_tick: now + TICK,
            door: DoorState::Open,
            attempts: Attempts::default(),
            accepted: 0,
            connections: BTreeMap::new(),
            sockets: BTreeMap::new(),
            tokens: 0,
            asked: BTreeMap::new(),
            ready: VecDeque::new(),
            out: Out::default(),
            order_requests: VecDeque::new(),
            order_requests_dropped: 0,
            cut: 0,
        };
        server.pass(now);
        server.run();
        Ok(server)
    }

    /// Opens a connection; `None` when a fault refuses connections.
    pub fn connect(&mut self, now: Timestamp) -> Option<ConnectionNumber> {
        self.reach(now);
        if self.door == DoorState::Closed {
            return None;
        }
        self.accepted += 1;
        let number = ConnectionNumber(self.accepted);
        let lifetime = self.door.lifetime(self.accepted);
        let ends_at = lifetime.map(|lifetime| self.time.now + lifetime);
        self.connections.insert(number, Connection::new(ends_at));
        Some(number)
    }

    /// Receives bytes of a client. Those for a connection that has ended are dropped.
    pub fn receive(&mut self, now: Timestamp, connection: ConnectionNumber, bytes: &[u8]) {
        self.reach(now);
        if let Some(receiver) = self.connections.get_mut(&connection) {
            receiver.receive(bytes);
            self.ready.push_back(connection);
        }
        self.run();
    }

    /// Lets time pass up to `now`: everything that is due happens, each at its own time.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(at) = self.next_at().filter(|at| *at <= now) {
            let at = at.max(self.time.now);
            self.pass(at);
            for connection in self.connections.values_mut() {
                connection.wake(self.time);
            }
            self.run();
        }
        self.time.now = self.time.now.max(now);
    }

    /// When something is due next. The market moves always, so something always is; `Option` as in machines that may rest.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let origin = self.time.origin;
        let connections = self.connections.values();
        let wakes = connections.filter_map(|connection| connection.wakes_at(origin));
        wakes
            .chain(self.front.next_at())
            .chain([self.next_tick])
            .min()
    }

    /// Takes the bytes that a connection has for its client.
    pub fn take(&mut self, connection: ConnectionNumber) -> Vec<u8> {
        let bytes = self.connections.get_mut(&connection).map(Connection::take);
        self.connections
            .retain(|_, connection| !connection.is_done());
        bytes.unwrap_or_default()
    }

    /// Whether the server has ended a connection. What it sent before can still be taken.
    #[must_use]
    pub fn is_closed(&self, connection: ConnectionNumber) -> bool {
        self.connections
            .get(&connection)
            .is_none_or(Connection::has_ended)
    }

    /// The client has ended a connection, or nothing reaches it any more. Bytes that were not taken are lost; requests that
    /// were received are carried out.
    pub fn close(&mut self, now: Timestamp, connection: ConnectionNumber) {
        self.reach(now);
        self.connections.remove(&connection);
        self.run();
    }

    /// Lets time pass up to `now`, the market's included: a request meets the market of its own time.
    fn reach(&mut self, now: Timestamp) {
        self.advance(now);
        self.pass(self.time.now);
    }

    /// Lets the exchange's time pass up to `at`.
    fn pass(&mut self, at: Timestamp) {
        self.time.now = at;
        self.front.advance(at);
        while self.next_tick <= at {
            self.next_tick = self.next_tick + TICK;
        }
    }

    /// Reads what was received and sends what that leads to, until nothing is left to do.
    fn run(&mut self) {
        self.settle();
        while let Some(number) = self.ready.pop_front() {
            while let Some(wanted) = self.next_wanted(number) {
                self.on_wanted(number, wanted);
            }
            self.settle();
        }
    }

    fn next_wanted(&mut self, number: ConnectionNumber) -> Option<Wanted> {
        self.connections.get_mut(&number)?.next(self.time, CLIENT)
    }

    fn on_wanted(&mut self, number: ConnectionNumber, wanted: Wanted) {
        let now = self.time.now;
        match wanted {
            Wanted::Rest(request) => {
                self.note(OrderRequest::rest(now, number, &request));
                self.tokens += 1;
                let token = self.tokens;
                self.asked.insert(token, number);
                self.front.handle(now, In::Rest { token, request });
            }
            Wanted::Input(input) => {
                if let In::WsApi { text, .. } = &input {
                    self.note(OrderRequest::ws(now, number, text));
                }
                self.front.handle(now, input);
            }
            Wanted::Upgrade(upgrade) => self.upgrade(number, &upgrade),
        }
    }

    fn upgrade(&mut self, number: ConnectionNumber, upgrade: &Upgrade) {
        let now = self.time.now;
        let opened = self.open_session(number, upgrade);
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let session = match opened {
            Ok(session) => session,
            Err(error) => return connection.answer(&RestAnswer::refusal(&error), now),
        };
        let kind = session.kind();
        connection.open(upgrade, session, now);
        self.sockets.insert(number, kind);
        self.front.connected(now, number.id(), kind);
        for input in connection.begin() {
            self.front.handle(now, input);
        }
    }

    fn open_session(
        &mut self,
        number: ConnectionNumber,
        upgrade: &Upgrade,
    ) -> Result<Session, ApiError> {
        let elapsed = self.time.elapsed();
        if self.limits == Limits::Venue {
            let admitted = self.attempts.admit(elapsed, CLIENT);
            admitted.map_err(|_| ApiError::TOO_MANY_CONNECTIONS)?;
        }
        let client = Client {
            connection: number.id(),
            address: CLIENT,
            now: elapsed,
        };
        Session::open(upgrade.target.clone(), &upgrade.query, client, self.limits)
    }

    /// Sends what the exchange has left, until that leads to nothing more.
    fn settle(&mut self) {
        loop {
            let mut out = self.front.take_out(std::mem::take(&mut self.out));
            for (token, answer) in out.answers.drain(..) {
                self.reply(token, Reply::Sent(answer));
            }
            for (token, reply) in out.mischief.replies.drain(..) {
                self.reply(token, reply);
            }
            self.door = out.mischief.door.take().unwrap_or(self.door);
            self.deliver(&mut out);
            self.out = out;
            if !self.forget_ended() {
                return;
            }
        }
    }

    fn reply(&mut self, token: u64, reply: Reply) {
        let Some(number) = self.asked.remove(&token) else {
            return;
        };
        // A client that has hung up needs no answer; what it requested has happened.
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let now = self.time.now;
        match reply {
            Reply::Sent(answer) => connection.answer(&answer, now),
            Reply::Cut(answer, bytes) => connection.cut(&answer, bytes, now),
            Reply::HungUp => connection.end(),
            Reply::Silence => connection.fall_silent(now),
        }
        self.ready.push_back(number);
    }

    /// Sends frames. What a connection suffers keeps its place among them.
    fn deliver(&mut self, out: &mut Out) {
        let mut strokes = std::mem::take(&mut out.mischief.strokes)
            .into_iter()
            .peekable();
        for (place, (connection, frame)) in out.frames.drain(..).enumerate() {
            while let Some((_, target, stroke)) = strokes.next_if(|(before, ..)| *before <= place) {
                self.strike(target, stroke);
            }
            let number = ConnectionNumber(connection.0);
            if self.sockets.contains_key(&number)
                && let Some(connection) = self.connections.get_mut(&number)
            {
                connection.send(frame);
            }
        }
        for (_, target, stroke) in strokes {
            self.strike(target, stroke);
        }
        self.connections.values_mut().for_each(Connection::flush);
    }

    fn strike(&mut self, target: Target, stroke: Stroke) {
        for (number, kind) in &self.sockets {
            let is_hit = match target {
                Target::One(one) => number.id() == one,
                Target::All(kinds) => kinds.is_none_or(|wanted| wanted == *kind),
            };
            if is_hit && let Some(connection) = self.connections.get_mut(number) {
                connection.suffer(stroke, self.time.now);
            }
        }
    }

    /// Reports WebSockets that have ended to the exchange; whether there were any.
    fn forget_ended(&mut self) -> bool {
        let is_open = |number: &ConnectionNumber| {
            let connection = self.connections.get(number);
            connection.is_some_and(|connection| connection.open_socket().is_some())
        };
        let ended: Vec<ConnectionNumber> = self
            .sockets
            .keys()
            .copied()
            .filter(|number| !is_open(number))
            .collect();
        for number in &ended {
            self.sockets.remove(number);
            let full = self
                .connections
                .get(number)
                .is_some_and(Connection::is_full);
            self.cut += u64::from(full);
            let connection = number.id();
            self.front.handle(self.time.now, In::Close { connection });
        }
        !ended.is_empty()
    }

    fn note(&mut self, request: Option<OrderRequest>) {
        let Some(request) = request else {
            return;
        };
        if self.order_requests.len() == ORDER_REQUESTS_MAX {
            self.order_requests.pop_front();
            self.order_requests_dropped += 1;
        }
        self.order_requests.push_back(request);
    }
}
