//! Tillson's T3.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::number,
    smoothing::Cascade,
};

/// A weighted sum of the third to sixth of six exponential averages in a row. `factor` sets how much
/// of the lag is taken back: 0 gives the third average, 1 nearly the triple exponential of a double
/// one. TA-Lib's `T3`; T. Tillson, "Better Moving Averages", Stocks & Commodities 16:1, 1998.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct T3 {
    averages: Cascade,
    factor: f64,
}

impl T3 {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32, factor: f64) -> Result<Self, IndicatorError> {
        let factor = number("factor", factor, 0.0, 1.0)?;
        Ok(Self {
            averages: Cascade::new(6, period)?,
            factor,
        })
    }
}

impl Indicator for T3 {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.averages.update(value);
    }

    fn reset(&mut self) {
        self.averages.reset();
    }

    fn value(&self) -> Option<f64> {
        let v = self.factor;
        let (v2, v3) = (v * v, v * v * v);
        let [_, _, third, fourth, fifth, sixth] = self.averages.values()?;
        let sixth = -v3 * sixth;
        let fifth = 3.0 * (v2 + v3) * fifth;
        let fourth = (-6.0 * v2 - 3.0 * (v + v3)) * fourth;
        let third = (1.0 + 3.0 * v + v3 + 3.0 * v2) * third;
        Some(sixth + fifth + fourth + third)
    }

    fn warm_up(&self) -> usize {
        self.averages.warm_up()
    }
}
