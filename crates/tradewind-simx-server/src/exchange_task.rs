//! The one thread that owns the exchange: it takes letters from a bounded mailbox, handles all that are there, stores what
//! happened with one sync, and only then answers.
//!
//! A thread and not a task, since storing blocks. It wakes for letters, and for the market 50 times a second, more often
//! when its clock runs fast: quotes that fall due in between leave together. Nothing ever waits for it but the requests it
//! answers, and nothing it does waits for a connection: one that does not keep up is cut.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tradewind_model::{Clock, Ppm, Timestamp};

use crate::core::{Counters, In, Out};
use crate::faults::{
    Command, CommandError, DoorState, FaultScript, Reply, Stroke, Target, WireKind,
};
use crate::front::Front;
use crate::line::Switch;
use crate::persist::Store;
use crate::rest::{ApiError, RestRequest};
use crate::startup;
use crate::streams::ConnectionId;
use crate::streams::frames::Frame;

/// Letters that may wait. One more is refused with "overloaded".
const MAILBOX: usize = 4_096;
/// Letters handled before the disk is asked again.
const LETTERS_AT_ONCE: usize = 512;
/// Between two looks at the market, at most.
pub(crate) const TICK_MAX: Duration = Duration::from_millis(20);
/// At least, when the clock runs fast: what falls due in between leaves at once and has to fit a connection's queue.
const TICK_MIN: Duration = Duration::from_millis(2);
/// Batches of frames one connection may leave unread; one more and it is cut.
const BATCHES: usize = 1_024;
/// Frames one connection may leave unread.
const FRAMES: usize = 50_000;

/// What came of an operator's command.
type Outcome = Result<Value, CommandError>;

/// Something for the exchange to do.
#[derive(Debug)]
pub(crate) enum Letter {
    /// A REST request and where its answer goes.
    Rest(RestRequest, oneshot::Sender<Reply>),
    /// A connection begins.
    Connect(ConnectionId, Wire),
    /// Anything that has no answer of its own.
    Input(In),
    /// Something only the operator may do, and where the outcome goes.
    Command(Command, oneshot::Sender<Outcome>),
    /// Faults to add; none clears those there are. Says how many were added.
    Faults(Option<FaultScript>, oneshot::Sender<usize>),
    /// Everything there is to tell about the exchange.
    State(oneshot::Sender<Value>),
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
    /// Whether the market is held.
    pub paused: bool,
    /// Open connections.
    pub connections: usize,
    /// Streams that somebody listens to.
    pub streams: usize,
    /// Connections cut because they did not read.
    pub cut: u64,
    /// Whether the market will ever move again: recorded data ends.
    pub market_ended: bool,
}

/// What is handed to a connection's task.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// Frames to send.
    Frames(Vec<Frame>),
    /// Something to suffer.
    Stroke(Stroke),
}

/// Where the frames of one connection go.
#[derive(Debug)]
pub(crate) struct Wire {
    kind: WireKind,
    batches: mpsc::Sender<Parcel>,
    queued: Arc<AtomicUsize>,
    cut: CancellationToken,
}

/// The other end of a [`Wire`].
#[derive(Debug)]
pub(crate) struct WireEnd {
    batches: mpsc::Receiver<Parcel>,
    queued: Arc<AtomicUsize>,
    /// Cancelled when the connection is to be dropped at once.
    pub(crate) cut: CancellationToken,
    /// What may leave the connection beneath.
    pub(crate) switch: Arc<Switch>,
}

/// A wire and its other end.
pub(crate) fn wire(kind: WireKind, switch: Arc<Switch>) -> (Wire, WireEnd) {
    let (sender, batches) = mpsc::channel(BATCHES);
    let (queued, cut) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    (
        Wire {
            kind,
            batches: sender,
            queued: queued.clone(),
            cut: cut.clone(),
        },
        WireEnd {
            batches,
            queued,
            cut,
            switch,
        },
    )
}

