//! The volume-weighted average price of a session.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    ratio::divide,
};

/// The mean of typical prices since the session began, each weighted by its volume. TA-Lib's `VWAP`.
/// **A session begins with [`reset`](Indicator::reset)**: call it before the first candle of a day to
/// have the price of the day. While nothing was traded there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Vwap {
    traded: f64,
    volume: f64,
}

impl Vwap {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Vwap {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.traded += candle.bar().typical() * candle.volume;
        self.volume += candle.volume;
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn value(&self) -> Option<f64> {
        (self.volume != 0.0).then(|| divide(self.traded, self.volume))
    }

    fn warm_up(&self) -> usize {
        1
    }
}
