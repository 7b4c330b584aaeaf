//! On-balance volume.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
};

/// The running sum of volumes, added when the close rose and taken away when it fell. TA-Lib's `OBV`;
/// J. Granville, 1963. It begins with the first volume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Obv {
    previous: Option<f64>,
    sum: f64,
}

impl Obv {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Obv {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        match self.previous.replace(candle.close) {
            None => self.sum = candle.volume,
            Some(previous) if candle.close > previous => self.sum += candle.volume,
            Some(previous) if candle.close < previous => self.sum -= candle.volume,
            Some(_) => {}
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
