//! The order entry's connections without their sockets. It reads no clock and waits for nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tradewind_model::{NotSentReason, Timestamp};
use tradewind_risk::ApprovedOrder;

use super::{ORDERS_MAX, SocketSettings};
use crate::binance::requests::Params;
use crate::binance::signing::Signer;
use crate::binance::socket_answer::{self, Said};
use crate::connection::{Connection, ConnectionIn, ConnectionOut, ConnectionSettings, LossReason};
use crate::gate::{OrderGate, SendPermit};
use crate::machine::LinkId;
use crate::order_pool::{Answer, SendOutcome};
use crate::wire::websocket::{Received, WebSocket};
use crate::wire::{Buffers, LinkAction, Links};

/// Longest an order may take to be written.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// An order that waits to be written.
pub(super) struct Waiting {
    pub(super) order: ApprovedOrder,
    pub(super) method: &'static str,
    pub(super) params: Params,
    pub(super) signer: Signer,
    pub(super) reply: oneshot::Sender<SendOutcome>,
}

impl Waiting {
    pub(super) fn end(self, outcome: SendOutcome) {
        reply(self.reply, outcome);
    }
}

fn reply(sender: oneshot::Sender<SendOutcome>, outcome: SendOutcome) {
    // The send fails if the caller has stopped waiting, which needs no action.
    drop(sender.send(outcome));
}

/// An order that is being written.
struct Writing {
    request: u64,
    order: ApprovedOrder,
    until: Duration,
    reply: oneshot::Sender<SendOutcome>,
}

/// An order that was written.
struct Written {
    until: Duration,
    reply: oneshot::Sender<SendOutcome>,
}

/// One connection and the orders on it.
struct Link {
    id: LinkId,
    since: Duration,
    socket: WebSocket,
    permit: Arc<SendPermit>,
    buffers: Buffers,
    writing: Option<Writing>,
    written: BTreeMap<u64, Written>,
}

impl Link {
    fn is_done(&self) -> bool {
        self.writing.is_none() && self.written.is_empty()
    }

    fn deadlines(&self) -> impl Iterator<Item = Duration> {
        let writing = self.writing.iter().map(|writing| writing.until);
        writing.chain(self.written.values().map(|written| written.until))
    }
}

/// The order entry without its sockets.
pub(super) struct SocketCore {
    settings: SocketSettings,
    connection: ConnectionSettings,
    machine: Connection,
    opening: Option<Link>,
    current: Option<Link>,
    /// The one before the current, until its answers have come.
    retiring: Option<Link>,
    waiting: VecDeque<Waiting>,
    actions: VecDeque<LinkAction>,
    links: u64,
    requests: u64,
    renewals: u64,
}

impl SocketCore {
    pub(super) fn new(settings: SocketSettings, connection: ConnectionSettings) -> Self {
        Self {
            machine: Connection::new(connection, settings.seed),
            settings,
            connection,
            opening: None,
            current: None,
            retiring: None,
            waiting: VecDeque::new(),
            actions: VecDeque::new(),
            links: 0,
            requests: 0,
            renewals: 0,
        }
    }

    pub(super) const fn gate(&self) -> &Arc<OrderGate> {
        &self.settings.gate
    }

    pub(super) fn start(&mut self, now: Duration) {
        self.tell(now, ConnectionIn::Start);
    }

    /// Ends everything; what was written and not answered is unknown.
    pub(super) fn stop(&mut self) {
        for waiting in self.waiting.drain(..) {
            waiting.end(SendOutcome::NotSent(NotSentReason::Unreachable));
        }
        for link in [
            self.opening.take(),
            self.current.take(),
            self.retiring.take(),
        ] {
            self.lose(link, "order entry ended");
        }
    }

    /// Whether another order may be handed over. While the first connection is being opened orders wait for it; between
    /// attempts they come back at once.
    pub(super) fn takes_orders(&self) -> bool {
        self.waiting.is_empty() && (self.current.is_some() || self.opening.is_none())
    }

    /// Whether an order of which a part may have left while the rest has not closes a position for a kill.
    pub(super) fn writing(&self) -> Option<bool> {
        let links = [&self.current, &self.retiring].into_iter().flatten();
        let mut orders = links.filter_map(|link| link.writing.as_ref());
        orders.next().map(|writing| writing.order.is_flattening())
    }

    pub(super) fn submit(&mut self, now: Duration, waiting: Waiting) {
        if self.waiting.len() >= ORDERS_MAX {
            return waiting.end(SendOutcome::NotSent(NotSentReason::Unreachable));
        }
        self.waiting.push_back(waiting);
        self.write_next(now);
    }

    /// A kill: an order that has not left whole never will.
    pub(super) fn cut(&mut self, now: Duration) {
        self.break_off(now, "cut by a kill", |_| true);
    }

