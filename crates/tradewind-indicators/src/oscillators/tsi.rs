//! The true strength index.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    ratio::divide,
    smoothing::Smoothing,
};

/// The change of the value, smoothed by two exponential averages in a row, as a share of its
/// magnitude smoothed alike, in `-100..=100`. TA-Lib's `TSI`; W. Blau, 1991. 0 if nothing moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tsi {
    previous: Option<f64>,
    first: [Smoothing; 2],
    second: [Smoothing; 2],
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TsiParameters {
    /// Values of the first average.
    pub first: u32,
    /// Values of the second average.
    pub second: u32,
}

impl Default for TsiParameters {
    fn default() -> Self {
        Self {
            first: 25,
            second: 13,
        }
    }
}

impl Tsi {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(parameters: TsiParameters) -> Result<Self, IndicatorError> {
        let TsiParameters { first, second } = parameters;
        let pair = |period| {
            Ok([
                Smoothing::exponential(period)?,
                Smoothing::exponential(period)?,
            ])
        };
        let (first, second) = (pair(first)?, pair(second)?);
        Ok(Self {
            previous: None,
            first,
            second,
        })
    }
}

impl Indicator for Tsi {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let Some(previous) = self.previous.replace(value) else {
            return;
        };
        let change = value - previous;
        for (item, (first, second)) in [change, change.abs()]
            .into_iter()
            .zip(self.first.iter_mut().zip(&mut self.second))
        {
            if let Some(smoothed) = first.update(item) {
                second.update(smoothed);
            }
        }
    }

    fn reset(&mut self) {
        self.previous = None;
        self.first
            .iter_mut()
            .chain(&mut self.second)
            .for_each(Smoothing::reset);
    }

    fn value(&self) -> Option<f64> {
        let [change, magnitude] = self.second.each_ref().map(Smoothing::value);
        Some(100.0 * divide(change?, magnitude?))
    }

    fn warm_up(&self) -> usize {
        self.first[0].period().as_usize() + self.second[0].period().as_usize()
    }
}
