//! Filters the candles of one interval: each once, in order, and no decision before the warm-up is complete.

use serde::{Deserialize, Serialize};
use tradewind_model::{Candle, Decision, Interval, Reason, Timestamp};

use super::hold;
use crate::strategy::{StrategyError, WarmUp};

/// What a strategy answers to a candle it has seen before, which a refill after a gap may bring.
pub(super) const SEEN_BEFORE: Decision = hold(Reason::plain("candle seen before"));

/// Exponential averages reduce the weight of their first value to 0.03 % in this many periods of `2 / (n + 1)`.
const EXPONENTIAL_PERIODS: u32 = 4;
/// The same for `1 / n`, whose weights fall half as fast.
const WILDER_PERIODS: u32 = 8;

/// Candles until an exponential average no longer depends on where its history began.
pub(super) const fn settled_exponential(period: u32) -> u32 {
    period * EXPONENTIAL_PERIODS
}

/// Candles until a Wilder average (RSI, ATR) no longer depends on where its history began.
pub(super) const fn settled_wilder(period: u32) -> u32 {
    period * WILDER_PERIODS
}

/// Candles of one instrument and interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CandleFeed {
    interval: Interval,
    /// How many must have come before one is decided on.
    needed: u32,
    seen: u32,
    last: Option<Timestamp>,
}

impl CandleFeed {
    pub(super) const fn new(warm_up: WarmUp) -> Self {
        Self {
            interval: warm_up.interval,
            needed: warm_up.candles,
            seen: 0,
            last: None,
        }
    }

    /// Whether `candle` is of this interval.
    pub(super) fn reads(&self, candle: &Candle) -> bool {
        candle.interval == self.interval
    }

    /// Whether `candle` is news; one that is not newer than the last is not.
    ///
    /// # Errors
    /// A candle of another interval, or one whose prices contradict each other; nothing has changed then.
    pub(super) fn accept(&mut self, candle: &Candle) -> Result<bool, StrategyError> {
        if !self.reads(candle) {
            return Err(StrategyError::Unsupported("candles of this interval"));
        }
        if !candle.is_sound() {
            return Err(StrategyError::MalformedCandle {
                interval: candle.interval,
                open_time: candle.open_time,
            });
        }
        if self.last.is_some_and(|last| candle.open_time <= last) {
            return Ok(false);
        }
        self.last = Some(candle.open_time);
        self.seen = self.seen.saturating_add(1);
        Ok(true)
    }

    /// Whether the last candle may be decided on.
    pub(super) const fn is_warm(&self) -> bool {
        self.seen > self.needed
    }

    /// Whether the warm-up is over, so that what was learnt from these candles may be used elsewhere.
    pub(super) const fn has_warmed_up(&self) -> bool {
        self.seen >= self.needed
    }

    /// What to answer while it may not.
    pub(super) fn warming_up(&self) -> Decision {
        let (seen, needed) = (f64::from(self.seen), f64::from(self.needed));
        hold(Reason::Numbers(
            "warming up: {} of {} candles",
            [seen, needed, 0.0],
        ))
    }
}
