//! Books written down on their way: those that the exchange sends whole, and those that the desk's engine is given.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tradewind_model::{Candle, Depth, InstrumentId, Level, Quote, Trade};
use tradewind_venues::{HealthChange, MarketSink, Topic};

pub(crate) type Book = (InstrumentId, Vec<Level>, Vec<Level>);
/// Books, and whether each is the first after its loss: that one is of the moment of its snapshot.
type Seen = Arc<Mutex<Vec<(Book, bool)>>>;

/// Books as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct BooksSeen {
    /// Whole from the exchange.
    pub(crate) sent: Seen,
    /// To the desk's engine.
    pub(crate) shown: Seen,
    /// Why an instrument's data became better or worse.
    pub(crate) reasons: Arc<Mutex<Vec<String>>>,
}

/// Writes books down, and hands everything on where there is somebody.
pub(crate) struct Watched {
    seen: Seen,
    reasons: Arc<Mutex<Vec<String>>>,
    /// Whose books have just become whole.
    whole: Mutex<BTreeSet<InstrumentId>>,
    sink: Option<Arc<dyn MarketSink>>,
}

impl Watched {
    /// Of the exchange's whole books.
    pub(crate) fn sent(books: &BooksSeen) -> Self {
        Self {
            seen: Arc::clone(&books.sent),
            reasons: Arc::default(),
            whole: Mutex::default(),
            sink: None,
        }
    }

    /// Of what is for the engine.
    pub(crate) fn shown(books: &BooksSeen, sink: Arc<dyn MarketSink>) -> Self {
        Self {
            seen: Arc::clone(&books.shown),
            reasons: Arc::clone(&books.reasons),
            whole: Mutex::default(),
            sink: Some(sink),
        }
    }

    fn to(&self, hand_on: impl FnOnce(&dyn MarketSink)) {
        if let Some(sink) = &self.sink {
            hand_on(&**sink);
        }
    }
}

impl MarketSink for Watched {
    fn quote(&self, quote: Quote) {
        self.to(|sink| sink.quote(quote));
    }

    fn trade(&self, trade: Trade) {
        self.to(|sink| sink.trade(trade));
    }

    fn candle(&self, candle: Candle) {
        self.to(|sink| sink.candle(candle));
    }

    fn depth(&self, depth: Box<Depth>) {
        let book = (depth.instrument, depth.bids.clone(), depth.asks.clone());
        let is_first = self.whole.lock().unwrap().remove(&depth.instrument);
        self.seen.lock().unwrap().push((book, is_first));
        self.to(|sink| sink.depth(depth));
    }

    fn health(&self, change: &HealthChange) {
        if change.reason == "whole again" {
            self.whole.lock().unwrap().insert(change.instrument);
        }
        self.reasons.lock().unwrap().push(change.reason.clone());
        self.to(|sink| sink.health(change));
    }

    fn failed(&self, topic: Topic, reason: &str) {
        self.to(|sink| sink.failed(topic, reason));
    }
}
