//! The typical price.

use serde::{Deserialize, Serialize};

use crate::{
    Bar,
    indicator::{Checked, Indicator},
};

/// The mean of high, low and close. TA-Lib's `TYPPRICE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct TypicalPrice {
    value: Option<f64>,
}

impl TypicalPrice {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for TypicalPrice {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.value = Some(bar.typical());
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
