//! The mean of the last `n` numbers that were checked before: the core of many indicators.

use serde::{Deserialize, Serialize};

use crate::{folds::Sum, period::Period, window::Window};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mean {
    period: Period,
    sum: Window<Sum>,
}

impl Mean {
    pub(crate) fn new(period: Period) -> Self {
        Self {
            period,
            sum: Window::new(period),
        }
    }

    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        self.sum.push(Sum(value));
        self.value()
    }

    pub(crate) fn reset(&mut self) {
        self.sum.reset();
    }

    pub(crate) fn value(&self) -> Option<f64> {
        self.sum.value().map(|Sum(sum)| sum / self.period.as_f64())
    }

    pub(crate) fn period(&self) -> usize {
        self.period.as_usize()
    }
}
