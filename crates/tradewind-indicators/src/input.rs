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

/// Answers `value` if it is a number from `-MAX_MAGNITUDE` to `MAX_MAGNITUDE`.
pub(crate) fn checked(what: &'static str, value: f64) -> Result<f64, IndicatorError> {
    // A comparison with NaN is false, so this refuses it too.
    if value.abs() <= MAX_MAGNITUDE {
        Ok(value)
    } else {
        Err(IndicatorError::InputOutOfRange { what, value })
    }
}
