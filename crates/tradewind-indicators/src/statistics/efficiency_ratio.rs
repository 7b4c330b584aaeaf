//! Kaufman's efficiency ratio.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Sum,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    ring::Ring,
    window::Window,
};

/// The change over `n` values by the sum of the single changes, both without their sign, in `0..=1`:
/// 1 is a straight line. TA-Lib's `ER`; P. Kaufman, "Trading Systems and Methods", 1995. 0 if nothing
/// moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EfficiencyRatio {
    prices: Ring<f64>,
    changes: Window<Sum>,
    previous: Option<f64>,
    value: Option<f64>,
}

impl EfficiencyRatio {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::new(period)?;
        Ok(Self {
            prices: Ring::new(period.as_usize()),
            changes: Window::new(period),
            previous: None,
            value: None,
        })
    }
}

impl Indicator for EfficiencyRatio {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let oldest = self.prices.push(value);
        let Some(previous) = self.previous.replace(value) else {
            return;
        };
        let path = self.changes.push(Sum((value - previous).abs()));
        self.value = oldest
            .zip(path)
            .map(|(oldest, Sum(path))| divide((value - oldest).abs(), path));
    }

    fn reset(&mut self) {
        self.prices.reset();
        self.changes.reset();
        self.previous = None;
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.prices.size() + 1
    }
}
