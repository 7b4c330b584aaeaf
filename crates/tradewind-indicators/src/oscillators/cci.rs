//! The commodity channel index.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    ring::Ring,
};

/// How far the typical price is from its mean over `n` bars, in units of 0.015 mean absolute
/// deviations. TA-Lib's `CCI`; D. Lambert, 1980. 0 in a flat market. An update costs a pass over the
/// window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cci {
    period: Period,
    prices: Ring<f64>,
    value: Option<f64>,
}

impl Cci {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::at_least(2, period)?;
        Ok(Self {
            period,
            prices: Ring::new(period.as_usize()),
            value: None,
        })
    }
}

impl Indicator for Cci {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        let typical = bar.typical();
        self.prices.push(typical);
        if self.prices.is_full() {
            let n = self.period.as_f64();
            let mean = self.prices.items().sum::<f64>() / n;
            let deviation = self
                .prices
                .items()
                .map(|price| (price - mean).abs())
                .sum::<f64>()
                / n;
            self.value = Some(divide(typical - mean, 0.015 * deviation));
        }
    }

    fn reset(&mut self) {
        self.prices.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.prices.size()
    }
}
