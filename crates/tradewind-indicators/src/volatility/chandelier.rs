//! The chandelier exit.

use serde::{Deserialize, Serialize};

use crate::{
    Atr, Bar, IndicatorError,
    indicator::{Checked, Indicator, output},
    period::{Period, number},
    range::RangeWindow,
};

/// Stops `multiplier` average true ranges from the extreme of the last `n` bars. C. Le Beau,
/// described in A. Elder, "Come into My Trading Room", 2002; customary are 22 and 3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chandelier {
    multiplier: f64,
    range: RangeWindow,
    atr: Atr,
}

/// The two stops, in price units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChandelierValue {
    /// Of a long position: below the highest high.
    pub long: f64,
    /// Of a short position: above the lowest low.
    pub short: f64,
}

output!(ChandelierValue: long, short);

impl Chandelier {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32, multiplier: f64) -> Result<Self, IndicatorError> {
        let multiplier = number("multiplier", multiplier, 0.0, 1_000.0)?;
        Ok(Self {
            multiplier,
            range: RangeWindow::new(Period::new(period)?),
            atr: Atr::new(period)?,
        })
    }
}

impl Indicator for Chandelier {
    type Input = Bar;
    type Output = ChandelierValue;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.range.push(bar.high, bar.low);
        self.atr.accept(input);
    }

    fn reset(&mut self) {
        self.range.reset();
        self.atr.reset();
    }

    fn value(&self) -> Option<ChandelierValue> {
        let (highest, lowest) = self.range.value()?;
        let reach = self.multiplier * self.atr.value()?;
        Some(ChandelierValue {
            long: highest - reach,
            short: lowest + reach,
        })
    }

    fn warm_up(&self) -> usize {
        self.atr.warm_up()
    }
}
