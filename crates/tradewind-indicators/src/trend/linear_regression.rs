//! The straight line through the last values.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Weighted,
    indicator::{Checked, Indicator, output},
    period::Period,
    window::Window,
};

/// The least-squares line through the last `n` values. TA-Lib's `LINEARREG`, `LINEARREG_SLOPE`,
/// `LINEARREG_INTERCEPT`, `LINEARREG_ANGLE` and `TSF`. The angle's arc tangent is `libm`'s, which is
/// the same bits on every machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearRegression {
    period: Period,
    line: Window<Weighted>,
}

/// The line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RegressionLine {
    /// Its height at the newest value.
    pub value: f64,
    /// Its rise from one value to the next.
    pub slope: f64,
    /// Its height at the oldest value.
    pub intercept: f64,
    /// The slope in degrees, in `-90..=90`.
    pub angle: f64,
    /// Its height one value ahead.
    pub forecast: f64,
}

output!(RegressionLine: value, slope, intercept, angle, forecast);

impl LinearRegression {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::at_least(2, period)?;
        Ok(Self {
            period,
            line: Window::new(period),
        })
    }
}

impl Indicator for LinearRegression {
    type Input = f64;
    type Output = RegressionLine;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.line.push(Weighted::of(value));
    }

    fn reset(&mut self) {
        self.line.reset();
    }

    fn value(&self) -> Option<RegressionLine> {
        let line = self.line.value()?;
        let n = self.period.as_f64();
        let mean = line.sum / n;
        // The places 1 to n have the mean (n + 1) / 2, and n (n^2 - 1) / 12 is the sum of their squared distances from it.
        let slope = (line.weighted - line.sum * ((n + 1.0) / 2.0)) / (n * (n * n - 1.0) / 12.0);
        let intercept = mean - slope * ((n - 1.0) / 2.0);
        Some(RegressionLine {
            value: intercept + slope * (n - 1.0),
            slope,
            intercept,
            angle: libm::atan(slope) * (180.0 / std::f64::consts::PI),
            forecast: intercept + slope * n,
        })
    }

    fn warm_up(&self) -> usize {
        self.period.as_usize()
    }
}
