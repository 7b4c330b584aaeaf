//! The network: what is sent arrives later, in part or not at all.
//!
//! A state machine around the server. All draws come from one seed; a connection's draws do not depend on the others. Within
//! a direction of a connection bytes keep their order, as under TCP; between connections nothing is ordered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tradewind_model::Timestamp;
use tradewind_simx::{Chance, Latency};

use super::link::{Direction, Link, LinkFault, LinkState};
use super::rule::{Occasion, Rule};
use super::tap::SentOrder;
use crate::virtual_server::{ConnectionNumber, VirtualServer};

/// How long bytes travel.
#[derive(Clone, Copy, Debug)]
pub struct NetworkOptions {
    /// Seed of every draw.
    pub seed: u64,
    /// From a client to the exchange.
    pub to_server: Latency,
    /// From the exchange to a client.
    pub to_client: Latency,
}

/// Bytes that left one side together, whether they arrived or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// When they left.
    pub at: Timestamp,
    /// Which way they went.
    pub direction: Direction,
    /// The client's connection.
    pub connection: ConnectionNumber,
    /// How many they were.
    pub length: usize,
    /// Their CRC-32.
    pub checksum: u32,
}

/// A span for which the server told a client to send it no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// When the client got the answer.
    pub from: Timestamp,
    /// When its `Retry-After` ends.
    pub until: Timestamp,
}

/// What is on its way.
#[derive(Debug)]
enum Event {
    Connect,
    Connected,
    Refused,
    Bytes(Direction, Vec<u8>),
    /// The sender has ended the connection.
    End(Direction),
    Cut,
}

impl Event {
    const fn is_for_server(&self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Bytes(Direction::ToServer, _) | Self::End(Direction::ToServer)
        )
    }
}

/// A network with one server.
#[derive(Debug)]
pub struct VirtualNetwork {
    options: NetworkOptions,
    server: VirtualServer,
    now: Timestamp,
    links: BTreeMap<ConnectionNumber, Link>,
    connections: u64,
    travelling: BTreeMap<(Timestamp, u64), (ConnectionNumber, Event)>,
    sequence: u64,
    rules: Vec<Rule>,
    chance: Chance,
    /// Until when nothing arrives anywhere.
    partitioned: Timestamp,
    mark: u64,
    orders: Vec<SentOrder>,
    segments: Vec<Segment>,
    requests: Vec<(Timestamp, String)>,
    bans: Vec<Ban>,
    /// Connections at whose client something has arrived.
    arrived: BTreeSet<ConnectionNumber>,
}

impl VirtualNetwork {
    /// A network whose time is the server's.
    #[must_use]
    pub fn new(server: VirtualServer, options: NetworkOptions) -> Self {
        Self {
            options,
            now: server.status().now,
            server,
            links: BTreeMap::new(),
            connections: 0,
            travelling: BTreeMap::new(),
            sequence: 0,
            rules: Vec::new(),
            chance: Chance::new(options.seed, 0),
            partitioned: Timestamp::EPOCH,
            mark: 0,
            orders: Vec::new(),
            segments: Vec::new(),
            requests: Vec::new(),
            bans: Vec::new(),
            arrived: BTreeSet::new(),
        }
    }

    /// Begins to open a connection; [`state`](Self::state) tells what became of it.
    pub fn connect(&mut self, now: Timestamp) -> ConnectionNumber {
        self.advance(now);
        self.connections += 1;
        let (lane, seed) = (self.connections, self.options.seed);
        let number = ConnectionNumber::new(lane);
        let samplers = [
            self.options.to_server.sampler(seed, 2 * lane),
            self.options.to_client.sampler(seed, 2 * lane + 1),
        ];
        self.links
            .insert(number, Link::new(number, samplers, Chance::new(seed, lane)));
        self.occasion(number, Occasion::Connect);
        self.carry(number, Direction::ToServer, Event::Connect);
        number
    }

