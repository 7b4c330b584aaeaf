//! New orders over the WebSocket API: one connection behind the [`OrderGate`], answers matched by number.
//!
//! A [`Connection`] says when to open it, to ping, to replace it; the task here does as it is told and owns the sockets.
//! Orders are written one at a time and wait for their answers together. Each request is signed by itself, so a
//! connection has no state that a reconnect would have to restore; `session.logon` would only save the signature.
//!
//! A lost connection makes its unanswered orders unknown; nothing is ever written twice. Before a connection is closed by
//! the venue a successor is opened: new orders go there, and the old one stays until its answers have come.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tokio_util::sync::CancellationToken;
use tradewind_model::NotSentReason;
use tradewind_risk::ApprovedOrder;

use super::requests::Params;
use super::signing::Signer;
use super::socket_answer::{self, Said};
use crate::address::Address;
use crate::connection::{Connection, ConnectionIn, ConnectionOut, ConnectionSettings, LossReason};
use crate::gate::{OrderGate, SendPermit};
use crate::gated_stream::{self, GatedStream};
use crate::order_pool::SendOutcome;
use crate::websocket::MESSAGE_BYTES_MAX;

/// Orders that wait to be written; one more comes back unsent.
const ORDERS_MAX: usize = 256;
/// Longest an order may take to be written.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// All that the connection needs.
#[derive(Clone, Debug)]
pub(super) struct SocketSettings {
    pub(super) address: Address,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) gate: Arc<OrderGate>,
    /// Longest to wait for an answer.
    pub(super) within: Duration,
    /// Seed of the jitter.
    pub(super) seed: u64,
}

/// The handle: takes orders, and runs the connection for whoever owns it.
pub(super) struct OrderSocket {
    gate: Arc<OrderGate>,
    orders: mpsc::Sender<Waiting>,
    worker: Mutex<Option<Worker>>,
}

impl std::fmt::Debug for OrderSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrderSocket(..)")
    }
}

/// An order that waits to be written.
struct Waiting {
    order: ApprovedOrder,
    method: &'static str,
    params: Params,
    signer: Signer,
    answer: oneshot::Sender<SendOutcome>,
}

impl OrderSocket {
    pub(super) fn new(settings: SocketSettings) -> Self {
        let (orders, waiting) = mpsc::channel(ORDERS_MAX);
        let connection = ConnectionSettings {
            silence_max: None,
            ..ConnectionSettings::default()
        };
        let worker = Worker {
            orders: waiting,
            machine: Connection::new(connection, settings.seed),
            connection,
            current: None,
            retiring: None,
            opening: JoinSet::new(),
            origin: Instant::now(),
            requests: 0,
            renewals: 0,
            settings,
        };
        Self {
            gate: Arc::clone(&worker.settings.gate),
            orders,
            worker: Mutex::new(Some(worker)),
        }
    }

    /// Sends an order once and waits for its answer.
    pub(super) async fn send(
        &self,
        order: &ApprovedOrder,
        method: &'static str,
        params: Params,
        signer: Signer,
    ) -> SendOutcome {
        if let Err(reason) = self.gate.admit(order) {
            return SendOutcome::NotSent(reason);
        }
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            order: *order,
            method,
            params,
            signer,
            answer,
        };
        let runs = self.worker().is_none();
        if !runs || self.orders.try_send(waiting).is_err() {
            tracing::warn!("No connection for an order");
            return SendOutcome::NotSent(NotSentReason::Unreachable);
        }
        // The task answers each order within its time-outs; it drops one only if it is dropped itself.
        let dropped = |_| SendOutcome::Unanswered("order entry ended".to_owned());
        answered.await.unwrap_or_else(dropped)
    }

    /// Keeps the connection up until told to stop. Its owner awaits it; orders sent meanwhile or later come back unsent.
    pub(super) async fn run(&self, stop: CancellationToken) {
        let worker = self.worker().take();
        if let Some(worker) = worker {
            worker.run(stop).await;
        }
    }

    fn worker(&self) -> std::sync::MutexGuard<'_, Option<Worker>> {
        // It is taken out whole, once.
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn end(self, sent: SendOutcome) {
        // Whoever gave up waiting does not want to know.
        drop(self.answer.send(sent));
    }
}

