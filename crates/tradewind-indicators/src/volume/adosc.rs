//! Chaikin's oscillator.

use serde::{Deserialize, Serialize};

use crate::{
    Ad, IndicatorError, Ohlcv,
    indicator::{Checked, Indicator},
    period::{Period, in_order},
};

/// A fast exponential average of the accumulation and distribution line minus a slow one, both
/// started at its first value. TA-Lib's `ADOSC`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adosc {
    periods: [Period; 2],
    line: Ad,
    averages: [f64; 2],
    seen: u32,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoscParameters {
    /// Observations of the fast average; below `slow`.
    pub fast: u32,
    /// Observations of the slow average.
    pub slow: u32,
}

impl Default for AdoscParameters {
    fn default() -> Self {
        Self { fast: 3, slow: 10 }
    }
}

impl Adosc {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`] or [`IndicatorError::FastNotBelowSlow`].
    pub fn new(parameters: AdoscParameters) -> Result<Self, IndicatorError> {
        let AdoscParameters { fast, slow } = parameters;
        let periods = [Period::at_least(2, fast)?, Period::at_least(2, slow)?];
        in_order(fast, slow)?;
        Ok(Self {
            periods,
            line: Ad::new(),
            averages: [0.0; 2],
            seen: 0,
        })
    }
}

impl Indicator for Adosc {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        self.line.accept(input);
        let Some(line) = self.line.value() else {
            return;
        };
        for (average, period) in self.averages.iter_mut().zip(self.periods) {
            let weight = 2.0 / (period.as_f64() + 1.0);
            *average = if self.seen == 0 {
                line
            } else {
                weight * line + (1.0 - weight) * *average
            };
        }
        self.seen = (self.seen + 1).min(self.periods[1].count());
    }

    fn reset(&mut self) {
        self.line.reset();
        self.averages = [0.0; 2];
        self.seen = 0;
    }

    fn value(&self) -> Option<f64> {
        let [fast, slow] = self.averages;
        (self.seen >= self.periods[1].count()).then_some(fast - slow)
    }

    fn warm_up(&self) -> usize {
        self.periods[1].as_usize()
    }
}
