//! The zero-lag exponential moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    ring::Ring,
    smoothing::Smoothing,
};

/// The exponential average of `2 * x - x_lag`, with a lag of `(n - 1) / 2` values rounded down.
/// TA-Lib's `ZLEMA`; J. Ehlers and R. Way, "Zero Lag (Well, Almost)", 2010.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Zlema {
    older: Option<Ring<f64>>,
    average: Smoothing,
    lag: usize,
}

impl Zlema {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let average = Smoothing::exponential(period)?;
        let lag = (average.period().as_usize() - 1) / 2;
        let older = (lag > 0).then(|| Ring::new(lag));

        Ok(Self {
            older,
            average,
            lag,
        })
    }
}

impl Indicator for Zlema {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let older = match &mut self.older {
            Some(older) => older.push(value),
            None => Some(value),
        };
        if let Some(older) = older {
            self.average.update(2.0 * value - older);
        }
    }

    fn reset(&mut self) {
        if let Some(older) = &mut self.older {
            older.reset();
        }
        self.average.reset();
    }

    fn value(&self) -> Option<f64> {
        self.average.value()
    }

    fn warm_up(&self) -> usize {
        self.average.period().as_usize() + self.lag
    }
}
