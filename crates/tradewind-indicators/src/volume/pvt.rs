//! The price and volume trend.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    ratio::divide,
};

/// The running sum of volume times the relative change of the close, from 0. TA-Lib's `PVT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Pvt {
    previous: Option<f64>,
    sum: f64,
}

impl Pvt {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Pvt {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        if let Some(previous) = self.previous.replace(candle.close) {
            self.sum += divide(candle.close - previous, previous) * candle.volume;
        }
    }

    fn reset(&mut self) {
        self.previous = None;
        self.sum = 0.0;
    }

    fn value(&self) -> Option<f64> {
        self.previous.map(|_| self.sum)
    }

    fn warm_up(&self) -> usize {
        1
    }
}
