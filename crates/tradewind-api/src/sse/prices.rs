//! Prices for the stream: the newest of each instrument, written out together every 100 ms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use tradewind_bus::{Class, Received, Subscription, SubscriptionOptions, TypeSet};
use tradewind_events::{Event, EventKind, EventType};
use tradewind_model::{EventId, InstrumentId};

use super::frame::message;
use crate::desk::Desk;
use crate::wire::Names;

/// What changed within 100 ms, and all there is for a client that missed a batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// Counts batches.
    pub(crate) number: u64,
    /// Messages of the instruments that changed since the batch before.
    pub(crate) changed: Bytes,
    /// Messages of all instruments that have a price.
    pub(crate) all: Bytes,
}

/// The newest price of each instrument, while a client requests them.
#[derive(Debug, Default)]
pub(crate) struct Prices {
    subscription: Option<Subscription>,
    newest: BTreeMap<InstrumentId, Arc<Event>>,
    texts: BTreeMap<InstrumentId, Bytes>,
    changed: BTreeSet<InstrumentId>,
    batch: Batch,
}

impl Prices {
    /// Subscribes and reads the current prices, so that a quiet instrument has a price, too.
    pub(crate) async fn begin(&mut self, desk: &dyn Desk) {
        let types = TypeSet::from_iter([EventType::PriceUpdate]);
        let options = SubscriptionOptions::new("api.prices", Class::Latest, types);
        self.subscription = Some(desk.subscribe(options));
        let Ok(view) = desk.view().await else {
            return;
        };
        for quote in view.feeds.iter().filter_map(|feed| feed.quote) {
            self.put(Arc::new(Event {
                // Not an event of the log: what the view had after that input.
                id: EventId {
                    seq: view.seq,
                    index: 0,
                },
                at: view.at,
                cause: None,
                kind: EventKind::PriceUpdate(quote),
            }));
        }
    }

    /// Ends the subscription and clears all prices; returns whether there was one.
    pub(crate) fn end(&mut self) -> bool {
        let was_live = self.subscription.take().is_some();
        if was_live {
            let number = self.batch.number + 1;
            *self = Self::default();
            self.batch.number = number;
        }
        was_live
    }

    pub(crate) const fn is_live(&self) -> bool {
        self.subscription.is_some()
    }

    /// Waits for a price and takes it; for ever while there is no subscription.
    pub(crate) async fn receive(&mut self) {
        let Some(subscription) = &mut self.subscription else {
            return std::future::pending().await;
        };
        match subscription.recv().await {
            Some(Received::Event(event)) => self.put(event),
            Some(Received::Gap { .. }) => {}
            // The bus is closed: the hub learns of it by its other subscription.
            None => std::future::pending().await,
        }
    }

    /// Writes out what changed since the last time; whether something did.
    pub(crate) fn flush(&mut self, names: &Names) -> bool {
        let mut changed = Vec::new();
        for id in std::mem::take(&mut self.changed) {
            if let Some(event) = self.newest.get(&id) {
                let text = message(event, names);
                changed.extend_from_slice(&text);
                let _ = self.texts.insert(id, text);
            }
        }
        if changed.is_empty() {
            return false;
        }
        let mut all = Vec::new();
        for text in self.texts.values() {
            all.extend_from_slice(text);
        }
        self.batch = Batch {
            number: self.batch.number + 1,
            changed: changed.into(),
            all: all.into(),
        };
        true
    }

    /// What was written out last.
    pub(crate) fn batch(&self) -> Batch {
        self.batch.clone()
    }

    /// Takes a price; one that was not handed out yet is superseded.
    fn put(&mut self, event: Arc<Event>) {
        if let EventKind::PriceUpdate(quote) = &event.kind {
            let _ = self.changed.insert(quote.instrument);
            let _ = self.newest.insert(quote.instrument, event);
        }
    }
}
