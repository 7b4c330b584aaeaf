//! The ultimate oscillator.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    folds::Sums,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    window::Window,
};

/// The buying pressure (close minus the lower of low and last close) as a share of the true range,
/// over three windows, weighted 4, 2 and 1, in percent. TA-Lib's `ULTOSC`, where the shortest window
/// weighs most; L. Williams, 1976.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ultosc {
    previous: Option<f64>,
    windows: [Window<Sums<2>>; 3],
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UltoscParameters {
    /// Bars of one window. The shortest of the three weighs most.
    pub first: u32,
    /// Bars of another window.
    pub second: u32,
    /// Bars of the last window.
    pub third: u32,
}

impl Default for UltoscParameters {
    fn default() -> Self {
        Self {
            first: 7,
            second: 14,
            third: 28,
        }
    }
}

impl Ultosc {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(parameters: UltoscParameters) -> Result<Self, IndicatorError> {
        let UltoscParameters {
            first,
            second,
            third,
        } = parameters;
        let mut periods = [
            Period::new(first)?,
            Period::new(second)?,
            Period::new(third)?,
        ];
        periods.sort_by_key(|period| period.count());
        Ok(Self {
            previous: None,
            windows: periods.map(Window::new),
        })
    }
}

impl Indicator for Ultosc {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        if let Some(previous) = self.previous.replace(bar.close) {
            let low = if bar.low < previous {
                bar.low
            } else {
                previous
            };
            let item = Sums([bar.close - low, bar.true_range(previous)]);
            for window in &mut self.windows {
                window.push(item);
            }
        }
    }

    fn reset(&mut self) {
        self.previous = None;
        self.windows.iter_mut().for_each(Window::reset);
    }

    fn value(&self) -> Option<f64> {
        let [short, middle, long] = self.windows.each_ref().map(Window::value);
        let share = |Sums([pressure, range]): Sums<2>| divide(pressure, range);
        Some(100.0 * (4.0 * share(short?) + 2.0 * share(middle?) + share(long?)) / 7.0)
    }

    fn warm_up(&self) -> usize {
        self.windows[2].period() + 1
    }
}