/// An order that was written.
struct Written {
    until: Instant,
    answer: oneshot::Sender<SendOutcome>,
}

/// One open connection and the orders that wait for their answers on it.
struct Link {
    socket: WebSocketStream<GatedStream>,
    permit: Arc<SendPermit>,
    written: BTreeMap<u64, Written>,
}

struct Worker {
    settings: SocketSettings,
    connection: ConnectionSettings,
    orders: mpsc::Receiver<Waiting>,
    machine: Connection,
    current: Option<Link>,
    retiring: Option<Link>,
    opening: JoinSet<Result<Link, String>>,
    origin: Instant,
    requests: u64,
    renewals: u64,
}

enum Happened {
    Stop,
    Opened(Result<Result<Link, String>, JoinError>),
    Current(Option<Result<Message, Error>>),
    Retiring(Option<Result<Message, Error>>),
    Order(Option<Waiting>),
    Deadline,
}

impl Worker {
    async fn run(mut self, stop: CancellationToken) {
        self.tell(ConnectionIn::Start).await;
        loop {
            match self.next(&stop).await {
                Happened::Stop | Happened::Order(None) => break,
                Happened::Opened(Ok(Ok(link))) => self.opened(link).await,
                Happened::Opened(Ok(Err(why))) => self.not_opened(why).await,
                Happened::Opened(Err(error)) => self.not_opened(error.to_string()).await,
                Happened::Current(message) => self.heard(message).await,
                Happened::Retiring(message) => self.heard_late(message),
                Happened::Order(Some(waiting)) => self.write(waiting).await,
                Happened::Deadline => {}
            }
            self.expire();
            self.tell(ConnectionIn::Tick).await;
        }
        self.orders.close();
        while let Ok(waiting) = self.orders.try_recv() {
            waiting.end(SendOutcome::NotSent(NotSentReason::Unreachable));
        }
        for link in [self.current.take(), self.retiring.take()] {
            lose(link, "order entry ended");
        }
        self.opening.shutdown().await;
    }

