//! The volume-weighted average price of a session.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    ratio::divide,
};

/// The mean of typical prices since the session began, each weighted by its volume. TA-Lib's `VWAP`.
/// **A session begins with [`reset`](Indicator::reset)**: call it before the first candle of a day to
/// have the price of the day. While nothing was traded it is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Vwap {
    traded: f64,
    volume: f64,
    is_warm: bool,
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
        self.is_warm = true;
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn value(&self) -> Option<f64> {
        self.is_warm.then(|| divide(self.traded, self.volume))
    }

    fn warm_up(&self) -> usize {
        1
    }
}
