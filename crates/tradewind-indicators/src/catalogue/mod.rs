//! The catalogue: every indicator by its name, with parameters, inputs, outputs, unit and reference.
//!
//! From it a rule such as `rsi(14)` is built, `docs/indicators.md` is written, and the tests go through all
//! indicators. Code that knows which indicator it wants uses the typed struct, which costs no dispatch.
//! The rows are in `table.rs`.
//!
//! ```
//! use tradewind_indicators::{Sample, build, find};
//!
//! let entry = find("rsi").expect("it is in the catalogue");
//! assert_eq!((entry.parameters[0].name, entry.parameters[0].default), ("period", 14.0));
//!
//! let mut rsi = build("rsi", &[2.0])?;
//! for close in [10.0, 11.0, 12.0] {
//!     rsi.update(Sample::Value(close))?;
//! }
//! assert_eq!(rsi.value().map(|lines| lines.as_slice().to_vec()), Some(vec![100.0]));
//! # Ok::<(), tradewind_indicators::IndicatorError>(())
//! ```

mod any;
mod table;

pub use any::{AnyIndicator, CATALOGUE};

use crate::{
    IndicatorError, InputKind,
    period::{MAX_PERIOD, number},
};

/// One indicator of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name in rules and documents, such as `rsi`.
    pub name: &'static str,
    /// Its folder: `averages`, `oscillators`, `trend`, `volatility`, `volume`, `statistics`, `prices` or
    /// `patterns`.
    pub family: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// What one observation is.
    pub input: InputKind,
    /// The names of its lines, in order.
    pub outputs: &'static [&'static str],
    /// What its lines are measured in.
    pub unit: Unit,
    /// What defines it.
    pub reference: Reference,
    build: fn(&[f64]) -> Result<AnyIndicator, IndicatorError>,
}

/// A parameter of an indicator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The customary value.
    pub default: f64,
    /// The least value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// Whether it is a count of observations.
    pub is_whole: bool,
}

/// What a line is measured in; it also says what a difference is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The units of the input, mostly a price.
    Price,
    /// The square of the input's units.
    PriceSquared,
    /// Percent, or another number without a unit.
    Number,
    /// The units of the volume.
    Volume,
    /// Price times volume.
    Money,
}

/// What defines an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// The functions of TA-Lib with which it is equal.
    TaLib(&'static str),
    /// A published definition.
    Cited(&'static str),
}

impl Entry {
    /// Builds the indicator with these parameters.
    ///
    /// # Errors
    /// [`IndicatorError::WrongParameterCount`], [`IndicatorError::ParameterOutOfRange`], or what its
    /// constructor refuses.
    pub fn build(&self, parameters: &[f64]) -> Result<AnyIndicator, IndicatorError> {
        if parameters.len() != self.parameters.len() {
            return Err(IndicatorError::WrongParameterCount {
                name: self.name,
                expected: self.parameters.len(),
                given: parameters.len(),
            });
        }
        for (&value, parameter) in parameters.iter().zip(self.parameters) {
            parameter.check(value)?;
        }
        (self.build)(parameters)
    }

    /// The customary parameters.
    #[must_use]
    pub fn defaults(&self) -> Vec<f64> {
        let default = |parameter: &Parameter| parameter.default;
        self.parameters.iter().map(default).collect()
    }
}

impl Parameter {
    fn check(&self, value: f64) -> Result<(), IndicatorError> {
        let Self { name, min, max, .. } = *self;
        number(name, value, min, max)?;
        if self.is_whole && value.fract() != 0.0 {
            return Err(IndicatorError::ParameterOutOfRange {
                name,
                value,
                min,
                max,
            });
        }
        Ok(())
    }
}

/// The entry of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

/// Builds an indicator by its name.
///
/// # Errors
/// [`IndicatorError::UnknownIndicator`], or as [`Entry::build`].
pub fn build(name: &str, parameters: &[f64]) -> Result<AnyIndicator, IndicatorError> {
    find(name)
        .ok_or(IndicatorError::UnknownIndicator)?
        .build(parameters)
}

/// A count of observations from `min` to [`MAX_PERIOD`].
const fn whole(name: &'static str, default: u32, min: u32) -> Parameter {
    Parameter {
        name,
        default: default as f64,
        min: min as f64,
        max: MAX_PERIOD as f64,
        is_whole: true,
    }
}

/// A number from `min` to `max`.
const fn decimal(name: &'static str, default: f64, min: f64, max: f64) -> Parameter {
    Parameter {
        name,
        default,
        min,
        max,
        is_whole: false,
    }
}

/// A parameter that was checked to be a whole number within the range of `u32`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the catalogue checks that it is whole and in range"
)]
fn count(parameter: f64) -> u32 {
    parameter as u32
}