    /// Begins to write the next order, if the connection has nothing else to write: so each byte counted is the order's.
    fn write_next(&mut self, now: Duration) {
        while let Some(waiting) = self.waiting.pop_front() {
            let Some(link) = &mut self.current else {
                waiting.end(SendOutcome::NotSent(NotSentReason::Unreachable));
                continue;
            };
            if link.writing.is_some() || !link.buffers.is_written() {
                return self.waiting.push_front(waiting);
            }
            if let Err(reason) = self.settings.gate.authorize(&waiting.order) {
                waiting.end(SendOutcome::NotSent(reason));
                continue;
            }
            self.requests += 1;
            link.permit.begin(&waiting.order);
            let message = serde_json::json!({
                "id": self.requests,
                "method": waiting.method,
                "params": waiting.signer.message(waiting.params),
            });
            link.socket.send(&message.to_string(), link.buffers.out());
            link.writing = Some(Writing {
                request: self.requests,
                order: waiting.order,
                until: now + WRITE_WITHIN,
                reply: waiting.reply,
            });
        }
    }

    /// The handshake is over: the first connection, or a successor; the old one then stays for the answers still to come.
    fn ready(&mut self, now: Duration) {
        let Some(link) = self.opening.take() else {
            return;
        };
        if let Some(old) = self.current.replace(link) {
            let replaced = self.retiring.replace(old);
            self.lose(replaced, "replaced twice");
            self.retire();
            self.renewals += 1;
            let seed = self.settings.seed.wrapping_add(self.renewals);
            self.machine = Connection::new(self.connection, seed);
            // It is open already: the order to open it is not carried out.
            self.machine
                .handle(now, ConnectionIn::Start, &mut Vec::new());
        }
        self.tell(now, ConnectionIn::Opened);
        tracing::info!("Order entry connected");
    }

    /// A successor that cannot be opened leaves the old one in use; its end will be noticed like any other.
    fn not_opened(&mut self, now: Duration, why: String) {
        let link = self.opening.take();
        self.lose(link, &why);
        if self.current.is_some() {
            tracing::warn!(why, "No successor for the order entry's connection");
        } else {
            self.tell(now, ConnectionIn::Lost(LossReason::NotOpened(why)));
        }
    }

    /// Takes in one message of a connection; `false` if none is whole.
    fn message(&mut self, now: Duration, id: LinkId) -> bool {
        let is_current = self.current.as_ref().is_some_and(|link| link.id == id);
        let Some(link) = self.link(id) else {
            return false;
        };
        let (input, out) = link.buffers.both();
        let (used, input) = match link.socket.receive(input, out) {
            Ok((used, Received::Text(text))) => match socket_answer::read(text) {
                Said::Answer(request, answer) => {
                    answered(&mut link.written, request, answer);
                    (used, Some(ConnectionIn::Data))
                }
                Said::ClosingSoon => (used, Some(ConnectionIn::ClosingSoon)),
                Said::Nothing => (used, Some(ConnectionIn::Data)),
            },
            Ok((used, Received::Pong)) => (used, Some(ConnectionIn::Pong)),
            Ok((used, Received::Opened)) => {
                link.buffers.used(used);
                self.ready(now);
                return true;
            }
            Ok((used, Received::Nothing | Received::Other)) => (used, None),
            Err(error) => {
                self.lost(now, id, error.0);
                return false;
            }
        };
        link.buffers.used(used);
        match input {
            Some(input) if is_current => self.tell(now, input),
            Some(_) | None => self.retire(),
        }
        used > 0
    }

    /// Lets the old connection go once nothing is to come on it.
    fn retire(&mut self) {
        if let Some(link) = self.retiring.take_if(|link| link.is_done()) {
            self.actions
                .push_back(LinkAction::Close(link.id, link.buffers));
        }
    }

    /// Ends the wait for answers that did not come in time. The connection's own pings say whether it is dead.
    fn expire(&mut self, now: Duration) {
        let links = [&mut self.current, &mut self.retiring];
        for link in links.into_iter().flatten() {
            for (_, late) in link
                .written
                .extract_if(.., |_, written| written.until <= now)
            {
                let late_answer = SendOutcome::Unanswered("no answer in time".to_owned());
                reply(late.reply, late_answer);
            }
        }
        self.break_off(now, "could not be written in time", |writing| {
            writing.until <= now
        });
        let overdue = |link: &Link| now >= link.since + self.connection.connect_within;
        if self.current.is_some() && self.opening.as_ref().is_some_and(overdue) {
            self.not_opened(now, "no connection in time".to_owned());
        }
        self.retire();
    }

    /// Drops the connections with such an order under way: a part of it may lie in a buffer, and must not follow later.
    fn break_off(&mut self, now: Duration, why: &str, is_over: impl Fn(&Writing) -> bool) {
        let links = [&self.current, &self.retiring].map(Option::as_ref);
        let over = |link: &&Link| link.writing.as_ref().is_some_and(&is_over);
        let ids: Vec<LinkId> = links
            .into_iter()
            .flatten()
            .filter(over)
            .map(|link| link.id)
            .collect();
        for id in ids {
            self.lost(now, id, why.to_owned());
        }
    }

