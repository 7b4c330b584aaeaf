//! Division that a strategy can rely on.

use crate::{
    IndicatorError,
    input::{MAX_MAGNITUDE, checked},
};

/// Divides; the error names the divisor.
///
/// Every division by an indicator belongs here: in a flat market the average true range, the width of a
/// band or channel and the volume are all zero, and `x / 0.0` would travel on as an infinity.
///
/// `what` names the denominator in the error.
///
/// # Errors
/// [`IndicatorError::DivisionByZero`] if the denominator is zero of either sign,
/// [`IndicatorError::InputOutOfRange`] if either number is unusable, and [`IndicatorError::Overflow`] if
/// the quotient is infinite.
///
/// ```
/// use tradewind_indicators::{IndicatorError, ratio};
///
/// assert_eq!(ratio(3.0, 1.5, "ATR"), Ok(2.0));
/// assert_eq!(ratio(3.0, 0.0, "ATR"), Err(IndicatorError::DivisionByZero { what: "ATR" }));
/// ```
pub fn ratio(numerator: f64, denominator: f64, what: &'static str) -> Result<f64, IndicatorError> {
    let numerator = checked("numerator", numerator)?;
    let denominator = checked("denominator", denominator)?;
    if denominator == 0.0 {
        return Err(IndicatorError::DivisionByZero { what });
    }
    let quotient = numerator / denominator;
    if quotient.is_finite() {
        Ok(quotient)
    } else {
        Err(IndicatorError::Overflow { what })
    }
}

/// Divides inside an indicator: 0 if the divisor is 0, as TA-Lib answers, and at most [`MAX_MAGNITUDE`] of
/// either sign, so that no quotient is infinite. Both numbers are finite.
pub(crate) fn divide(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 {
        0.0
    } else {
        (numerator / denominator).clamp(-MAX_MAGNITUDE, MAX_MAGNITUDE)
    }
}