    /// A connection as its client sees it.
    #[must_use]
    pub fn state(&self, connection: ConnectionNumber) -> LinkState {
        self.links
            .get(&connection)
            .map_or(LinkState::Ended, |link| link.state)
    }

    /// Sends bytes of a client. Those for a connection that is not open are lost.
    pub fn send(&mut self, now: Timestamp, connection: ConnectionNumber, bytes: &[u8]) {
        self.advance(now);
        let Some(link) = self
            .links
            .get_mut(&connection)
            .filter(|link| link.state == LinkState::Open)
        else {
            return;
        };
        self.requests
            .extend(request_line(bytes).map(|line| (self.now, line)));
        for order in link.tap.read(self.now, self.mark, bytes) {
            self.occasion(connection, Occasion::Message);
            if let Some(order) = order {
                self.orders.push(order);
                self.occasion(connection, Occasion::Order);
            }
        }
        self.carry(
            connection,
            Direction::ToServer,
            Event::Bytes(Direction::ToServer, bytes.to_vec()),
        );
    }

    /// Takes the bytes that have arrived at a client.
    pub fn take(&mut self, connection: ConnectionNumber) -> Vec<u8> {
        let bytes = self
            .links
            .get_mut(&connection)
            .map(|link| std::mem::take(&mut link.inbox));
        self.forget(connection);
        bytes.unwrap_or_default()
    }

    /// The client ends a connection; the server learns it when that arrives.
    pub fn close(&mut self, now: Timestamp, connection: ConnectionNumber) {
        self.advance(now);
        let Some(link) = self.links.get_mut(&connection) else {
            return;
        };
        link.state = LinkState::Ended;
        link.inbox.clear();
        self.carry(
            connection,
            Direction::ToServer,
            Event::End(Direction::ToServer),
        );
        self.forget(connection);
    }