impl WireEnd {
    /// The next parcel; `None` when there will be none.
    pub(crate) async fn receive(&mut self) -> Option<Parcel> {
        let parcel = self.batches.recv().await?;
        if let Parcel::Frames(frames) = &parcel {
            self.queued.fetch_sub(frames.len(), Ordering::Relaxed);
        }
        Some(parcel)
    }
}

impl Wire {
    /// Queues a batch, or says that the reader is too slow.
    fn send(&self, batch: Vec<Frame>) -> Result<(), TooSlow> {
        let waiting = self.queued.fetch_add(batch.len(), Ordering::Relaxed);
        if waiting + batch.len() > FRAMES {
            return Err(TooSlow);
        }
        let parcel = Parcel::Frames(batch);
        self.batches.try_send(parcel).map_err(|_| TooSlow)
    }

    /// Queues a stroke behind the frames that wait.
    fn strike(&self, stroke: Stroke) -> Result<(), TooSlow> {
        let parcel = Parcel::Stroke(stroke);
        self.batches.try_send(parcel).map_err(|_| TooSlow)
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
    pub(crate) front: Front,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Option<Store>,
    /// API keys by account id, for the snapshots.
    pub(crate) keys: Vec<String>,
    pub(crate) letters: Receiver<Letter>,
    pub(crate) last: Timestamp,
    pub(crate) desk: Desk,
    pub(crate) door: watch::Sender<DoorState>,
}

/// Whom the exchange owes something.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    connections: BTreeMap<ConnectionId, Wire>,
    replies: BTreeMap<u64, oneshot::Sender<Reply>>,
    batches: BTreeMap<ConnectionId, Vec<Frame>>,
    /// What the operator is told once it is on disk.
    outcomes: Vec<(oneshot::Sender<Outcome>, Outcome)>,
    tokens: u64,
    cut: u64,
}

impl ExchangeTask {
    /// Runs until it is told to stop or the disk fails.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let (mut tick, mut out) = (Instant::now(), Out::default());
        let every = tick_at(self.clock.speed());
        loop {
            let wait = self.wait_until(tick + every);
            let first = match self.letters.recv_timeout(wait) {
                Ok(letter) => Some(letter),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Letter::Stop),
            };
            if tick.elapsed() >= every {
                tick = Instant::now();
            }
            self.last = self.last.max(self.clock.now());
            self.front.advance(self.last);
            let ends = self.read_letters(first);
            out = self.settle(out)?;
            if ends {
                return self.finish();
            }
        }
    }

    /// Real time until the market is looked at next, or something is due.
    fn wait_until(&self, tick: Instant) -> Duration {
        let wait = tick.saturating_duration_since(Instant::now());
        let due = self.front.next_at().map(|at| self.clock.real_until(at));
        due.map_or(wait, |due| wait.min(due))
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
                self.front.handle(now, In::Rest { token, request });
            }
            Letter::Connect(connection, wire) => {
                let kind = wire.kind;
                self.desk.connections.insert(connection, wire);
                self.front.connected(now, connection, kind);
            }
            Letter::Input(In::Close { connection }) => {
                self.desk.connections.remove(&connection);
                self.front.handle(now, In::Close { connection });
            }
            Letter::Input(input) => self.front.handle(now, input),
            Letter::Command(command, reply) => {
                let outcome = command.run(&mut self.front.core, now);
                self.desk.outcomes.push((reply, outcome));
            }
            Letter::Faults(script, reply) => drop(reply.send(self.set_faults(now, script))),
            Letter::State(reply) => drop(reply.send(self.state())),
            // Who asked and left again does not need the answer.
            Letter::Counters(reply) => drop(reply.send(self.status())),
            Letter::Stop => {}
        }
    }

    fn set_faults(&mut self, now: Timestamp, script: Option<FaultScript>) -> usize {
        match script {
            Some(script) => self.front.add_faults(now, script),
            None => {
                self.front.clear_faults(now);
                0
            }
        }
    }

    fn state(&self) -> Value {
        crate::state::of(&self.front, &self.status())
    }

    /// Stores what happened, then answers and sends; returns the emptied buffers.
    fn settle(&mut self, used: Out) -> io::Result<Out> {
        let mut out = self.front.take_out(used);
        if let Some(store) = &mut self.store {
            out.records.iter().for_each(|record| store.append(record));
            if out.must_sync {
                store.sync()?
            } else {
                store.write()?
            }
        }
        for (token, answer) in out.answers.drain(..) {
            self.desk.reply(token, Reply::Sent(answer));
        }
        for (reply, outcome) in self.desk.outcomes.drain(..) {
            drop(reply.send(outcome));
        }
        for (token, reply) in out.mischief.replies.drain(..) {
            self.desk.reply(token, reply);
        }
        if let Some(door) = out.mischief.door.take() {
            self.door.send_replace(door);
        }
        for connection in self.desk.deliver(&mut out) {
            self.front.handle(self.last, In::Close { connection });
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
        let mut snapshot = startup::snapshot(&self.front.core, &self.keys, self.last);
        store.replace(&mut snapshot).map_err(io::Error::other)
    }

    fn finish(mut self) -> io::Result<()> {
        self.keep_snapshot()
    }

    fn status(&self) -> Status {
        Status {
            now: self.last,
            counters: self.front.core.counters(),
            paused: self.front.core.is_paused(),
            connections: self.desk.connections.len(),
            streams: self.front.core.streams(),
            cut: self.desk.cut,
            market_ended: self.front.core.market_ended(),
        }
    }
}

