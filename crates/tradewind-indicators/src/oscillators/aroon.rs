//! Aroon: how recent the extremes are.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    folds::Recent,
    indicator::{Checked, Indicator, output},
    period::Period,
    window::Window,
};

/// How recent the highest high and the lowest low of the last `n + 1` bars are: 100 if it is the
/// newest bar, 0 if the oldest. TA-Lib's `AROON` and `AROONOSC`; T. Chande, 1995.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aroon {
    period: Period,
    highest: Window<Recent<true>>,
    lowest: Window<Recent<false>>,
}

/// The lines of Aroon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AroonValue {
    /// Of the lowest low, in `0..=100`.
    pub down: f64,
    /// Of the highest high, in `0..=100`.
    pub up: f64,
    /// `up - down`: TA-Lib's `AROONOSC`.
    pub oscillator: f64,
}

output!(AroonValue: down, up, oscillator);

impl Aroon {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::at_least(2, period)?;
        let window = Period::new(period.count() + 1)?;
        Ok(Self {
            period,
            highest: Window::new(window),
            lowest: Window::new(window),
        })
    }
}

impl Indicator for Aroon {
    type Input = Bar;
    type Output = AroonValue;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.highest.push(Recent::of(bar.high));
        self.lowest.push(Recent::of(bar.low));
    }

    fn reset(&mut self) {
        self.highest.reset();
        self.lowest.reset();
    }

    fn value(&self) -> Option<AroonValue> {
        let (highest, lowest) = (self.highest.value()?, self.lowest.value()?);
        let n = self.period.as_f64();
        let percent = |age: u32| 100.0 * (n - f64::from(age)) / n;
        let (down, up) = (percent(lowest.age), percent(highest.age));
        Some(AroonValue {
            down,
            up,
            oscillator: up - down,
        })
    }

    fn warm_up(&self) -> usize {
        self.highest.period()
    }
}
