//! The average directional index.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    trend::directional::Movement,
};

/// Wilder's average of the directional index over `n` bars, in `0..=100`: above 25 a market counts as
/// trending. TA-Lib's `ADX`; J. W. Wilder, "New Concepts in Technical Trading Systems", 1978. A bar
/// without any movement leaves it as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adx {
    movement: Movement,
    seen: u32,
    state: f64,
    average: Option<f64>,
}

impl Adx {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            movement: Movement::new(Period::at_least(2, period)?),
            seen: 0,
            state: 0.0,
            average: None,
        })
    }
}

impl Indicator for Adx {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.movement.update(bar);
        let Some([plus, minus]) = self.movement.indicators() else {
            return;
        };
        let sum = plus + minus;
        let index = (sum > 0.0).then(|| 100.0 * ((plus - minus).abs() / sum));
        let n = self.movement.length();
        if let Some(average) = self.average {
            self.average = Some(index.map_or(average, |index| (average * (n - 1.0) + index) / n));
        } else {
            self.state += index.unwrap_or(0.0);
            self.seen += 1;
            self.average = (f64::from(self.seen) >= n).then(|| self.state / n);
        }
    }

    fn reset(&mut self) {
        self.movement.reset();
        self.seen = 0;
        self.state = 0.0;
        self.average = None;
    }

    fn value(&self) -> Option<f64> {
        self.average
    }

    fn warm_up(&self) -> usize {
        2 * self.movement.period()
    }
}
