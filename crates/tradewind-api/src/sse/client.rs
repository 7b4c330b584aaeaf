//! One client of the stream: what it gets next.
//!
//! A client reads the hub's ring at its own pace. It goes to the log when it resumes after a break and when the ring has
//! overtaken it; there it takes what is lossless, and goes back to the ring behind what it took. Ids only grow: whatever
//! the log has carried it past is skipped in the ring.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch::Receiver;
use tokio::time::{Interval, MissedTickBehavior};
use tradewind_events::Event;
use tradewind_model::EventId;

use super::frame::{Counts, Frame, Types, gap, message};
use super::hub::ClientSlot;
use super::prices::Batch;
use crate::state::ApiState;

/// Interval of pings.
const PING_EVERY: Duration = Duration::from_secs(1);
/// Events read from the log at once.
const LOG_PAGE: usize = 500;
/// How much is handed over at once, about.
const CHUNK: usize = 64 * 1024;

/// Where a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With what comes.
    Now,
    /// Behind this event.
    After(EventId),
}

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    state: ApiState,
    seat: ClientSlot,
    types: Types,
    /// The last event that went out or was passed over.
    last: EventId,
    /// What was published when the last event was taken from the ring.
    counts: Counts,
    /// Taken from the ring, to be handled when the log is read to its end.
    held: Option<Arc<Frame>>,
    /// Whether the client reads the log now, and up to which event; to its end if none is named.
    log: Option<Option<EventId>>,
    /// Dropped events that are not reported yet.
    missing: u64,
    prices_seen: u64,
    ping: Interval,
    greeting: Option<Bytes>,
}

impl Client {
    pub(crate) fn new(state: ApiState, seat: ClientSlot, types: Types, start: Start) -> Self {
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        let mut client = Self {
            state,
            last: EventId::default(),
            counts: seat.counts,
            seat,
            types,
            held: None,
            log: None,
            missing: 0,
            prices_seen: 0,
            ping,
            greeting: None,
        };
        client.greet(start);
        client
    }

