//! Why an indicator refused: its parameters, its input, or a division.

use thiserror::Error;

/// A refusal. The indicator is unchanged and continues with the next observation.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum IndicatorError {
    /// A period was zero or above [`MAX_PERIOD`](crate::MAX_PERIOD): correct the configuration.
    #[error("period {period} is outside 1..={}", crate::MAX_PERIOD)]
    PeriodOutOfRange {
        /// The requested period.
        period: u32,
    },

    /// A parameter was not a number of its range: correct the configuration.
    #[error("{name} {value} is outside {min}..={max}")]
    ParameterOutOfRange {
        /// The parameter's name.
        name: &'static str,
        /// The requested value.
        value: f64,
        /// The least value.
        min: f64,
        /// The largest value.
        max: f64,
    },

    /// The catalogue has no indicator of that name: correct the configuration.
    #[error("no indicator has that name")]
    UnknownIndicator,

    /// The catalogue was given more or fewer parameters than the indicator has.
    #[error("{name} takes {expected} parameters, not {given}")]
    WrongParameterCount {
        /// The indicator's name.
        name: &'static str,
        /// How many it has.
        expected: usize,
        /// How many were given.
        given: usize,
    },

    /// The sample has less than the indicator reads, such as a close for one that reads volume.
    #[error("a sample of kind {given:?} cannot be read as {needed:?}")]
    WrongInput {
        /// The kind that the indicator reads.
        needed: crate::InputKind,
        /// The kind that was given.
        given: crate::InputKind,
    },

    /// The fast average is not faster than the slow one: correct the configuration.
    #[error("fast period {fast} is not below slow period {slow}")]
    FastNotBelowSlow {
        /// The requested fast period.
        fast: u32,
        /// The requested slow period.
        slow: u32,
    },

    /// A band's width in deviations was not a number, not positive or above
    /// [`MAX_DEVIATIONS`](crate::MAX_DEVIATIONS): correct the configuration.
    #[error(
        "{deviations} deviations is outside 0 < k <= {}",
        crate::MAX_DEVIATIONS
    )]
    DeviationsOutOfRange {
        /// The requested number of deviations.
        deviations: f64,
    },

    /// An observation was not a number, infinite or beyond [`MAX_MAGNITUDE`](crate::MAX_MAGNITUDE):
    /// skip it, for its source is broken.
    #[error("{what} is {value}, which is no usable number")]
    InputOutOfRange {
        /// Which input: `value`, `x`, `y`, `open`, `high`, `low`, `close`, `volume`, `numerator`, `denominator`.
        what: &'static str,
        /// The number received.
        value: f64,
    },

    /// A bar's close lies outside its range, or its range is upside down: skip it.
    #[error("malformed bar: high {high}, low {low}, close {close}")]
    MalformedBar {
        /// The bar's high.
        high: f64,
        /// The bar's low.
        low: f64,
        /// The bar's close.
        close: f64,
    },

    /// A divisor was zero, such as the average true range of a flat market: give no signal.
    #[error("division by zero: {what} is 0")]
    DivisionByZero {
        /// The divisor's name, as the caller gave it.
        what: &'static str,
    },

    /// A quotient left the range of `f64`: give no signal.
    #[error("overflow: dividing by {what} leaves the range of a number")]
    Overflow {
        /// The divisor's name, as the caller gave it.
        what: &'static str,
    },
}
