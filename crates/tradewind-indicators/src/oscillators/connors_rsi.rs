//! Connors' relative strength index.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Rsi,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    sorted::Sorted,
};

/// The mean of three numbers in `0..=100`: the relative strength index of the value, that of its
/// streak (how many values in a row rose, or fell, counted negative), and the share of the last
/// `rank` changes in percent that are below the newest one. L. Connors, "An Introduction to
/// ConnorsRSI", Connors Research, 2012; customary are 3, 2, 100. An update costs a move within the
/// window of changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnorsRsi {
    rsi: Rsi,
    streak_rsi: Rsi,
    previous: Option<f64>,
    streak: f64,
    changes: Sorted,
    value: Option<f64>,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnorsRsiParameters {
    /// Changes of the relative strength index.
    pub rsi: u32,
    /// Changes of the index of the streak.
    pub streak: u32,
    /// Changes that the newest one is compared with.
    pub rank: u32,
}

impl Default for ConnorsRsiParameters {
    fn default() -> Self {
        Self {
            rsi: 3,
            streak: 2,
            rank: 100,
        }
    }
}

impl ConnorsRsi {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(parameters: ConnorsRsiParameters) -> Result<Self, IndicatorError> {
        let ConnorsRsiParameters { rsi, streak, rank } = parameters;

        Ok(Self {
            rsi: Rsi::new(rsi)?,
            streak_rsi: Rsi::new(streak)?,
            previous: None,
            streak: 0.0,
            changes: Sorted::new(Period::new(rank)?.as_usize()),
            value: None,
        })
    }
}

impl Indicator for ConnorsRsi {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let mut rank = None;
        if let Some(previous) = self.previous.replace(value) {
            self.streak = if value > previous {
                self.streak.max(0.0) + 1.0
            } else if value < previous {
                self.streak.min(0.0) - 1.0
            } else {
                0.0
            };
            let change = divide(value - previous, previous);
            rank = self.changes.percent_below(change);
            self.changes.push(change);
        }
        let rsi = self.rsi.update(value).ok().flatten();
        let streak = self.streak_rsi.update(self.streak).ok().flatten();
        if let (Some(rsi), Some(streak), Some(rank)) = (rsi, streak, rank) {
            self.value = Some((rsi + streak + rank) / 3.0);
        }
    }

    fn reset(&mut self) {
        self.rsi.reset();
        self.streak_rsi.reset();
        self.previous = None;
        self.streak = 0.0;
        self.changes.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.rsi
            .warm_up()
            .max(self.streak_rsi.warm_up())
            .max(self.changes.size() + 2)
    }
}
