//! The market queue: trades, closed candles and feed health in the order in which they came.

use std::collections::VecDeque;

use tradewind_events::Input;

use super::stats::{Counters, QueueStats};

/// Trades and candles that may wait.
pub const MARKET_MAX: usize = 65_536;
/// Room behind them for feed health alone: an instrument must not look live, or stale, for ever.
pub const HEALTH_MAX: usize = 4_096;

/// One order for all, so that a candle never overtakes the trades before it and a gap stands where it was.
///
/// A full queue drops the newest trade or candle and counts it. The engine learns the count, marks the candles that it
/// builds as incomplete and has missing ones read from the venue.
#[derive(Debug, Default)]
pub(super) struct MarketQueue {
    inputs: VecDeque<Input>,
    /// Lost since the last time inputs were taken out.
    lost: u64,
    counters: Counters,
}

impl MarketQueue {
    /// Puts in a trade, a candle, a change of feed health or missing candles; false if it was dropped.
    pub(super) fn push(&mut self, input: Input) -> bool {
        let room = match input {
            Input::Health { .. } | Input::CandlesMissing { .. } => MARKET_MAX + HEALTH_MAX,
            _ => MARKET_MAX,
        };
        if self.inputs.len() >= room {
            self.lost += 1;
            self.counters.dropped();
            return false;
        }
        self.inputs.push_back(input);
        self.counters.published(self.inputs.len());
        true
    }

    /// Takes everything out and returns how many were lost. `into` must be empty; its buffer is used again.
    pub(super) fn take(&mut self, into: &mut VecDeque<Input>) -> u64 {
        std::mem::swap(&mut self.inputs, into);
        std::mem::take(&mut self.lost)
    }

    pub(super) fn stats(&self) -> QueueStats {
        let capacity = MARKET_MAX + HEALTH_MAX;
        self.counters
            .stats("lane.trades", "drop", self.inputs.len(), capacity)
    }
}