    /// Gives an input to the connection's machine and carries out its outputs.
    fn tell(&mut self, now: Duration, input: ConnectionIn) {
        let mut out = Vec::new();
        self.machine.handle(now, input, &mut out);
        for order in out {
            match order {
                ConnectionOut::Open | ConnectionOut::Renew => self.open(now),
                ConnectionOut::Close => {
                    for link in [self.opening.take(), self.current.take()] {
                        self.lose(link, "connection lost");
                    }
                }
                ConnectionOut::Down { reason, retry_in } => {
                    tracing::warn!(%reason, retry_in_ms = retry_in.as_millis(), "Order entry lost its connection");
                }
                ConnectionOut::Ping => {
                    if let Some(link) = &mut self.current {
                        link.socket.ping(link.buffers.out());
                    }
                }
            }
        }
        self.write_next(now);
    }

    fn open(&mut self, now: Duration) {
        if self.opening.is_some() {
            return;
        }
        self.links += 1;
        let (id, address) = (LinkId(self.links), self.settings.address.clone());
        let permit = SendPermit::new(Arc::clone(&self.settings.gate));
        permit.idle();
        self.opening = Some(Link {
            id,
            since: now,
            socket: WebSocket::new(&address, ""),
            permit: Arc::clone(&permit),
            buffers: Buffers::default(),
            writing: None,
            written: BTreeMap::new(),
        });
        self.actions
            .push_back(LinkAction::Open(id, address, Some(permit)));
    }

    /// What was written and not answered may be at the venue or not. Nothing more is written on the connection.
    fn lose(&mut self, link: Option<Link>, why: &str) {
        let Some(link) = link else {
            return;
        };
        if let Some(writing) = link.writing {
            let (gate, why) = (&self.settings.gate, why.to_owned());
            let outcome = SendOutcome::broken_off(gate, &link.permit, &writing.order, why);
            reply(writing.reply, outcome);
        }
        for (_, written) in link.written {
            reply(written.reply, SendOutcome::Unanswered(why.to_owned()));
        }
        self.actions
            .push_back(LinkAction::Close(link.id, Buffers::default()));
    }

    fn link(&mut self, id: LinkId) -> Option<&mut Link> {
        let links = [&mut self.opening, &mut self.current, &mut self.retiring];
        links.into_iter().flatten().find(|link| link.id == id)
    }
}

impl Links for SocketCore {
    fn next_action(&mut self) -> Option<LinkAction> {
        self.actions.pop_front()
    }

    fn buffers(&mut self, id: LinkId) -> Option<&mut Buffers> {
        self.link(id).map(|link| &mut link.buffers)
    }

    fn opened(&mut self, _now: Duration, id: LinkId, nonce: u64) -> bool {
        let Some(link) = self.link(id) else {
            return false;
        };
        link.socket.start(nonce, link.buffers.out());
        true
    }

    fn received(&mut self, now: Duration, id: LinkId, _received_at: Timestamp) {
        while self.message(now, id) {}
    }

    fn written(&mut self, now: Duration, id: LinkId) {
        let until = now + self.settings.within;
        if let Some(link) = self.link(id)
            && let Some(Writing { request, reply, .. }) = link.writing.take()
        {
            link.permit.idle();
            link.written.insert(request, Written { until, reply });
        }
        self.write_next(now);
    }

    fn lost(&mut self, now: Duration, id: LinkId, why: String) {
        let is = |link: &Option<Link>| link.as_ref().is_some_and(|link| link.id == id);
        if is(&self.opening) {
            self.not_opened(now, why);
        } else if is(&self.current) {
            self.tell(now, ConnectionIn::Lost(LossReason::Broken(why)));
        } else if is(&self.retiring) {
            let link = self.retiring.take();
            self.lose(link, "closed before its answer");
        }
    }

    fn tick(&mut self, now: Duration) {
        self.expire(now);
        self.tell(now, ConnectionIn::Tick);
    }

    fn wake_at(&self) -> Option<Duration> {
        let links = [&self.current, &self.retiring].into_iter().flatten();
        let successor = self.opening.as_ref().filter(|_| self.current.is_some());
        let opening = successor.map(|link| link.since + self.connection.connect_within);
        let orders = links.flat_map(Link::deadlines);
        orders.chain(opening).chain(self.machine.wake_at()).min()
    }
}

fn answered(written: &mut BTreeMap<u64, Written>, request: u64, answer: Answer) {
    match written.remove(&request) {
        Some(written) => reply(written.reply, SendOutcome::Answered(answer)),
        None => tracing::warn!(request, "An answer that no order waits for"),
    }
}
