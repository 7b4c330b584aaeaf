//! The one thread that owns the exchange: it takes letters from a bounded mailbox, handles all that are there, stores what
//! happened with one sync, and only then answers.
//!
//! A thread and not a task, since storing blocks. It wakes for letters, and 50 times a second for the market: quotes that
//! fall due in between leave together. Nothing ever waits for it but the requests it answers, and nothing it does waits
//! for a connection: one that does not keep up is cut.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tradewind_model::Timestamp;

use crate::clock::SimClock;
use crate::core::{Core, Counters, In, Out};
use crate::persist::Store;
use crate::rest::{ApiError, RestAnswer, RestRequest};
use crate::startup;
use crate::streams::ConnectionId;
use crate::streams::frames::Frame;

/// Letters that may wait. One more is refused with "overloaded".
const MAILBOX: usize = 4_096;
/// Letters handled before the disk is asked again.
const LETTERS_AT_ONCE: usize = 512;
/// Between two looks at the market.
const TICK: Duration = Duration::from_millis(20);
/// Batches of frames one connection may leave unread; one more and it is cut.
const BATCHES: usize = 1_024;
/// Frames one connection may leave unread.
const FRAMES: usize = 20_000;

/// Something for the exchange to do.
#[derive(Debug)]
pub(crate) enum Letter {
    /// A REST request and where its answer goes.
    Rest(RestRequest, oneshot::Sender<RestAnswer>),
    /// A connection begins.
    Connect(ConnectionId, Wire),
    /// Anything that has no answer of its own.
    Input(In),
    /// How much happened.
    Counters(oneshot::Sender<Status>),
    /// Store everything and end.
    Stop,
}

/// How the exchange is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The exchange's time.
    pub now: Timestamp,
    /// What happened since the start.
    pub counters: Counters,
    /// Open connections.
    pub connections: usize,
    /// Streams that somebody listens to.
    pub streams: usize,
    /// Connections cut because they did not read.
    pub cut: u64,
    /// Whether the market will ever move again: recorded data ends.
    pub market_ended: bool,
}

/// Where the frames of one connection go.
#[derive(Debug)]
pub(crate) struct Wire {
    batches: mpsc::Sender<Vec<Frame>>,
    queued: Arc<AtomicUsize>,
    cut: CancellationToken,
}

/// The other end of a [`Wire`].
#[derive(Debug)]
pub(crate) struct WireEnd {
    batches: mpsc::Receiver<Vec<Frame>>,
    queued: Arc<AtomicUsize>,
    /// Cancelled when the connection is to be dropped at once.
    pub(crate) cut: CancellationToken,
}

/// A wire and its other end.
pub(crate) fn wire() -> (Wire, WireEnd) {
    let (sender, batches) = mpsc::channel(BATCHES);
    let (queued, cut) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    (
        Wire {
            batches: sender,
            queued: queued.clone(),
            cut: cut.clone(),
        },
        WireEnd {
            batches,
            queued,
            cut,
        },
    )
}

impl WireEnd {
    /// The next frames; `None` when there will be none.
    pub(crate) async fn receive(&mut self) -> Option<Vec<Frame>> {
        let batch = self.batches.recv().await?;
        self.queued.fetch_sub(batch.len(), Ordering::Relaxed);
        Some(batch)
    }
}

impl Wire {
    /// Queues a batch, or says that the reader is too slow.
    fn send(&self, batch: Vec<Frame>) -> Result<(), TooSlow> {
        let waiting = self.queued.fetch_add(batch.len(), Ordering::Relaxed);
        if waiting + batch.len() > FRAMES {
            return Err(TooSlow);
        }
        self.batches.try_send(batch).map_err(|_| TooSlow)
    }
}

struct TooSlow;

/// The exchange's address, held by everybody who writes to it.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox(Sender<Letter>);

impl Mailbox {
    /// A mailbox and the end the exchange reads.
    pub(crate) fn new() -> (Self, Receiver<Letter>) {
        let (sender, receiver) = crossbeam_channel::bounded(MAILBOX);
        (Self(sender), receiver)
    }

    /// Puts a letter in without waiting.
    pub(crate) fn post(&self, letter: Letter) -> Result<(), ApiError> {
        self.0.try_send(letter).map_err(|error| match error {
            TrySendError::Full(_) => ApiError::OVERLOADED,
            TrySendError::Disconnected(_) => ApiError::SHUTTING_DOWN,
        })
    }
}

/// The thread's state.
pub(crate) struct ExchangeTask {
    pub(crate) core: Core,
    pub(crate) clock: SimClock,
    pub(crate) store: Option<Store>,
    /// API keys by account id, for the snapshots.
    pub(crate) keys: Vec<String>,
    pub(crate) letters: Receiver<Letter>,
    pub(crate) last: Timestamp,
    pub(crate) desk: Desk,
}

