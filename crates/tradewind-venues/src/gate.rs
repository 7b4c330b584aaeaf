//! The order gate: the last thing between an order and the wire.
//!
//! It lies around the socket itself. Every byte of a new order passes [`GatedIo::poll_write`], which holds the send lock
//! and looks at the kill latch first; so once [`OrderGate::kill`] has returned, no byte of a new order leaves this
//! process. Killing never waits for the network: the lock is held for one non-blocking write at most, and what was not
//! written by then is dropped with its connection. Cancels and queries travel on other connections and are not gated.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{ClientOrderId, Clock, NotSentReason, Timestamp};
use tradewind_risk::{ApprovedOrder, KillLatch};

/// Guards every connection that new orders leave on.
#[derive(Debug)]
pub struct OrderGate {
    latch: Arc<KillLatch>,
    send_lock: Mutex<()>,
    cut: Notify,
    is_closed: AtomicBool,
    /// Orders that may not leave any more, the latest [`WITHDRAWN_MAX`].
    withdrawn: Mutex<BTreeSet<ClientOrderId>>,
    clock: Arc<dyn Clock>,
}

/// Orders that are remembered as withdrawn. One is older than this many others only if it left long ago.
const WITHDRAWN_MAX: usize = 10_000;

impl OrderGate {
    /// A gate over the desk's latch.
    #[must_use]
    pub fn new(latch: Arc<KillLatch>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            latch,
            send_lock: Mutex::new(()),
            cut: Notify::new(),
            is_closed: AtomicBool::new(false),
            withdrawn: Mutex::default(),
            clock,
        })
    }

    /// Sets the latch and cuts what is being sent. When it returns, no byte of a new order leaves any more.
    ///
    /// Returns whether the latch was clear before. Writing the latch to disk is the caller's next step.
    pub fn kill(&self) -> bool {
        let was_clear = is_on(Mutation::KillWithoutLatch) || self.latch.set();
        // A writer in the middle of a write holds the lock. Each later writer sees the latch.
        drop(self.lock());
        self.cut.notify_waiters();
        was_clear
    }

    /// Lets only orders leave that close positions for a kill, until [`kill`](Self::kill), and cuts what else is being sent.
    /// When it returns, no byte of another new order leaves any more.
    ///
    /// Returns false if the latch was set before; it stays as it was then.
    pub fn flatten(&self) -> bool {
        let begins = self.latch.flatten();
        drop(self.lock());
        self.cut.notify_waiters();
        begins
    }

    /// Keeps one order from leaving: a part of the desk was killed after it was decided. When it returns, no byte of the order leaves
    /// any more; one that has left whole is not affected.
    pub fn withdraw(&self, order: ClientOrderId) {
        let mut withdrawn = relock(&self.withdrawn);
        withdrawn.insert(order);
        if withdrawn.len() > WITHDRAWN_MAX {
            withdrawn.pop_first();
        }
        drop(withdrawn);
        drop(self.lock());
    }

    /// Closes the gate for good: the engine has ended, and orders that still wait have no owner. What has left whole may
    /// still be answered.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        drop(self.lock());
    }

    /// Whether an order may start on its way: the gate lets it pass and the order is not too old.
    ///
    /// # Errors
    /// The reason why it may not. The gate is checked again before each write.
    pub fn authorize(&self, order: &ApprovedOrder) -> Result<(), NotSentReason> {
        self.allows(Pass::of(order))
    }

    /// Resolves when an order that was let through, one for a kill or another, is let through no more.
    pub async fn cut(&self, is_flattening: bool) {
        loop {
            // Made before the look at the latch, so that a kill in between is not missed.
            let cut = self.cut.notified();
            if !self.latch.lets(is_flattening) && !is_on(Mutation::LatchReadEarly) {
                return;
            }
            cut.await;
        }
    }

    fn lets(&self, pass: Pass) -> Result<(), NotSentReason> {
        let is_withdrawn = || {
            let withdrawn = relock(&self.withdrawn);
            pass.order.is_some_and(|order| withdrawn.contains(&order))
        };
        if !self.latch.lets(pass.is_flattening) || is_withdrawn() {
            return Err(NotSentReason::Killed);
        }
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(NotSentReason::Unreachable);
        }
        Ok(())
    }

    fn allows(&self, pass: Pass) -> Result<(), NotSentReason> {
        self.lets(pass)?;
        match pass.expires_at {
            Some(end) if self.clock.now() >= end => Err(NotSentReason::Expired),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // It guards no data, so a panic while it was held broke nothing.
        self.send_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What decides whether an order passes.
#[derive(Clone, Copy, Debug, Default)]
struct Pass {
    order: Option<ClientOrderId>,
    /// It may leave until then, if there is an end.
    expires_at: Option<Timestamp>,
    /// It closes a position for a kill.
    is_flattening: bool,
}

impl Pass {
    const fn of(order: &ApprovedOrder) -> Self {
        Self {
            order: Some(order.terms().client_id),
            expires_at: order.expires_at(),
            is_flattening: order.is_flattening(),
        }
    }
}

/// What the next bytes of a connection are.
#[derive(Clone, Copy, Debug)]
enum Load {
    /// A new order's.
    Order(Pass),
    /// No order's: pings, and answers to pings.
    Nothing,
}

/// What one connection is sending, shared between its socket and the one who waits for the answer.
#[derive(Debug)]
pub struct SendPermit {
    gate: Arc<OrderGate>,
    load: Mutex<Load>,
    written: AtomicU64,
    refusal: Mutex<Option<NotSentReason>>,
}

impl SendPermit {
    /// A connection's permit through `gate`.
    #[must_use]
    pub fn new(gate: Arc<OrderGate>) -> Arc<Self> {
        Arc::new(Self {
            gate,
            load: Mutex::new(Load::Order(Pass::default())),
            written: AtomicU64::new(0),
            refusal: Mutex::new(None),
        })
    }

    /// The next bytes belong to `order`.
    pub fn begin(&self, order: &ApprovedOrder) {
        *relock(&self.load) = Load::Order(Pass::of(order));
        *relock(&self.refusal) = None;
        self.written.store(0, Ordering::SeqCst);
    }

    /// No order is under way: what keeps the connection alive passes, killed or not, until the next order begins.
    ///
    /// Only for a connection whose last order has left whole; one with a part of it left behind is to be dropped.
    pub fn idle(&self) {
        *relock(&self.load) = Load::Nothing;
    }

    /// Bytes of the present order that have left.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// Why its bytes were refused, if they were.
    #[must_use]
    pub fn refusal(&self) -> Option<NotSentReason> {
        *relock(&self.refusal)
    }

    /// An order that is too old is held back only while none of its bytes have left: half an order is of no use.
    fn allows(&self) -> Result<(), NotSentReason> {
        match *relock(&self.load) {
            Load::Nothing => Ok(()),
            Load::Order(_) if is_on(Mutation::LatchReadEarly) => Ok(()),
            Load::Order(pass) if self.written() == 0 => self.gate.allows(pass),
            Load::Order(pass) => self.gate.lets(pass),
        }
    }

    fn refuse(&self, reason: NotSentReason) -> io::Error {
        relock(&self.refusal).get_or_insert(reason);
        io::Error::new(
            io::ErrorKind::PermissionDenied,
            "kept back by the order gate",
        )
    }
}

fn relock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each holds one value that is replaced whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A socket whose every write passes the gate.
#[derive(Debug)]
pub struct GatedIo<S> {
    socket: S,
    permit: Arc<SendPermit>,
}

impl<S> GatedIo<S> {
    /// Puts the gate around `socket`.
    pub const fn new(socket: S, permit: Arc<SendPermit>) -> Self {
        Self { socket, permit }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GatedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GatedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let permit = Arc::clone(&self.permit);
        let _lock = permit.gate.lock();
        if let Err(reason) = permit.allows() {
            return Poll::Ready(Err(permit.refuse(reason)));
        }
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            permit.written.fetch_add(*count as u64, Ordering::SeqCst);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::orders_for_tests::sealed;
    use std::sync::atomic::AtomicI64;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tradewind_risk::PositionEffect;

    fn gate() -> Arc<OrderGate> {
        OrderGate::new(
            Arc::default(),
            Arc::<tradewind_model::ManualClock>::default(),
        )
    }

    #[tokio::test]
    async fn bytes_pass_while_the_latch_is_clear_and_none_after_a_kill() {
        let gate = gate();
        let permit = SendPermit::new(Arc::clone(&gate));
        let (ours, mut theirs) = duplex(64);
        let mut gated = GatedIo::new(ours, Arc::clone(&permit));
        gated.write_all(b"order").await.unwrap();
        assert_eq!(permit.written(), 5);
        assert!(gate.kill());
        assert!(gated.write_all(b"more").await.is_err());
        assert_eq!(permit.refusal(), Some(NotSentReason::Killed));
        drop(gated);
        let mut arrived = Vec::new();
        theirs.read_to_end(&mut arrived).await.unwrap();
        assert_eq!(arrived, b"order");
    }

    /// H04: an order that was decided before the kill of a part of the desk, and whose bytes wait.
    #[tokio::test]
    async fn a_withdrawn_order_does_not_leave_and_others_do() {
        let gate = gate();
        let (ours, mut theirs) = duplex(64);
        let permit = SendPermit::new(Arc::clone(&gate));
        let mut gated = GatedIo::new(ours, Arc::clone(&permit));
        let (first, second) = (
            sealed(1, PositionEffect::Exit),
            sealed(2, PositionEffect::Exit),
        );
        gate.withdraw(ClientOrderId(1));
        assert_eq!(gate.authorize(&first), Err(NotSentReason::Killed));
        permit.begin(&first);
        assert!(gated.write_all(b"first").await.is_err());
        assert_eq!(permit.refusal(), Some(NotSentReason::Killed));
        permit.begin(&second);
        gated.write_all(b"second").await.unwrap();
        drop(gated);
        let mut arrived = Vec::new();
        theirs.read_to_end(&mut arrived).await.unwrap();
        assert_eq!(arrived, b"second");
    }

    #[tokio::test]
    async fn between_orders_a_killed_connection_still_answers_pings() {
        let gate = gate();
        let permit = SendPermit::new(Arc::clone(&gate));
        let (ours, _theirs) = duplex(64);
        let mut gated = GatedIo::new(ours, Arc::clone(&permit));
        permit.idle();
        assert!(gate.kill());
        gated.write_all(b"pong").await.unwrap();
    }

    #[tokio::test]
    async fn what_a_blocked_socket_has_not_taken_is_dropped_by_a_kill() {
        let gate = gate();
        let permit = SendPermit::new(Arc::clone(&gate));
        let (ours, mut theirs) = duplex(8);
        let mut gated = GatedIo::new(ours, Arc::clone(&permit));
        let write = async { gated.write_all(b"a much longer order").await };
        let kill = async {
            // The write fills the socket and waits; the kill does not wait for it.
            gate.kill();
            let mut taken = [0; 8];
            theirs.read_exact(&mut taken).await.unwrap();
            taken
        };
        let (written, taken) = tokio::join!(biased; write, kill);
        assert!(written.is_err());
        assert_eq!((&taken, permit.written()), (b"a much l", 8));
        drop(gated);
        let mut rest = Vec::new();
        theirs.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
    }

    #[tokio::test]
    async fn a_kill_wakes_whoever_waits_for_the_cut_and_a_later_one_at_once() {
        let gate = gate();
        tokio::join!(biased; gate.cut(false), async { assert!(gate.kill()) });
        gate.cut(false).await;
    }

    fn pass(is_flattening: bool) -> Pass {
        Pass {
            is_flattening,
            ..Pass::default()
        }
    }

    #[tokio::test]
    async fn an_order_for_a_kill_outlives_the_flattening_and_not_the_kill() {
        let gate = gate();
        let walk = async {
            assert!(gate.flatten() && !gate.flatten());
            gate.cut(false).await;
            assert!(gate.lets(pass(true)).is_ok() && gate.lets(pass(false)).is_err());
            assert!(gate.kill());
        };
        tokio::join!(biased; gate.cut(true), walk);
        assert!(gate.lets(pass(true)).is_err() && !gate.flatten());
    }

    #[tokio::test]
    async fn a_closed_gate_lets_nothing_pass() {
        let gate = gate();
        let permit = SendPermit::new(Arc::clone(&gate));
        let (ours, _theirs) = duplex(64);
        let mut gated = GatedIo::new(ours, Arc::clone(&permit));
        gate.close();
        assert!(gated.write_all(b"order").await.is_err());
        assert_eq!(permit.refusal(), Some(NotSentReason::Unreachable));
        permit.idle();
        gated.write_all(b"pong").await.unwrap();
    }

    /// Writers on other threads race with a kill. All bytes written before it arrive, and none after.
    #[test]
    fn no_byte_leaves_once_kill_has_returned() {
        #[derive(Clone, Default)]
        struct Wire(Arc<AtomicI64>);
        impl AsyncWrite for Wire {
            fn poll_write(
                self: Pin<&mut Self>,
                _context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.0.fetch_add(1, Ordering::SeqCst);
                Poll::Ready(Ok(bytes.len()))
            }
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
        }
        for _ in 0..200 {
            let (gate, wire) = (gate(), Wire::default());
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let permit = SendPermit::new(Arc::clone(&gate));
                        let mut gated = GatedIo::new(wire.clone(), permit);
                        let mut context = Context::from_waker(std::task::Waker::noop());
                        while let Poll::Ready(Ok(_)) =
                            Pin::new(&mut gated).poll_write(&mut context, b"x")
                        {
                        }
                    });
                }
                gate.kill();
                let at_return = wire.0.load(Ordering::SeqCst);
                std::thread::yield_now();
                assert_eq!(wire.0.load(Ordering::SeqCst), at_return);
            });
        }
    }
}
