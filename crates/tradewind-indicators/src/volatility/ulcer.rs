//! The ulcer index.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Maximum,
    indicator::{Checked, Indicator},
    mean::Mean,
    period::Period,
    ratio::divide,
    window::Window,
};

/// The root of the mean squared drawdown, in percent, each from the highest of the last `n` values,
/// over `n` values. P. Martin and B. McCann, "The Investor's Guide to Fidelity Funds", 1989;
/// customary is 14.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ulcer {
    highest: Window<Maximum>,
    squares: Mean,
}

impl Ulcer {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::new(period)?;
        Ok(Self {
            highest: Window::new(period),
            squares: Mean::new(period),
        })
    }
}

impl Indicator for Ulcer {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        if let Some(Maximum(highest)) = self.highest.push(Maximum(value)) {
            let drawdown = 100.0 * divide(value - highest, highest);
            self.squares.push(drawdown * drawdown);
        }
    }

    fn reset(&mut self) {
        self.highest.reset();
        self.squares.reset();
    }

    fn value(&self) -> Option<f64> {
        self.squares.value().map(f64::sqrt)
    }

    fn warm_up(&self) -> usize {
        2 * self.squares.period() - 1
    }
}
