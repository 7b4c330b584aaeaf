//! A sink for what comes over a connection of its own beside that of the quotes.

use std::sync::Arc;

use tradewind_model::{Candle, Depth, FeedHealth, InstrumentId, Quote, Trade};

use crate::protocol::Topic;
use crate::sink::MarketSink;

/// Hands everything on but the health of instruments.
pub(super) struct WithoutHealth(pub(super) Arc<dyn MarketSink>);

impl MarketSink for WithoutHealth {
    fn quote(&self, quote: Quote) {
        self.0.quote(quote);
    }

    fn trade(&self, trade: Trade) {
        self.0.trade(trade);
    }

    fn candle(&self, candle: Candle) {
        self.0.candle(candle);
    }

    fn depth(&self, depth: Box<Depth>) {
        self.0.depth(depth);
    }

    fn health(&self, _instrument: InstrumentId, _health: FeedHealth, _reason: &str) {}

    fn failed(&self, topic: Topic, reason: &str) {
        self.0.failed(topic, reason);
    }
}
