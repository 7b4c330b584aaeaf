//! The true range.

use serde::{Deserialize, Serialize};

use crate::{
    Bar,
    indicator::{Checked, Indicator},
};

/// The range of a bar, widened to the close before it, in price units, never negative. TA-Lib's
/// `TRANGE`. The first bar has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Trange {
    previous_close: Option<f64>,
    value: Option<f64>,
}

impl Trange {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Trange {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.value = self
            .previous_close
            .replace(bar.close)
            .map(|close| bar.true_range(close));
    }

    fn reset(&mut self) {
        self.previous_close = None;
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        2
    }
}
