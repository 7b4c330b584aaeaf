//! The correlation of two series.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Pair,
    folds::CoMoments,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    window::Window,
};

/// Pearson's coefficient of the last `n` pairs, in `-1..=1`. TA-Lib's `CORREL`. 0 if one of the
/// series did not move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    moments: Window<CoMoments>,
}

impl Correlation {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            moments: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Correlation {
    type Input = Pair;
    type Output = f64;

    fn accept(&mut self, input: Checked<Pair>) {
        let pair = input.get();
        self.moments.push(CoMoments::of(pair.x, pair.y));
    }

    fn reset(&mut self) {
        self.moments.reset();
    }

    fn value(&self) -> Option<f64> {
        let moments = self.moments.value()?;
        let scale = moments.x.squares.sqrt() * moments.y.squares.sqrt();
        Some(divide(moments.products, scale).clamp(-1.0, 1.0))
    }

    fn warm_up(&self) -> usize {
        self.moments.period()
    }
}
