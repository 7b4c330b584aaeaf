//! The weighted close.

use serde::{Deserialize, Serialize};

use crate::{
    Bar,
    indicator::{Checked, Indicator},
};

/// The mean of high, low and twice the close. TA-Lib's `WCLPRICE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct WeightedClose {
    value: Option<f64>,
}

impl WeightedClose {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for WeightedClose {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.value = Some((bar.high + bar.low + bar.close * 2.0) / 4.0);
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