    /// What the client gets next; `None` ends the stream.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting);
        }
        loop {
            let mut chunk = Vec::new();
            if let Some(until) = self.log {
                self.read_log(until, &mut chunk).await?;
            } else if let Some(frame) = self.held.take() {
                self.take(&frame, &mut chunk);
                self.take_ready(&mut chunk);
            } else {
                self.wait(&mut chunk).await?;
            }
            if !chunk.is_empty() {
                return Some(Bytes::from(chunk));
            }
        }
    }

    /// The first thing a client gets: how soon to come back, what its break may have cost it, all prices.
    fn greet(&mut self, start: Start) {
        let mut text = b"retry: 1000\n\n".to_vec();
        if let Start::After(last) = start {
            self.last = last;
            self.log = Some(None);
            let is_gone = last.seq + 1 < self.state.desk.log().first_seq();
            if is_gone || self.types.may_miss() {
                text.extend_from_slice(&self.gap(None));
            }
        }
        if let Some(prices) = &mut self.seat.prices {
            let batch = prices.borrow_and_update();
            self.prices_seen = batch.number;
            text.extend_from_slice(&batch.all);
        }
        self.greeting = Some(Bytes::from(text));
    }

    /// Waits for something to happen and writes it out.
    async fn wait(&mut self, chunk: &mut Vec<u8>) -> Option<()> {
        let wants_events = self.types.has_events();
        tokio::select! {
            biased;
            received = self.seat.events.recv(), if wants_events => match received {
                Ok(frame) => {
                    self.take(&frame, chunk);
                    self.take_ready(chunk);
                }
                Err(RecvError::Lagged(_)) => self.fell_behind(chunk),
                Err(RecvError::Closed) => return None,
            },
            // After ready events, so that `desk_stopping` is sent.
            () = self.state.shutdown.cancelled() => return None,
            batch = next_batch(&mut self.seat.prices) => {
                let batch = batch?;
                let follows = batch.number == self.prices_seen + 1;
                self.prices_seen = batch.number;
                chunk.extend_from_slice(if follows { &batch.changed } else { &batch.all });
            }
            _ = self.ping.tick() => chunk.extend_from_slice(b": ping\n\n"),
        }
        Some(())
    }

    /// Takes what else is in the ring, up to a chunk.
    fn take_ready(&mut self, chunk: &mut Vec<u8>) {
        while chunk.len() < CHUNK {
            match self.seat.events.try_recv() {
                Ok(frame) => self.take(&frame, chunk),
                Err(TryRecvError::Lagged(_)) => return self.fell_behind(chunk),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        self.tell_missing(chunk);
    }

    /// Takes one event of the ring; what the log carried the client past is skipped, and missing if it was not in there.
    fn take(&mut self, frame: &Frame, chunk: &mut Vec<u8>) {
        let between = frame.counts.droppable_since(&self.counts, &self.types);
        let fresh = frame.id > self.last;
        let comes = fresh && self.types.may_drop(frame.event_type);
        self.missing += between - u64::from(comes);
        self.counts = frame.counts;
        if !fresh {
            return;
        }
        self.last = frame.id;
        if self.types.has(frame.event_type) {
            self.tell_missing(chunk);
            chunk.extend_from_slice(&frame.text);
            self.seat.hub.took(frame.taken.elapsed());
        }
    }

    /// The ring overtook the client: missed events are reported, and lossless ones are read from the log, up to the oldest
    /// event that is still in the ring.
    fn fell_behind(&mut self, chunk: &mut Vec<u8>) {
        let frame = loop {
            match self.seat.events.try_recv() {
                Ok(frame) => break frame,
                // Overtaken once more between the two calls.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => {
                    self.log = Some(None);
                    return;
                }
            }
        };
        let before = frame.counts.without(frame.event_type);
        self.missing += before.droppable_since(&self.counts, &self.types);
        self.tell_missing(chunk);
        self.counts = before;
        self.log = Some(Some(frame.id));
        self.held = Some(frame);
    }

    /// Writes out a page of the log; at its end the client goes back to the ring.
    async fn read_log(&mut self, until: Option<EventId>, chunk: &mut Vec<u8>) -> Option<()> {
        let (log, after) = (self.state.desk.log(), self.last);
        let page = tokio::task::spawn_blocking(move || log.read_after(after, LOG_PAGE)).await;
        let page = page
            .map_err(std::io::Error::other)
            .flatten()
            .inspect_err(|error| tracing::warn!(%error, "a stream ends: the log cannot be read"))
            .ok()?;
        let before = |event: &Event| until.is_none_or(|until| event.id < until);
        let names = self.state.names();
        for event in page.iter().take_while(|event| before(event)) {
            self.last = event.id;
            if self.types.must_have(event.kind.event_type()) {
                chunk.extend_from_slice(&message(event, &names));
            }
        }
        let more = page.len() >= LOG_PAGE && page.last().is_some_and(|event| before(event));
        self.log = more.then_some(until);
        Some(())
    }

    /// Says how many events are missing, if any are.
    fn tell_missing(&mut self, chunk: &mut Vec<u8>) {
        if self.missing > 0 {
            chunk.extend_from_slice(&self.gap(Some(self.missing)));
            self.missing = 0;
        }
    }

    fn gap(&self, missing: Option<u64>) -> Bytes {
        gap(missing, self.state.desk.now().into(), self.last)
    }
}

/// The next batch of prices; never resolves if the client requested none.
async fn next_batch(prices: &mut Option<Receiver<Arc<Batch>>>) -> Option<Arc<Batch>> {
    let Some(prices) = prices else {
        return std::future::pending().await;
    };
    prices.changed().await.ok()?;
    Some(Arc::clone(&prices.borrow_and_update()))
}
