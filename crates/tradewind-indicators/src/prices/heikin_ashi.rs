//! Heikin-Ashi candles.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator, output},
};

/// Smoothed candles: the close is the mean of the four prices, the open the middle of the body before
/// (the first one: of its own candle), and high and low include both. TA-Lib's `HA`; D. Valcu, Stocks
/// & Commodities 22:2, 2004.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct HeikinAshi {
    candle: Option<HeikinAshiCandle>,
}

/// A candle, in price units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeikinAshiCandle {
    /// The middle of the body before.
    pub open: f64,
    /// The highest of high, open and close.
    pub high: f64,
    /// The lowest of low, open and close.
    pub low: f64,
    /// The mean of the four prices.
    pub close: f64,
}

output!(HeikinAshiCandle: open, high, low, close);

impl HeikinAshi {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for HeikinAshi {
    type Input = Ohlcv;
    type Output = HeikinAshiCandle;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        let close = (candle.open + candle.high + candle.low + candle.close) / 4.0;
        let open = self
            .candle
            .map_or((candle.open + candle.close) / 2.0, |last| {
                (last.open + last.close) / 2.0
            });
        let (high, low) = (
            candle.high.max(open).max(close),
            candle.low.min(open).min(close),
        );
        self.candle = Some(HeikinAshiCandle {
            open,
            high,
            low,
            close,
        });
    }

    fn reset(&mut self) {
        self.candle = None;
    }

    fn value(&self) -> Option<HeikinAshiCandle> {
        self.candle
    }

    fn warm_up(&self) -> usize {
        1
    }
}