    async fn next(&mut self, stop: &CancellationToken) -> Happened {
        let deadline = self.deadline();
        // While the first connection is being opened orders wait for it; between attempts they come back at once.
        let takes_orders = self.current.is_some() || self.opening.is_empty();
        tokio::select! {
            biased;
            () = stop.cancelled() => Happened::Stop,
            Some(opened) = self.opening.join_next(), if !self.opening.is_empty() => Happened::Opened(opened),
            message = hear(&mut self.current) => Happened::Current(message),
            message = hear(&mut self.retiring) => Happened::Retiring(message),
            waiting = self.orders.recv(), if takes_orders => Happened::Order(waiting),
            () = sleep_or_never(deadline) => Happened::Deadline,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let links = [&self.current, &self.retiring].into_iter().flatten();
        let answers = links.flat_map(|link| link.written.values().map(|written| written.until));
        let connection = self.machine.wake_at().map(|at| self.origin + at);
        answers.chain(connection).min()
    }

    /// The first connection, or a successor: the old one then stays for the answers that are still to come.
    async fn opened(&mut self, link: Link) {
        if let Some(old) = self.current.replace(link) {
            lose(self.retiring.take(), "replaced twice");
            self.retiring = Some(old).filter(|old| !old.written.is_empty());
            self.renewals += 1;
            let seed = self.settings.seed.wrapping_add(self.renewals);
            self.machine = Connection::new(self.connection, seed);
            // It is open already: the order to open it is not carried out.
            let now = self.origin.elapsed();
            self.machine
                .handle(now, ConnectionIn::Start, &mut Vec::new());
        }
        self.tell(ConnectionIn::Opened).await;
        tracing::info!("Order entry connected");
    }

    /// A successor that cannot be opened leaves the old one in use; its end will be noticed like any other.
    async fn not_opened(&mut self, why: String) {
        if self.current.is_some() {
            tracing::warn!(why, "No successor for the order entry's connection");
        } else {
            self.tell(ConnectionIn::Lost(LossReason::NotOpened(why)))
                .await;
        }
    }

    async fn heard(&mut self, message: Option<Result<Message, Error>>) {
        let input = match message {
            Some(Ok(Message::Text(text))) => match socket_answer::read(text.as_bytes()) {
                Said::Answer(request, answer) => {
                    answered(&mut self.current, request, answer);
                    ConnectionIn::Data
                }
                Said::ClosingSoon => ConnectionIn::ClosingSoon,
                Said::Nothing => ConnectionIn::Data,
            },
            Some(Ok(Message::Pong(_))) => ConnectionIn::Pong,
            Some(Ok(Message::Close(_))) | None => {
                ConnectionIn::Lost(LossReason::Broken("closed by the venue".to_owned()))
            }
            Some(Err(error)) => ConnectionIn::Lost(LossReason::Broken(error.to_string())),
            Some(Ok(_)) => return,
        };
        self.tell(input).await;
    }

    fn heard_late(&mut self, message: Option<Result<Message, Error>>) {
        match message {
            Some(Ok(Message::Text(text))) => {
                if let Said::Answer(request, answer) = socket_answer::read(text.as_bytes()) {
                    answered(&mut self.retiring, request, answer);
                }
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => {
                lose(self.retiring.take(), "closed before its answer");
            }
            Some(Ok(_)) => {}
        }
        self.retiring.take_if(|link| link.written.is_empty());
    }

    async fn write(&mut self, waiting: Waiting) {
        if let Err(reason) = self.settings.gate.admit(&waiting.order) {
            return waiting.end(SendOutcome::NotSent(reason));
        }
        let Some(link) = &mut self.current else {
            return waiting.end(SendOutcome::NotSent(NotSentReason::Unreachable));
        };
        self.requests += 1;
        let request = self.requests;
        match link.write(&self.settings.gate, request, &waiting).await {
            Ok(()) => {
                let until = Instant::now() + self.settings.within;
                let answer = waiting.answer;
                link.written.insert(request, Written { until, answer });
            }
            Err(sent) => {
                // A part of the order may lie in the socket's buffer, and must not follow later.
                waiting.end(sent);
                let why = "an order could not be written whole".to_owned();
                self.tell(ConnectionIn::Lost(LossReason::Broken(why))).await;
            }
        }
    }

    /// Ends the wait for answers that did not come in time. The connection's own pings say whether it is dead.
    fn expire(&mut self) {
        let now = Instant::now();
        for link in [&mut self.current, &mut self.retiring]
            .into_iter()
            .flatten()
        {
            for (_, late) in link
                .written
                .extract_if(.., |_, written| written.until <= now)
            {
                drop(
                    late.answer
                        .send(SendOutcome::Unanswered("no answer in time".to_owned())),
                );
            }
        }
        self.retiring.take_if(|link| link.written.is_empty());
    }

    /// Gives an input to the machine and carries out what it says.
    async fn tell(&mut self, input: ConnectionIn) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.machine.handle(self.origin.elapsed(), input, &mut out);
            for order in out {
                match order {
                    ConnectionOut::Open | ConnectionOut::Renew => self.open(),
                    ConnectionOut::Close => {
                        self.opening.shutdown().await;
                        lose(self.current.take(), "connection lost");
                    }
                    ConnectionOut::Down { reason, retry_in } => {
                        tracing::warn!(%reason, retry_in_ms = retry_in.as_millis(), "Order entry lost its connection");
                    }
                    ConnectionOut::Ping => {
                        if let Err(why) = self.ping().await {
                            inputs.push(ConnectionIn::Lost(LossReason::Broken(why)));
                        }
                    }
                }
            }
        }
    }

