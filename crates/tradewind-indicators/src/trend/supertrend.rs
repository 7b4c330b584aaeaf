//! Supertrend.

use serde::{Deserialize, Serialize};

use crate::{
    Atr, Bar, IndicatorError,
    indicator::{Checked, Indicator, output},
    period::number,
};

/// A stop `multiplier` average true ranges from the middle of the bar, which only follows the trend
/// until a close crosses it. TA-Lib's `SUPERTREND`; O. Seban. It starts in a rising trend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supertrend {
    multiplier: f64,
    atr: Atr,
    bands: Option<(f64, f64)>,
    previous_close: f64,
    value: Option<SupertrendValue>,
}

/// The stop and the direction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SupertrendValue {
    /// Below the price in a rising trend, above it in a falling one; price units.
    pub stop: f64,
    /// 1 in a rising trend, -1 in a falling one.
    pub direction: f64,
}

output!(SupertrendValue: stop, direction);

impl Supertrend {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32, multiplier: f64) -> Result<Self, IndicatorError> {
        let multiplier = number("multiplier", multiplier, 0.0, 1_000.0)?;
        Ok(Self {
            multiplier,
            atr: Atr::new(period)?,
            bands: None,
            previous_close: 0.0,
            value: None,
        })
    }
}

impl Indicator for Supertrend {
    type Input = Bar;
    type Output = SupertrendValue;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        let atr = self.atr.update(bar).ok().flatten();
        let last_close = std::mem::replace(&mut self.previous_close, bar.close);
        let Some(atr) = atr else { return };
        let reach = self.multiplier * atr;
        let (mut upper, mut lower) = (bar.middle() + reach, bar.middle() - reach);
        let mut direction = self.value.map_or(1.0, |value| value.direction);
        if let Some((last_upper, last_lower)) = self.bands {
            if !(upper < last_upper || last_close > last_upper) {
                upper = last_upper;
            }
            if !(lower > last_lower || last_close < last_lower) {
                lower = last_lower;
            }
            if direction > 0.0 && bar.close < lower {
                direction = -1.0;
            } else if direction < 0.0 && bar.close > upper {
                direction = 1.0;
            }
        }
        self.bands = Some((upper, lower));
        let stop = if direction > 0.0 { lower } else { upper };
        self.value = Some(SupertrendValue { stop, direction });
    }

    fn reset(&mut self) {
        self.atr.reset();
        self.bands = None;
        self.previous_close = 0.0;
        self.value = None;
    }

    fn value(&self) -> Option<SupertrendValue> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.atr.warm_up()
    }
}
