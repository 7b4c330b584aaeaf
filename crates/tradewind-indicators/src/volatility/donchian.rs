//! The Donchian channel.

use serde::{Deserialize, Serialize};

use crate::{Bar, Highest, IndicatorError, Lowest};

/// The highest high and the lowest low of the last `n` bars.
///
/// **The latest bar is one of them**, so its close can touch the channel but never leave it. A breakout
/// is measured against the channel of the bars before: read [`value`](Self::value), then update.
///
/// ```
/// use tradewind_indicators::{Bar, Donchian};
///
/// let mut donchian = Donchian::new(2)?;
/// donchian.update(Bar { high: 10.0, low: 8.0, close: 9.0 })?;
/// donchian.update(Bar { high: 11.0, low: 9.0, close: 10.0 })?;
///
/// let bar = Bar { high: 13.0, low: 10.0, close: 12.0 };
/// let breaks_out = donchian.value().is_some_and(|channel| bar.close > channel.upper);
/// let channel = donchian.update(bar)?.expect("two bars have been seen");
///
/// assert!(breaks_out);
/// assert_eq!((channel.upper, channel.lower), (13.0, 9.0));
/// # Ok::<(), tradewind_indicators::IndicatorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Donchian {
    highest: Highest,
    lowest: Lowest,
}

/// The two lines, in price units: `lower <= upper`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The highest high.
    pub upper: f64,
    /// The lowest low.
    pub lower: f64,
}

impl Channel {
    /// The line halfway between the two.
    #[must_use]
    pub fn middle(&self) -> f64 {
        f64::midpoint(self.upper, self.lower)
    }

    /// The distance between the lines, never negative; 0 in a flat market.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }
}

impl Donchian {
    /// Creates the channel of `period` bars.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            highest: Highest::new(period)?,
            lowest: Lowest::new(period)?,
        })
    }

    /// Takes the next bar and answers the channel, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`] or [`IndicatorError::MalformedBar`]; the state is then
    /// unchanged.
    pub fn update(&mut self, bar: Bar) -> Result<Option<Channel>, IndicatorError> {
        let bar = bar.checked()?;
        self.highest.update(bar.high)?;
        self.lowest.update(bar.low)?;
        Ok(self.value())
    }

    /// Forgets every bar; the period stays.
    pub fn reset(&mut self) {
        self.highest.reset();
        self.lowest.reset();
    }

    /// The channel after the last update.
    #[must_use]
    pub fn value(&self) -> Option<Channel> {
        Some(Channel {
            upper: self.highest.value()?,
            lower: self.lowest.value()?,
        })
    }

    /// The number of bars until the first channel: the period.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.highest.warm_up()
    }
}
