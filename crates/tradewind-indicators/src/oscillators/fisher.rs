//! The Fisher transform of the price.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator, output},
    period::Period,
    range::RangeWindow,
};

/// Turns a price into a nearly normal variable, so that turns are sharp. With `p` the middle of the
/// bar and `r` its place in the range of the last `n` middles in `-1..=1`: `v = 0.33 r + 0.67 v'`,
/// held within 0.999, and `fisher = 0.5 ln((1 + v) / (1 - v)) + 0.5 fisher'`. J. Ehlers, "Using the
/// Fisher Transform", Stocks & Commodities 20:11, 2002. In an empty range `r` is 0. The logarithm is
/// `libm`'s, which is the same bits on every machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fisher {
    range: RangeWindow,
    smoothed: f64,
    value: Option<FisherValue>,
}

/// The transform and its trigger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FisherValue {
    /// The transform, around 0 and seldom beyond 4.
    pub fisher: f64,
    /// The transform of the bar before; 0 at first.
    pub trigger: f64,
}

output!(FisherValue: fisher, trigger);

impl Fisher {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            range: RangeWindow::new(Period::at_least(2, period)?),
            smoothed: 0.0,
            value: None,
        })
    }
}

impl Indicator for Fisher {
    type Input = Bar;
    type Output = FisherValue;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        let middle = bar.middle();
        self.range.push(middle, middle);
        let Some((highest, lowest)) = self.range.value() else {
            return;
        };
        let place = if highest > lowest {
            2.0 * ((middle - lowest) / (highest - lowest) - 0.5)
        } else {
            0.0
        };
        let smoothed = 0.33 * place + 0.67 * self.smoothed;
        self.smoothed = if smoothed > 0.99 {
            0.999
        } else if smoothed < -0.99 {
            -0.999
        } else {
            smoothed
        };
        let trigger = self.value.map_or(0.0, |value| value.fisher);
        let fisher = 0.5 * libm::log((1.0 + self.smoothed) / (1.0 - self.smoothed)) + 0.5 * trigger;
        self.value = Some(FisherValue { fisher, trigger });
    }

    fn reset(&mut self) {
        self.range.reset();
        self.smoothed = 0.0;
        self.value = None;
    }

    fn value(&self) -> Option<FisherValue> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.range.period()
    }
}
