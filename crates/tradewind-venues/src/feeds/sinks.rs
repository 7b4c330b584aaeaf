//! What a feed's sources hand on, and what is noted of it on the way.

use std::sync::Arc;

use tokio::sync::Notify;
use tradewind_model::{Candle, Depth, FeedHealth, Quote, Trade};

use super::refills::Refills;
use crate::health::HealthChange;
use crate::protocol::Topic;
use crate::sink::MarketSink;

/// Whether what comes over a connection says how its instruments are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    /// It does.
    OfHealth,
    /// Another connection does: this one brings what comes seldom.
    OfDataOnly,
}

/// Hands everything on, candles in order and without holes.
pub(super) struct FeedSink {
    pub(super) sink: Arc<dyn MarketSink>,
    pub(super) venue: String,
    pub(super) refills: Arc<Refills>,
    /// Notified when data shows that an instrument's rules may be others.
    pub(super) doubts: Arc<Notify>,
    pub(super) speaks: Speaks,
}

impl MarketSink for FeedSink {
    fn quote(&self, quote: Quote) {
        self.sink.quote(quote);
    }

    fn trade(&self, trade: Trade) {
        self.sink.trade(trade);
    }

    fn candle(&self, candle: Candle) {
        self.refills
            .take(candle, |next| next.to(&*self.sink, &self.venue));
    }

    fn depth(&self, depth: Box<Depth>) {
        self.sink.depth(depth);
    }

    fn health(&self, change: &HealthChange) {
        if matches!(change.health, FeedHealth::Gap | FeedHealth::Resync) {
            self.refills.broken(change.instrument);
        }
        if self.speaks == Speaks::OfHealth {
            self.sink.health(change);
        }
    }

    fn failed(&self, topic: Topic, reason: &str) {
        self.sink.failed(topic, reason);
    }

    fn off_grid(&self) {
        self.doubts.notify_one();
    }
}
