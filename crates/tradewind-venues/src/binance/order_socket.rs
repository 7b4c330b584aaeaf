//! New orders over the WebSocket API: one connection behind the [`OrderGate`], answers matched by number.
//!
//! [`SocketCore`] is the machine: it keeps the connection by a [`Connection`], writes orders one at a time and waits for their
//! answers together. Each request is signed by itself, so a connection has no state that a reconnect would have to restore;
//! `session.logon` would only save the signature. [`OrderSocket`] is its task and its queue.
//!
//! A lost connection makes its unanswered orders unknown; nothing is written twice. Before a connection is closed by the venue a
//! successor is opened: new orders go there, and the old one stays until its answers have come.

mod core;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tradewind_model::{Clock, NotSentReason};
use tradewind_risk::ApprovedOrder;

use self::core::{SocketCore, Waiting};
use super::requests::Params;
use super::signing::Signer;
use crate::address::Address;
use crate::connection::ConnectionSettings;
use crate::gate::OrderGate;
use crate::order_pool::SendOutcome;
use crate::wire::{Connector, Shell};

/// Orders that wait to be written; one more comes back unsent.
const ORDERS_MAX: usize = 256;

/// All that the connection needs.
#[derive(Clone, Debug)]
pub(super) struct SocketSettings {
    pub(super) address: Address,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gate: Arc<OrderGate>,
    /// Longest to wait for an answer.
    pub(super) within: Duration,
    /// Seed of the jitter.
    pub(super) seed: u64,
}

/// The handle: takes orders, and runs the connection in its owner's task.
pub(super) struct OrderSocket {
    gate: Arc<OrderGate>,
    orders: mpsc::Sender<Waiting>,
    worker: Mutex<Option<Worker>>,
    /// The worker while it runs. [`send`](Self::send) polls it, too, so that an order is written at once.
    running: Mutex<Option<Running>>,
    /// [`run`](Self::run) is to poll it again, with a waker of its own.
    polled: Notify,
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

impl std::fmt::Debug for OrderSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrderSocket(..)")
    }
}

impl OrderSocket {
    pub(super) fn new(settings: SocketSettings) -> Self {
        let (orders, waiting) = mpsc::channel(ORDERS_MAX);
        let gate = Arc::clone(&settings.gate);
        let connection = ConnectionSettings {
            silence_max: None,
            ..ConnectionSettings::default()
        };
        let worker = Worker {
            orders: waiting,
            shell: Shell::new(
                Arc::clone(&settings.connector),
                Arc::clone(&settings.clock),
                connection.connect_within,
            ),
            core: SocketCore::new(settings, connection),
        };
        Self {
            gate,
            orders,
            worker: Mutex::new(Some(worker)),
            running: Mutex::default(),
            polled: Notify::new(),
        }
    }

    /// Sends an order once and waits for its answer. Its first write is tried at the first poll.
    pub(super) async fn send(
        &self,
        order: &ApprovedOrder,
        method: &'static str,
        params: Params,
        signer: Signer,
    ) -> SendOutcome {
        if let Err(reason) = self.gate.authorize(order) {
            return SendOutcome::NotSent(reason);
        }
        let (reply, answered) = oneshot::channel();
        let waiting = Waiting {
            order: *order,
            method,
            params,
            signer,
            reply,
        };
        let runs = lock(&self.worker).is_none();
        if !runs || self.orders.try_send(waiting).is_err() {
            tracing::warn!("No connection for an order");
            return SendOutcome::NotSent(NotSentReason::Unreachable);
        }
        self.advance();
        // The task answers each order within its time-outs; it drops one only if it is dropped itself.
        let dropped = |_| SendOutcome::Unanswered("order entry ended".to_owned());
        answered.await.unwrap_or_else(dropped)
    }

    /// Keeps the connection up until `stop` is cancelled. Its owner awaits it. Orders sent before it runs, or after it
    /// has ended, come back unsent.
    pub(super) async fn run(&self, stop: CancellationToken) {
        let worker = lock(&self.worker).take();
        let Some(worker) = worker else {
            return;
        };
        *lock(&self.running) = Some(Box::pin(worker.run(stop)));
        loop {
            tokio::select! {
                biased;
                () = poll_fn(|context| self.poll(context)) => return,
                () = self.polled.notified() => {}
            }
        }
    }

    /// Goes as far as the worker can without waiting. [`run`](Self::run) continues from there.
    fn advance(&self) {
        // `run` finds out by itself whether it has.
        let _has_ended = self
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready();
        self.polled.notify_one();
    }

    /// The worker only moves bytes and sends answers, so it does not come back here while the lock is held.
    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut running = lock(&self.running);
        let Some(worker) = running.as_mut() else {
            return Poll::Ready(());
        };
        let polled = worker.as_mut().poll(context);
        if polled.is_ready() {
            *running = None;
        }
        polled
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each holds one value that is put in and taken out whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker {
    core: SocketCore,
    shell: Shell,
    orders: mpsc::Receiver<Waiting>,
}

impl Worker {
    async fn run(mut self, stop: CancellationToken) {
        let gate = Arc::clone(self.core.gate());
        self.core.start(self.shell.now());
        loop {
            let (takes_orders, writing) = (self.core.takes_orders(), self.core.writing());
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = gate.cut(writing.unwrap_or_default()), if writing.is_some() => {
                    self.core.cut(self.shell.now());
                }
                waiting = self.orders.recv(), if takes_orders => match waiting {
                    Some(waiting) => self.core.submit(self.shell.now(), waiting),
                    None => break,
                },
                () = self.shell.step(&mut self.core) => {}
            }
        }
        self.orders.close();
        while let Ok(waiting) = self.orders.try_recv() {
            waiting.end(SendOutcome::NotSent(NotSentReason::Unreachable));
        }
        self.core.stop();
        self.shell.shutdown(&mut self.core);
    }
}
