//! The mean absolute deviation.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    ring::Ring,
};

/// The mean distance of the last `n` values from their mean. TA-Lib's `AVGDEV`. An update costs a
/// pass over the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Avgdev {
    period: Period,
    values: Ring<f64>,
    value: Option<f64>,
}

impl Avgdev {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::new(period)?;
        Ok(Self {
            period,
            values: Ring::new(period.as_usize()),
            value: None,
        })
    }
}

impl Indicator for Avgdev {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.values.push(value);
        if self.values.is_full() {
            let n = self.period.as_f64();
            let mean = self.values.items().sum::<f64>() / n;
            self.value = Some(
                self.values
                    .items()
                    .map(|value| (value - mean).abs())
                    .sum::<f64>()
                    / n,
            );
        }
    }

    fn reset(&mut self) {
        self.values.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.values.size()
    }
}
