//! The beta of one series to another.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Pair,
    folds::CoMoments,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    window::Window,
};

/// The covariance of the relative changes of `y` and `x` over `n` changes, divided by the variance of
/// those of `x`. TA-Lib's `BETA`, whose first series is the one whose variance divides. 0 if `x` did
/// not move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beta {
    previous: Option<Pair>,
    moments: Window<CoMoments>,
}

impl Beta {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            previous: None,
            moments: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Beta {
    type Input = Pair;
    type Output = f64;

    fn accept(&mut self, input: Checked<Pair>) {
        let pair = input.get();
        if let Some(last) = self.previous.replace(pair) {
            let change = |newer: f64, older: f64| divide(newer - older, older);
            self.moments.push(CoMoments::of(
                change(pair.x, last.x),
                change(pair.y, last.y),
            ));
        }
    }

    fn reset(&mut self) {
        self.previous = None;
        self.moments.reset();
    }

    fn value(&self) -> Option<f64> {
        self.moments
            .value()
            .map(|moments| divide(moments.products, moments.x.squares))
    }

    fn warm_up(&self) -> usize {
        self.moments.period() + 1
    }
}
