//! Prices for the stream: the newest of each instrument, written out together every 100 ms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use tradewind_events::{Event, EventKind};
use tradewind_model::InstrumentId;

use super::frame::message;
use crate::wire::Names;

/// What changed within 100 ms, and all there is for a client that missed a batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// Counts batches.
    pub(crate) number: u64,
    /// Messages of the instruments that changed since the batch before.
    pub(crate) changed: Bytes,
    /// Messages of all instruments that ever had a price.
    pub(crate) all: Bytes,
}

/// The newest price of each instrument.
#[derive(Debug, Default)]
pub(crate) struct Prices {
    newest: BTreeMap<InstrumentId, Arc<Event>>,
    texts: BTreeMap<InstrumentId, Bytes>,
    changed: BTreeSet<InstrumentId>,
    number: u64,
}

impl Prices {
    /// Takes a price; one that was not handed out yet is superseded.
    pub(crate) fn put(&mut self, event: Arc<Event>) {
        if let EventKind::PriceUpdate(quote) = &event.kind {
            let _ = self.changed.insert(quote.instrument);
            let _ = self.newest.insert(quote.instrument, event);
        }
    }

    /// Whether something is to be handed out.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.changed.is_empty()
    }

    /// What is to be handed out now.
    pub(crate) fn flush(&mut self, names: &Names) -> Batch {
        let mut changed = Vec::new();
        for id in std::mem::take(&mut self.changed) {
            if let Some(event) = self.newest.get(&id) {
                let text = message(event, names);
                changed.extend_from_slice(&text);
                let _ = self.texts.insert(id, text);
            }
        }
        let mut all = Vec::new();
        for text in self.texts.values() {
            all.extend_from_slice(text);
        }
        self.number += 1;
        Batch {
            number: self.number,
            changed: changed.into(),
            all: all.into(),
        }
    }
}
