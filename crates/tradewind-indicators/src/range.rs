//! The highest high and the lowest low of the last `n` bars: the core of many indicators.

use serde::{Deserialize, Serialize};

use crate::{
    folds::{Maximum, Minimum},
    period::Period,
    ratio::divide,
    window::Window,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RangeWindow {
    highest: Window<Maximum>,
    lowest: Window<Minimum>,
}

impl RangeWindow {
    pub(crate) fn new(period: Period) -> Self {
        Self {
            highest: Window::new(period),
            lowest: Window::new(period),
        }
    }

    pub(crate) fn push(&mut self, high: f64, low: f64) {
        self.highest.push(Maximum(high));
        self.lowest.push(Minimum(low));
    }

    pub(crate) fn reset(&mut self) {
        self.highest.reset();
        self.lowest.reset();
    }

    /// The highest and the lowest.
    pub(crate) fn value(&self) -> Option<(f64, f64)> {
        let (Maximum(highest), Minimum(lowest)) = (self.highest.value()?, self.lowest.value()?);
        Some((highest, lowest))
    }

    pub(crate) fn middle(&self) -> Option<f64> {
        self.value()
            .map(|(highest, lowest)| (highest + lowest) / 2.0)
    }

    /// Where `value` lies between the lowest (0) and the highest (100); 0 if the two are equal.
    pub(crate) fn percent(&self, value: f64) -> Option<f64> {
        let (highest, lowest) = self.value()?;
        Some(divide(value - lowest, (highest - lowest) / 100.0))
    }

    pub(crate) fn period(&self) -> usize {
        self.highest.period()
    }
}
