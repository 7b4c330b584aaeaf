//! The positive volume index.

use serde::{Deserialize, Serialize};

use crate::{
    MAX_MAGNITUDE, Ohlcv,
    indicator::{Checked, Indicator},
    ratio::divide,
};

/// An index from 1000 that follows the relative changes of the close of those candles whose volume is
/// above that of the candle before. TA-Lib's `PVI`; P. Dysart, N. Fosback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Pvi {
    previous: Option<Ohlcv>,
    index: f64,
}

impl Pvi {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Pvi {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.index = match self.previous.replace(candle) {
            None => START,
            Some(last) if candle.volume > last.volume => {
                let change = divide(candle.close - last.close, last.close);
                (self.index + self.index * change).clamp(-MAX_MAGNITUDE, MAX_MAGNITUDE)
            }
            Some(_) => self.index,
        };
    }

    fn reset(&mut self) {
        self.previous = None;
        self.index = 0.0;
    }

    fn value(&self) -> Option<f64> {
        self.previous.map(|_| self.index)
    }

    fn warm_up(&self) -> usize {
        1
    }
}

/// The first value.
const START: f64 = 1_000.0;
