//! The inputs of indicators: their validation, and the bar.
//!
//! Because every observation passes here, no sum or square inside an indicator can overflow, and
//! finiteness is not checked again after that.

use serde::{Deserialize, Serialize};

use crate::IndicatorError;

/// The largest magnitude an observation may have, in either sign.
///
/// Far above any price, and small enough that the sum of [`MAX_PERIOD`](crate::MAX_PERIOD) squares of it
/// is still a finite `f64`.
pub const MAX_MAGNITUDE: f64 = 1e100;

/// The part of a candle that range indicators read, in the instrument's quote currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// The highest price.
    pub high: f64,
    /// The lowest price, at most `high`.
    pub low: f64,
    /// The last price, from `low` to `high`.
    pub close: f64,
}

impl Bar {
    /// The mean of high, low and close.
    pub(crate) fn typical(self) -> f64 {
        (self.high + self.low + self.close) / 3.0
    }

    /// The mean of high and low.
    pub(crate) fn middle(self) -> f64 {
        (self.high + self.low) / 2.0
    }

    /// The range, widened to the close before it.
    pub(crate) fn true_range(self, previous_close: f64) -> f64 {
        let range = self.high - self.low;
        let above = (self.high - previous_close).abs();
        let below = (self.low - previous_close).abs();
        range.max(above).max(below)
    }

    /// Answers this bar if its numbers are usable and in order.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`] or [`IndicatorError::MalformedBar`].
    pub(crate) fn checked(self) -> Result<Self, IndicatorError> {
        let Self { high, low, close } = self;
        checked("high", high)?;
        checked("low", low)?;
        checked("close", close)?;
        if low <= close && close <= high {
            Ok(self)
        } else {
            Err(IndicatorError::MalformedBar { high, low, close })
        }
    }
}

/// A whole candle: a bar with its open and volume.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ohlcv {
    /// The first price, from `low` to `high`.
    pub open: f64,
    /// The highest price.
    pub high: f64,
    /// The lowest price, at most `high`.
    pub low: f64,
    /// The last price, from `low` to `high`.
    pub close: f64,
    /// The quantity traded, never negative.
    pub volume: f64,
}

impl Ohlcv {
    /// The part that range indicators read.
    #[must_use]
    pub fn bar(self) -> Bar {
        Bar {
            high: self.high,
            low: self.low,
            close: self.close,
        }
    }

    /// Answers this candle if its numbers are usable and in order.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`] or [`IndicatorError::MalformedBar`].
    pub(crate) fn checked(self) -> Result<Self, IndicatorError> {
        self.bar().checked()?;
        let (what, value) = if !(self.low <= self.open && self.open <= self.high) {
            ("open", self.open)
        } else if !(0.0..=MAX_MAGNITUDE).contains(&self.volume) {
            ("volume", self.volume)
        } else {
            return Ok(self);
        };
        Err(IndicatorError::InputOutOfRange { what, value })
    }
}

/// One number from each of two series at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// From the first series.
    pub x: f64,
    /// From the second series.
    pub y: f64,
}

/// Answers `value` if it is a number from `-MAX_MAGNITUDE` to `MAX_MAGNITUDE`.
pub(crate) fn checked(what: &'static str, value: f64) -> Result<f64, IndicatorError> {
    // A comparison with NaN is false, so this refuses it too.
    if value.abs() <= MAX_MAGNITUDE {
        Ok(value)
    } else {
        Err(IndicatorError::InputOutOfRange { what, value })
    }
}
