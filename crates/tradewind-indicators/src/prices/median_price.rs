//! The median price.

use serde::{Deserialize, Serialize};

use crate::{
    Bar,
    indicator::{Checked, Indicator},
};

/// The mean of high and low. TA-Lib's `MEDPRICE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct MedianPrice {
    value: Option<f64>,
}

impl MedianPrice {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for MedianPrice {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.value = Some(bar.middle());
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
