//! Moving average convergence and divergence.

use serde::{Deserialize, Serialize};

use crate::{IndicatorError, input::checked, smoothing::Smoothing};

/// The distance of a fast exponential average from a slow one, and its own average, the signal.
///
/// **Seeding is TA-Lib's.** Both averages get their first value at the same input, number `slow`: the
/// fast one ignores the `slow - fast` inputs before its seed, so it differs from a plain
/// [`Ema`](crate::Ema) for a while. The signal starts from the mean of the first `signal` distances, and
/// no line is given out before all three exist.
///
/// ```
/// use tradewind_indicators::{Macd, MacdPeriods};
///
/// let mut macd = Macd::new(MacdPeriods { fast: 1, slow: 2, signal: 1 })?;
/// assert_eq!(macd.update(1.0)?, None);
/// assert_eq!(macd.update(3.0)?.map(|value| value.line), Some(1.0)); // 3 - 2
/// assert_eq!(Macd::new(MacdPeriods::default())?.warm_up(), 34);
/// # Ok::<(), tradewind_indicators::IndicatorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Macd {
    /// Inputs the fast average has still to ignore.
    fast_delay: u32,
    fast: Smoothing,
    slow: Smoothing,
    signal: Smoothing,
    value: Option<MacdValue>,
}

/// The three periods, in inputs. The default is the customary 12, 26, 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacdPeriods {
    /// Of the fast average; below `slow`.
    pub fast: u32,
    /// Of the slow average.
    pub slow: u32,
    /// Of the average of their distance.
    pub signal: u32,
}

impl Default for MacdPeriods {
    fn default() -> Self {
        Self {
            fast: 12,
            slow: 26,
            signal: 9,
        }
    }
}

/// The three lines, in price units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MacdValue {
    /// The fast average minus the slow one: TA-Lib's `macd`.
    pub line: f64,
    /// The average of the line: TA-Lib's `macdsignal`.
    pub signal: f64,
    /// The line minus the signal: TA-Lib's `macdhist`.
    pub histogram: f64,
}

impl Macd {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`], or [`IndicatorError::FastNotBelowSlow`] (TA-Lib would swap
    /// the two; a configuration must be explicit about that).
    pub fn new(periods: MacdPeriods) -> Result<Self, IndicatorError> {
        let MacdPeriods { fast, slow, signal } = periods;
        let mut macd = Self {
            fast_delay: 0,
            fast: Smoothing::exponential(fast)?,
            slow: Smoothing::exponential(slow)?,
            signal: Smoothing::exponential(signal)?,
            value: None,
        };
        if fast >= slow {
            return Err(IndicatorError::FastNotBelowSlow { fast, slow });
        }
        macd.reset();
        Ok(macd)
    }

    /// Takes the next value and answers the lines, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`]; the state is then unchanged.
    pub fn update(&mut self, value: f64) -> Result<Option<MacdValue>, IndicatorError> {
        let value = checked("value", value)?;
        let slow = self.slow.update(value);
        let fast = if self.fast_delay > 0 {
            self.fast_delay -= 1;
            None
        } else {
            self.fast.update(value)
        };
        if let (Some(fast), Some(slow)) = (fast, slow) {
            self.value = self.lines(fast - slow);
        }
        Ok(self.value)
    }

    /// Forgets every value; the periods stay.
    pub fn reset(&mut self) {
        self.fast.reset();
        self.slow.reset();
        self.signal.reset();
        self.value = None;
        self.fast_delay = self
            .slow
            .period()
            .count()
            .saturating_sub(self.fast.period().count());
    }

    /// The lines after the last update.
    #[must_use]
    pub fn value(&self) -> Option<MacdValue> {
        self.value
    }

    /// The number of inputs until the first lines: `slow + signal - 1`.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.slow.period().as_usize() + self.signal.period().as_usize() - 1
    }

    fn lines(&mut self, line: f64) -> Option<MacdValue> {
        let signal = self.signal.update(line)?;
        Some(MacdValue {
            line,
            signal,
            histogram: line - signal,
        })
    }
}
