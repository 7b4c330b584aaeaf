//! The balance of power.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    ratio::divide,
};

/// The body of a candle as a share of its range, in `-1..=1`. TA-Lib's `BOP`; I. Livshin, 2001. 0 if
/// the range is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Bop {
    value: Option<f64>,
}

impl Bop {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Bop {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.value = Some(divide(candle.close - candle.open, candle.high - candle.low));
    }

    fn reset(&mut self) {
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        1
    }
}
