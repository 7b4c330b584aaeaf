//! One type for all indicators, made from the rows of the table. It adds a branch to an update and a box to
//! the construction, and nothing to the typed structs.

use serde::{Deserialize, Serialize};

use crate::{Indicator, IndicatorError, Input, Lines, Output, Sample};

use super::{Entry, Reference, Unit, count, decimal, table::rows, whole};

/// Makes the type and the list of all indicators.
macro_rules! catalogue {
    ($($kind:ident $name:literal $family:literal $title:literal $unit:ident $reference:expr, [$($parameter:expr),*], $build:expr;)+) => {
        /// Any indicator of the catalogue.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum AnyIndicator {
            $(
                #[doc = $title]
                $kind(Box<crate::$kind>),
            )+
        }

        /// All indicators, by family and name.
        pub const CATALOGUE: &[Entry] = &[$(
            Entry {
                name: $name,
                family: $family,
                title: $title,
                parameters: &[$($parameter),*],
                input: <<crate::$kind as Indicator>::Input as Input>::KIND,
                outputs: <<crate::$kind as Indicator>::Output as Output>::NAMES,
                unit: Unit::$unit,
                reference: $reference,
                build: |parameters| {
                    let build: fn(&[f64]) -> Result<crate::$kind, IndicatorError> = $build;
                    Ok(AnyIndicator::$kind(Box::new(build(parameters)?)))
                },
            }
        ),+];

        impl AnyIndicator {
            /// Takes the next sample and answers the lines, or `None` while warming up.
            ///
            /// # Errors
            /// [`IndicatorError::WrongInput`] if the sample lacks what the indicator reads, or as
            /// [`Indicator::update`]; the state is then unchanged.
            pub fn update(&mut self, sample: Sample) -> Result<Option<Lines>, IndicatorError> {
                match self {
                    $(Self::$kind(indicator) => update(&mut **indicator, sample)),+
                }
            }

            /// Forgets every sample; the parameters stay.
            pub fn reset(&mut self) {
                match self {
                    $(Self::$kind(indicator) => Indicator::reset(&mut **indicator)),+
                }
            }

            /// The lines after the last update.
            #[must_use]
            pub fn value(&self) -> Option<Lines> {
                match self {
                    $(Self::$kind(indicator) => Indicator::value(&**indicator).map(Output::lines)),+
                }
            }

            /// The number of samples until the first lines.
            #[must_use]
            pub fn warm_up(&self) -> usize {
                match self {
                    $(Self::$kind(indicator) => Indicator::warm_up(&**indicator)),+
                }
            }
        }
    };
}

fn update<I: Indicator>(
    indicator: &mut I,
    sample: Sample,
) -> Result<Option<Lines>, IndicatorError> {
    let input = I::Input::from_sample(sample).ok_or(IndicatorError::WrongInput {
        needed: I::Input::KIND,
        given: sample.kind(),
    })?;
    Ok(Indicator::update(indicator, input)?.map(Output::lines))
}

rows!(catalogue);