/// Between two looks at the market: 20 ms of its own time, within bounds.
fn tick_at(speed: Ppm) -> Duration {
    let speed = u32::try_from(speed.0 / Ppm::ONE.0).unwrap_or(u32::MAX);
    (TICK_MAX / speed.max(1)).max(TICK_MIN)
}

impl Desk {
    fn expect_reply(&mut self, reply: oneshot::Sender<Reply>) -> u64 {
        self.tokens += 1;
        self.replies.insert(self.tokens, reply);
        self.tokens
    }

    fn reply(&mut self, token: u64, answer: Reply) {
        if let Some(reply) = self.replies.remove(&token) {
            // A client that hung up needs no answer; what it asked for has happened.
            drop(reply.send(answer));
        }
    }

    /// Hands each connection its frames in one batch; returns those that were cut.
    fn deliver(&mut self, out: &mut Out) -> Vec<ConnectionId> {
        let mut cut = Vec::new();
        if out.mischief.strokes.is_empty() {
            for (connection, frame) in out.frames.drain(..) {
                self.batches.entry(connection).or_default().push(frame);
            }
        } else {
            self.deliver_with_strokes(out, &mut cut);
        }
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
        cut.sort_unstable();
        cut.dedup();
        self.cut += u64::try_from(cut.len()).unwrap_or(u64::MAX);
        cut.iter()
            .for_each(|connection| drop(self.connections.remove(connection)));
        cut
    }

    /// The same where connections suffer: what went before a stroke leaves before it.
    fn deliver_with_strokes(&mut self, out: &mut Out, cut: &mut Vec<ConnectionId>) {
        let mut strokes = std::mem::take(&mut out.mischief.strokes)
            .into_iter()
            .peekable();
        for (place, (connection, frame)) in out.frames.drain(..).enumerate() {
            while let Some((_, target, stroke)) = strokes.next_if(|(before, ..)| *before <= place) {
                self.strike(target, stroke, cut);
            }
            self.batches.entry(connection).or_default().push(frame);
        }
        for (_, target, stroke) in strokes {
            self.strike(target, stroke, cut);
        }
    }

    fn strike(&mut self, target: Target, stroke: Stroke, cut: &mut Vec<ConnectionId>) {
        let hit = |(connection, wire): (&ConnectionId, &Wire)| match target {
            Target::One(one) => *connection == one,
            Target::All(kind) => kind.is_none_or(|kind| kind == wire.kind),
        };
        for (connection, wire) in self.connections.iter().filter(|entry| hit(*entry)) {
            let batch = self.batches.remove(connection).unwrap_or_default();
            if wire.send(batch).and_then(|()| wire.strike(stroke)).is_err() {
                wire.cut.cancel();
                cut.push(*connection);
            }
        }
    }
}