    /// Connects on a task of its own, so that answers are heard meanwhile.
    fn open(&mut self) {
        if self.opening.is_empty() {
            let (settings, within) = (self.settings.clone(), self.connection.connect_within);
            self.opening.spawn(async move {
                timeout(within, connect(&settings))
                    .await
                    .unwrap_or_else(|_| Err("no connection in time".to_owned()))
            });
        }
    }

    async fn ping(&mut self) -> Result<(), String> {
        let Some(link) = &mut self.current else {
            return Ok(());
        };
        let ping = link.socket.send(Message::Ping(Bytes::new()));
        match timeout(WRITE_WITHIN, ping).await {
            Ok(sent) => sent.map_err(|error| error.to_string()),
            Err(_) => Err("ping could not be written in time".to_owned()),
        }
    }
}

impl Link {
    /// Writes one order, whole or not at all.
    ///
    /// # Errors
    /// How far it got; the connection must not be used any more.
    async fn write(
        &mut self,
        gate: &OrderGate,
        request: u64,
        waiting: &Waiting,
    ) -> Result<(), SendOutcome> {
        // What still waits to be written is an answer to a ping: gone by now, so that each byte counted is the order's.
        if !matches!(timeout(WRITE_WITHIN, self.socket.flush()).await, Ok(Ok(()))) {
            return Err(SendOutcome::NotSent(NotSentReason::Unreachable));
        }
        self.permit.begin(&waiting.order);
        let message = serde_json::json!({
            "id": request,
            "method": waiting.method,
            "params": waiting.signer.message(waiting.params.clone()),
        });
        let outcome = tokio::select! {
            biased;
            () = gate.cut() => Err("cut by a kill".to_owned()),
            sent = timeout(WRITE_WITHIN, self.socket.send(Message::text(message.to_string()))) => match sent {
                Ok(sent) => sent.map_err(|error| error.to_string()),
                Err(_) => Err("could not be written in time".to_owned()),
            },
        };
        match outcome {
            Ok(()) => {
                self.permit.idle();
                Ok(())
            }
            Err(why) if self.permit.written() > 0 => Err(SendOutcome::Unanswered(why)),
            Err(_) => {
                let refusal = self.permit.refusal().or(gate.admit(&waiting.order).err());
                Err(SendOutcome::NotSent(
                    refusal.unwrap_or(NotSentReason::Unreachable),
                ))
            }
        }
    }
}

async fn connect(settings: &SocketSettings) -> Result<Link, String> {
    let permit = SendPermit::new(Arc::clone(&settings.gate));
    permit.idle();
    let stream = gated_stream::connect(&settings.address, &settings.tls, &permit).await?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let (socket, _) = client_async_with_config(settings.address.join(""), stream, Some(config))
        .await
        .map_err(|error| error.to_string())?;
    Ok(Link {
        socket,
        permit,
        written: BTreeMap::new(),
    })
}

fn answered(link: &mut Option<Link>, request: u64, answer: crate::order_pool::Answer) {
    let written = link.as_mut().and_then(|link| link.written.remove(&request));
    match written {
        Some(written) => drop(written.answer.send(SendOutcome::Answered(answer))),
        None => tracing::warn!(request, "An answer that no order waits for"),
    }
}

/// What was written and not answered may be at the venue or not.
fn lose(link: Option<Link>, why: &str) {
    for (_, written) in link.into_iter().flat_map(|link| link.written) {
        drop(written.answer.send(SendOutcome::Unanswered(why.to_owned())));
    }
}

async fn hear(link: &mut Option<Link>) -> Option<Result<Message, Error>> {
    match link {
        Some(link) => link.socket.next().await,
        None => pending().await,
    }
}

async fn sleep_or_never(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}
