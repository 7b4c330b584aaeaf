//! Snapshots of books, which are read by request while the changes come over a stream.
//!
//! Connections say which they need; one reader requests them, one after another and within the venue's request weight. An answer
//! is there for every connection, since it says up to which update it goes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tradewind_model::InstrumentId;

use super::codec::decode_book_snapshot;
use super::requests::Params;
use super::rest::{Call, Security, lock};
use super::venue::{BinanceVenue, known};
use crate::book::Levels;
use crate::budget::Priority;
use crate::error::VenueError;
use crate::wire::http::Method;

/// Levels a side that are requested.
pub(super) const LEVELS: u32 = 1_000;
/// What that weighs.
const WEIGHT: u64 = 50;

/// A book as it was after an update.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) last: u64,
    pub(super) levels: Levels,
}

/// Which snapshots are needed, and the newest of each book.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    state: Mutex<State>,
    /// How many answers there were.
    answers: AtomicU64,
    wanted: Notify,
}

#[derive(Debug, Default)]
struct State {
    wanted: VecDeque<InstrumentId>,
    newest: BTreeMap<InstrumentId, (u64, Arc<Snapshot>)>,
}

impl Snapshots {
    /// A connection needs one.
    pub(super) fn want(&self, instrument: InstrumentId) {
        let wanted = &mut lock(&self.state).wanted;
        if !wanted.contains(&instrument) {
            wanted.push_back(instrument);
            self.wanted.notify_one();
        }
    }

    /// Those that came after the first `seen`, if there are any; `seen` moves on.
    pub(super) fn newer(&self, seen: &mut u64) -> Vec<(InstrumentId, Arc<Snapshot>)> {
        let answers = self.answers.load(Ordering::Acquire);
        let before = std::mem::replace(seen, answers);
        if answers == before {
            return Vec::new();
        }
        let state = lock(&self.state);
        let newer = state
            .newest
            .iter()
            .filter(|(_, (number, _))| *number > before);
        newer
            .map(|(instrument, (_, snapshot))| (*instrument, Arc::clone(snapshot)))
            .collect()
    }

    fn next(&self) -> Option<InstrumentId> {
        lock(&self.state).wanted.pop_front()
    }

    pub(super) fn answer(&self, instrument: InstrumentId, snapshot: Snapshot) {
        let mut state = lock(&self.state);
        let number = self.answers.load(Ordering::Acquire) + 1;
        state
            .newest
            .insert(instrument, (number, Arc::new(snapshot)));
        self.answers.store(number, Ordering::Release);
    }
}

impl BinanceVenue {
    /// Reads the snapshots that connections need, until `stop`. One that cannot be read is wanted again by its book, ever more
    /// slowly.
    pub(super) async fn read_snapshots(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.snapshots.wanted.notified() => {}
            }
            while let Some(instrument) = self.snapshots.next() {
                let read = tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    read = self.snapshot(instrument) => read,
                };
                match read {
                    Ok(snapshot) => self.snapshots.answer(instrument, snapshot),
                    Err(error) => {
                        tracing::warn!(instrument = instrument.0, %error, "Snapshot of a book not read");
                    }
                }
            }
        }
    }

    async fn snapshot(&self, instrument: InstrumentId) -> Result<Snapshot, VenueError> {
        let symbols = self.symbols();
        let (symbol, rules) = known(&symbols, instrument)?;
        let call = Call {
            method: Method::Get,
            path: "/api/v3/depth".into(),
            params: Params::of("symbol", symbol).with_number("limit", LEVELS),
            security: Security::Public,
            priority: Priority::Data,
            weight: WEIGHT,
        };
        let body = self.rest.read(&call).await?;
        let mut levels = Levels::default();
        let last = decode_book_snapshot(&body, rules, &mut levels)
            .map_err(|_| VenueError::unreadable("book", "not a snapshot"))?;
        Ok(Snapshot { last, levels })
    }
}
