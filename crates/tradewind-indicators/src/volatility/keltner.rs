//! Keltner channels.

use serde::{Deserialize, Serialize};

use crate::{
    Atr, Bands, Bar, IndicatorError,
    indicator::{Checked, Indicator},
    period::number,
    smoothing::{Delayed, Smoothing},
};

/// An exponential average of typical prices with a band `multiplier` average true ranges to either
/// side. TA-Lib's `KC`; C. Keltner, 1960, as changed by L. Raschke. The one of the two averages that
/// needs fewer bars is seeded late, so that both begin together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keltner {
    multiplier: f64,
    middle: Delayed,
    delay: u32,
    waiting: u32,
    atr: Atr,
    longest: usize,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KeltnerParameters {
    /// Observations of the average.
    pub period: u32,
    /// True ranges of the average true range.
    pub atr: u32,
    /// Average true ranges from the middle to a band, in `0.0..=1000.0`.
    pub multiplier: f64,
}

impl Default for KeltnerParameters {
    fn default() -> Self {
        Self {
            period: 20,
            atr: 10,
            multiplier: 2.0,
        }
    }
}

impl Keltner {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::ParameterOutOfRange`].
    pub fn new(parameters: KeltnerParameters) -> Result<Self, IndicatorError> {
        let KeltnerParameters {
            period,
            atr,
            multiplier,
        } = parameters;
        let multiplier = number("multiplier", multiplier, 0.0, 1_000.0)?;
        let (average, range) = (Smoothing::exponential(period)?, Atr::new(atr)?);
        let longest = period.max(atr + 1);
        let delay = longest - (atr + 1);

        Ok(Self {
            multiplier,
            middle: Delayed::new(longest - period, average),
            delay,
            waiting: delay,
            atr: range,
            longest: longest as usize,
        })
    }
}

impl Indicator for Keltner {
    type Input = Bar;
    type Output = Bands;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.middle.update(bar.typical());
        if self.waiting > 0 {
            self.waiting -= 1;
        } else {
            self.atr.accept(input);
        }
    }

    fn reset(&mut self) {
        self.middle.reset();
        self.waiting = self.delay;
        self.atr.reset();
    }

    fn value(&self) -> Option<Bands> {
        let (middle, reach) = (self.middle.value()?, self.multiplier * self.atr.value()?);
        Some(Bands {
            upper: middle + reach,
            middle,
            lower: middle - reach,
        })
    }

    fn warm_up(&self) -> usize {
        self.longest
    }
}