    /// Lets time pass up to `now`: everything that is due happens, each at its own time.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(at) = self.next_at().filter(|at| *at <= now) {
            self.now = self.now.max(at);
            self.server.advance(self.now);
            self.collect();
            while let Some(entry) = self
                .travelling
                .first_entry()
                .filter(|entry| entry.key().0 <= self.now)
            {
                let ((_, sequence), (number, event)) = entry.remove_entry();
                if self.partitioned > self.now {
                    self.travelling
                        .insert((self.partitioned, sequence), (number, event));
                } else {
                    self.arrive(number, event);
                    self.collect();
                }
            }
        }
        self.now = self.now.max(now);
    }

    /// When something is due next.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let arrives = self.travelling.first_key_value().map(|((at, _), _)| *at);
        arrives.into_iter().chain(self.server.next_at()).min()
    }

    /// Does something to the exchange: faults of its own, an operator's act.
    pub fn with_server<T>(
        &mut self,
        now: Timestamp,
        work: impl FnOnce(&mut VirtualServer, Timestamp) -> T,
    ) -> T {
        self.advance(now);
        let done = work(&mut self.server, self.now);
        self.collect();
        done
    }

    /// The exchange.
    #[must_use]
    pub const fn server(&self) -> &VirtualServer {
        &self.server
    }

    /// Adds a rule; the number to ask [`rule`](Self::rule) with.
    pub fn add_rule(&mut self, rule: Rule) -> usize {
        self.rules.push(rule);
        self.rules.len() - 1
    }

    /// A rule that was added.
    #[must_use]
    pub fn rule(&self, number: usize) -> Option<&Rule> {
        self.rules.get(number)
    }

    /// Takes all rules back, and the delays that they gave to connections: a line that is slow for ever is a fault that has not stopped.
    /// What a client has to notice stays: a connection that fell silent or is to be cut.
    pub fn clear_rules(&mut self) {
        self.rules.clear();
        for link in self.links.values_mut() {
            link.end_delay();
        }
    }

    /// Strikes one connection.
    pub fn strike(&mut self, connection: ConnectionNumber, fault: LinkFault) {
        if let Some(link) = self.links.get_mut(&connection) {
            link.strike(fault);
        }
    }

    /// Breaks one connection at once: what is under way is lost, and both sides notice.
    pub fn cut(&mut self, now: Timestamp, connection: ConnectionNumber) {
        self.advance(now);
        self.travelling
            .retain(|_, (number, _)| *number != connection);
        self.arrive(connection, Event::Cut);
        self.collect();
    }

    /// The client's connections that are open or being opened, oldest first.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionNumber> {
        let live = |state| matches!(state, LinkState::Opening | LinkState::Open);
        self.links
            .iter()
            .filter(move |(_, link)| live(link.state))
            .map(|(number, _)| *number)
    }

    /// Until `until` nothing arrives anywhere: what is under way or sent meanwhile arrives then, as TCP repeats it.
    pub fn partition(&mut self, now: Timestamp, until: Timestamp) {
        self.advance(now);
        self.partitioned = until;
    }

    /// The client's process dies: it ends all of its connections, and what has not arrived yet arrives.
    pub fn crash_client(&mut self, now: Timestamp) {
        let numbers: Vec<ConnectionNumber> = self.links.keys().copied().collect();
        for number in numbers {
            self.close(now, number);
        }
    }

    /// Takes the connections at whose client something has arrived since the last call: bytes, an answer or an end.
    pub fn take_arrived(&mut self) -> BTreeSet<ConnectionNumber> {
        std::mem::take(&mut self.arrived)
    }

    /// Takes the record of what has left either side since the last call, to compare two runs.
    pub fn take_segments(&mut self) -> Vec<Segment> {
        std::mem::take(&mut self.segments)
    }

    /// Sets the mark that order requests are stamped with as they leave: how much of the client's journal is durable.
    pub const fn set_mark(&mut self, mark: u64) {
        self.mark = mark;
    }

    /// All order requests that have left clients, in order.
    #[must_use]
    pub fn sent_orders(&self) -> &[SentOrder] {
        &self.orders
    }

    /// The first lines of all HTTP requests to the API that have left clients, in order.
    #[must_use]
    pub fn requests(&self) -> &[(Timestamp, String)] {
        &self.requests
    }

    /// What the server has answered with 418 or 429 and a `Retry-After`, as it arrived.
    #[must_use]
    pub fn bans(&self) -> &[Ban] {
        &self.bans
    }

    /// Ends the bans of a client that has died: the next one may not know of them.
    pub fn end_bans(&mut self, now: Timestamp) {
        for ban in &mut self.bans {
            ban.until = ban.until.min(now);
        }
    }

    fn occasion(&mut self, connection: ConnectionNumber, on: Occasion) {
        let Some(link) = self.links.get_mut(&connection) else {
            return;
        };
        for rule in &mut self.rules {
            if rule.strikes(on, &mut self.chance) {
                link.strike(rule.fault());
            }
        }
    }

    /// Puts something on its way.
    fn carry(&mut self, number: ConnectionNumber, direction: Direction, mut event: Event) {
        if let Event::Bytes(_, bytes) = &event {
            self.segments.push(Segment {
                at: self.now,
                direction,
                connection: number,
                length: bytes.len(),
                checksum: crc32fast::hash(bytes),
            });
        }
        let Some(link) = self.links.get_mut(&number) else {
            return;
        };
        let lane = link.lane(direction);
        let bytes = match &event {
            Event::Bytes(_, bytes) => bytes.len(),
            _ => 0,
        };
        let Some(at) = lane.arrival(self.now, bytes) else {
            return;
        };
        if lane.is_given_up(self.now) {
            return self.schedule(self.now, number, Event::Cut);
        }
        let is_cut = match &mut event {
            Event::Bytes(_, bytes) => lane.limit(bytes),
            _ => false,
        };
        self.schedule(at, number, event);
        if is_cut {
            self.schedule(at, number, Event::Cut);
        }
    }

    fn schedule(&mut self, at: Timestamp, number: ConnectionNumber, event: Event) {
        self.sequence += 1;
        self.travelling.insert((at, self.sequence), (number, event));
    }

    fn arrive(&mut self, number: ConnectionNumber, event: Event) {
        let Some(link) = self.links.get_mut(&number) else {
            return;
        };
        if !event.is_for_server() {
            self.arrived.insert(number);
        }
        match event {
            Event::Connect if link.state == LinkState::Opening => {
                link.server = self.server.connect(self.now);
                let answer = link.server.map_or(Event::Refused, |_| Event::Connected);
                self.carry(number, Direction::ToClient, answer);
            }
            // The client has given it up meanwhile.
            Event::Connect => {}
            Event::Connected => link.pass_to(LinkState::Open),
            Event::Refused => link.pass_to(LinkState::Refused),
            Event::Bytes(Direction::ToServer, bytes) => {
                if let Some(server) = link.server {
                    self.server.receive(self.now, server, &bytes);
                }
            }
            Event::Bytes(Direction::ToClient, bytes) if link.state == LinkState::Open => {
                let until = retry_after(&bytes).map(|wait| self.now + wait);
                let from = self.now;
                self.bans.extend(until.map(|until| Ban { from, until }));
                link.inbox.extend(bytes);
            }
            // Nobody reads them any more.
            Event::Bytes(Direction::ToClient, _) => {}
            Event::End(Direction::ToClient) => link.state = LinkState::Ended,
            Event::End(Direction::ToServer) => self.end_at_server(number),
            Event::Cut => {
                link.state = LinkState::Ended;
                self.end_at_server(number);
            }
        }
        self.forget(number);
    }

    fn end_at_server(&mut self, number: ConnectionNumber) {
        let server = self
            .links
            .get_mut(&number)
            .and_then(|link| link.server.take());
        if let Some(server) = server {
            self.server.close(self.now, server);
        }
    }

    /// Puts what the server has sent on its way.
    fn collect(&mut self) {
        let open: Vec<(ConnectionNumber, ConnectionNumber)> = self
            .links
            .iter()
            .filter_map(|(number, link)| Some((*number, link.server?)))
            .collect();
        for (number, server) in open {
            let bytes = self.server.take(server);
            if !bytes.is_empty() {
                self.carry(
                    number,
                    Direction::ToClient,
                    Event::Bytes(Direction::ToClient, bytes),
                );
            }
            if self.server.is_closed(server) {
                if let Some(link) = self.links.get_mut(&number) {
                    link.server = None;
                }
                self.carry(number, Direction::ToClient, Event::End(Direction::ToClient));
                self.forget(number);
            }
        }
    }

    /// Forgets a connection that neither side has any more.
    fn forget(&mut self, number: ConnectionNumber) {
        if self.links.get(&number).is_some_and(Link::is_done) {
            self.links.remove(&number);
        }
    }
}

/// The first line of a request to the API that begins with these bytes.
fn request_line(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    (line.contains(" /api/") && line.contains(" HTTP/1.1")).then(|| line.to_owned())
}

/// How long the server wants no request, if these bytes begin an answer that says so. Nobody reads half a head.
fn retry_after(bytes: &[u8]) -> Option<Duration> {
    let is_ban = bytes.starts_with(b"HTTP/1.1 418") || bytes.starts_with(b"HTTP/1.1 429");
    let text = std::str::from_utf8(bytes).ok().filter(|_| is_ban)?;
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let seconds = value.trim().parse().ok()?;
        name.eq_ignore_ascii_case("retry-after").then_some(seconds)
    };
    let (head, _) = text.split_once("\r\n\r\n")?;
    head.lines().find_map(named).map(Duration::from_secs)
}
