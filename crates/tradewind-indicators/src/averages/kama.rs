//! Kaufman's adaptive moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Sum,
    indicator::{Checked, Indicator},
    period::Period,
    ring::Ring,
    window::Window,
};

/// An exponential average that is fast (as of 2) in a straight market and slow (as of 30) in a noisy
/// one. The efficiency `e` is the change over `n` values by the sum of the single changes, and the
/// weight of a new value `(e * (2/3 - 2/31) + 2/31)^2`. TA-Lib's `KAMA`; P. Kaufman, "Trading Systems
/// and Methods", 1995.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kama {
    prices: Ring<f64>,
    changes: Window<Sum>,
    previous: Option<f64>,
    average: Option<f64>,
}

impl Kama {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::at_least(2, period)?;

        Ok(Self {
            prices: Ring::new(period.as_usize()),
            changes: Window::new(period),
            previous: None,
            average: None,
        })
    }
}

impl Indicator for Kama {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let oldest = self.prices.push(value);
        let Some(previous) = self.previous.replace(value) else {
            return;
        };
        let path = self.changes.push(Sum((value - previous).abs()));
        if let (Some(oldest), Some(Sum(path))) = (oldest, path) {
            let change = value - oldest;
            let efficiency = if path <= change || path == 0.0 {
                1.0
            } else {
                (change / path).abs()
            };
            let weight = efficiency * (FASTEST - SLOWEST) + SLOWEST;
            let average = self.average.unwrap_or(previous);
            self.average = Some((value - average) * (weight * weight) + average);
        }
    }

    fn reset(&mut self) {
        self.prices.reset();
        self.changes.reset();
        self.previous = None;
        self.average = None;
    }

    fn value(&self) -> Option<f64> {
        self.average
    }

    fn warm_up(&self) -> usize {
        self.prices.size() + 1
    }
}

/// The weight of a new value in averages of 2 and of 30.
const FASTEST: f64 = 2.0 / 3.0;
const SLOWEST: f64 = 2.0 / 31.0;
