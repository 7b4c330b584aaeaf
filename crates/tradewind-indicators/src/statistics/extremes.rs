//! The highest and the lowest of the last values.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::{Maximum, Minimum},
    input::checked,
    period::Period,
    window::Window,
};

/// The highest of the last `n` values: TA-Lib's `MAX`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Highest {
    window: Window<Maximum>,
}

impl Highest {
    /// Creates the maximum of `period` values.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            window: Window::new(Period::new(period)?),
        })
    }

    /// Takes the next value and answers the highest, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`]; the state is then unchanged.
    pub fn update(&mut self, value: f64) -> Result<Option<f64>, IndicatorError> {
        self.window.push(Maximum(checked("value", value)?));
        Ok(self.value())
    }

    /// Forgets every value; the period stays.
    pub fn reset(&mut self) {
        self.window.reset();
    }

    /// The highest after the last update.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.window.value().map(|Maximum(value)| value)
    }

    /// The number of inputs until the first value: the period.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.window.period()
    }
}

/// The lowest of the last `n` values: TA-Lib's `MIN`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lowest {
    window: Window<Minimum>,
}

impl Lowest {
    /// Creates the minimum of `period` values.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            window: Window::new(Period::new(period)?),
        })
    }

    /// Takes the next value and answers the lowest, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`]; the state is then unchanged.
    pub fn update(&mut self, value: f64) -> Result<Option<f64>, IndicatorError> {
        self.window.push(Minimum(checked("value", value)?));
        Ok(self.value())
    }

    /// Forgets every value; the period stays.
    pub fn reset(&mut self) {
        self.window.reset();
    }

    /// The lowest after the last update.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.window.value().map(|Minimum(value)| value)
    }

    /// The number of inputs until the first value: the period.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.window.period()
    }
}
