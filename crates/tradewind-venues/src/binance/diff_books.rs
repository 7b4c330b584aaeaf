//! The books of one connection that are kept by their changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use tradewind_model::{InstrumentId, MarketEvent, Timestamp};

use super::codec::BookUpdate;
use super::snapshots::{LEVELS, Snapshots};
use crate::book::keeping::tell;
use crate::book::{DiffBook, Levels, Outcome};
use crate::protocol::{Incoming, Topic};

#[derive(Debug)]
struct Kept {
    book: DiffBook,
    /// It was not whole yet on this connection, or its loss was announced and its recovery was not.
    is_down: bool,
}

/// Books by instrument, and where their snapshots come from.
#[derive(Debug)]
pub(super) struct DiffBooks {
    kept: BTreeMap<InstrumentId, Kept>,
    snapshots: Arc<Snapshots>,
    /// How many snapshots were looked at.
    seen: u64,
}

impl DiffBooks {
    pub(super) fn new(snapshots: Arc<Snapshots>) -> Self {
        let mut seen = 0;
        // Those of before the connection are older than its changes.
        snapshots.newer(&mut seen);
        Self {
            kept: BTreeMap::new(),
            snapshots,
            seen,
        }
    }

    /// Keeps the books among these topics no longer.
    pub(super) fn close_all(&mut self, topics: &[Topic]) {
        for topic in topics {
            if let Topic::Depth(instrument) = topic {
                self.kept.remove(instrument);
            }
        }
    }

    /// Takes in a change. A book begins with its first one.
    pub(super) fn update(
        &mut self,
        update: BookUpdate,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        let instrument = update.instrument;
        let kept = self.kept.entry(instrument).or_insert_with(|| Kept {
            book: DiffBook::new(instrument, LEVELS as usize),
            is_down: true,
        });
        let levels = Levels {
            bids: update.bids,
            asks: update.asks,
        };
        let outcome = kept
            .book
            .update(update.first, update.last, &levels, received_at);
        kept.tell(instrument, outcome, received_at, on);
        if kept.book.asks_for_snapshot(received_at) {
            self.snapshots.want(instrument);
        }
    }

    /// Takes in the snapshots that came meanwhile.
    pub(super) fn take_snapshots(
        &mut self,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        for (instrument, snapshot) in self.snapshots.newer(&mut self.seen) {
            let Some(kept) = self.kept.get_mut(&instrument) else {
                continue;
            };
            let outcome = kept
                .book
                .snapshot(snapshot.last, &snapshot.levels, received_at);
            kept.tell(instrument, outcome, received_at, on);
        }
    }
}

impl Kept {
    fn tell(
        &mut self,
        instrument: InstrumentId,
        outcome: Outcome,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        let book = self.book.book();
        tell(
            (instrument, book),
            &mut self.is_down,
            outcome,
            received_at,
            on,
        );
    }
}