/// Whom the exchange owes something.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    connections: BTreeMap<ConnectionId, Wire>,
    replies: BTreeMap<u64, oneshot::Sender<RestAnswer>>,
    batches: BTreeMap<ConnectionId, Vec<Frame>>,
    tokens: u64,
    cut: u64,
}

impl ExchangeTask {
    /// Runs until it is told to stop or the disk fails.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let (mut tick, mut out) = (Instant::now(), Out::default());
        loop {
            let wait = (tick + TICK).saturating_duration_since(Instant::now());
            let first = match self.letters.recv_timeout(wait) {
                Ok(letter) => Some(letter),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Letter::Stop),
            };
            if tick.elapsed() >= TICK {
                tick = Instant::now();
            }
            self.last = self.last.max(self.clock.now());
            self.core.advance(self.last);
            let ends = self.read_letters(first);
            out = self.settle(out)?;
            if ends {
                return self.finish();
            }
        }
    }

    /// Handles `first` and what else is there; whether it was told to stop.
    fn read_letters(&mut self, first: Option<Letter>) -> bool {
        let mut next = first;
        for _ in 0..LETTERS_AT_ONCE {
            match next.take().or_else(|| self.letters.try_recv().ok()) {
                Some(Letter::Stop) => return true,
                Some(letter) => self.read(letter),
                None => return false,
            }
        }
        false
    }

    fn read(&mut self, letter: Letter) {
        let now = self.last;
        match letter {
            Letter::Rest(request, reply) => {
                let token = self.desk.expect_reply(reply);
                self.core.handle(now, In::Rest { token, request });
            }
            Letter::Connect(connection, wire) => {
                self.desk.connections.insert(connection, wire);
            }
            Letter::Input(In::Close { connection }) => {
                self.desk.connections.remove(&connection);
                self.core.handle(now, In::Close { connection });
            }
            Letter::Input(input) => self.core.handle(now, input),
            // Who asked and left again does not need the answer.
            Letter::Counters(reply) => drop(reply.send(self.status())),
            Letter::Stop => {}
        }
    }

    /// Stores what happened, then answers and sends; returns the emptied buffers.
    fn settle(&mut self, used: Out) -> io::Result<Out> {
        let mut out = self.core.take_out(used);
        if let Some(store) = &mut self.store {
            out.records.iter().for_each(|record| store.append(record));
            if out.must_sync {
                store.sync()?
            } else {
                store.write()?
            }
        }
        for (token, answer) in out.answers.drain(..) {
            self.desk.reply(token, answer);
        }
        for connection in self.desk.deliver(&mut out) {
            self.core.handle(self.last, In::Close { connection });
        }
        if self.store.as_ref().is_some_and(Store::wants_snapshot) {
            self.keep_snapshot()?;
        }
        Ok(out)
    }

    fn keep_snapshot(&mut self) -> io::Result<()> {
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        let mut snapshot = startup::snapshot(&self.core, &self.keys, self.last);
        store.replace(&mut snapshot).map_err(io::Error::other)
    }

    fn finish(mut self) -> io::Result<()> {
        self.keep_snapshot()
    }

    fn status(&self) -> Status {
        Status {
            now: self.last,
            counters: self.core.counters(),
            connections: self.desk.connections.len(),
            streams: self.core.streams(),
            cut: self.desk.cut,
            market_ended: self.core.market_ended(),
        }
    }
}

impl Desk {
    fn expect_reply(&mut self, reply: oneshot::Sender<RestAnswer>) -> u64 {
        self.tokens += 1;
        self.replies.insert(self.tokens, reply);
        self.tokens
    }

    fn reply(&mut self, token: u64, answer: RestAnswer) {
        if let Some(reply) = self.replies.remove(&token) {
            // A client that hung up needs no answer; what it asked for has happened.
            drop(reply.send(answer));
        }
    }

    /// Hands each connection its frames in one batch; returns those that were cut.
    fn deliver(&mut self, out: &mut Out) -> Vec<ConnectionId> {
        for (connection, frame) in out.frames.drain(..) {
            self.batches.entry(connection).or_default().push(frame);
        }
        let mut cut = Vec::new();
        for (connection, batch) in std::mem::take(&mut self.batches) {
            let Some(wire) = self.connections.get(&connection) else {
                continue;
            };
            if wire.send(batch).is_err() {
                tracing::warn!(
                    connection = connection.0,
                    "Cut a connection that does not read"
                );
                wire.cut.cancel();
                cut.push(connection);
            }
        }
        self.cut += u64::try_from(cut.len()).unwrap_or(u64::MAX);
        cut.iter()
            .for_each(|connection| drop(self.connections.remove(connection)));
        cut
    }
}
