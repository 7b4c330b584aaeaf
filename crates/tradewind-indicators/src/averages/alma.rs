//! The Arnaud Legoux moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::{Period, number},
    ring::Ring,
};

/// The mean of the last `n` values, weighted by a bell curve whose peak lies `offset` of the way to
/// the newest and whose width is `n / sigma`: `w_i = exp(-(i - offset (n - 1))^2 / (2 (n /
/// sigma)^2))`. A. Legoux and D. Kouzis-Loukas, "ALMA: Arnaud Legoux Moving Average", 2009; customary
/// are 9, 0.85, 6.
///
/// The weights come from `libm`, whose `exp` is the same bits on every machine. An update costs a
/// pass over the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alma {
    values: Ring<f64>,
    weights: Vec<f64>,
    average: Option<f64>,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AlmaParameters {
    /// Observations of the average.
    pub period: u32,
    /// Where the peak lies: 0 at the oldest value, 1 at the newest.
    pub offset: f64,
    /// How many widths of the curve the window spans, in `0.1..=100.0`.
    pub sigma: f64,
}

impl Default for AlmaParameters {
    fn default() -> Self {
        Self {
            period: 9,
            offset: 0.85,
            sigma: 6.0,
        }
    }
}

impl Alma {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::ParameterOutOfRange`].
    pub fn new(parameters: AlmaParameters) -> Result<Self, IndicatorError> {
        let AlmaParameters {
            period,
            offset,
            sigma,
        } = parameters;
        let period = Period::new(period)?;
        let offset = number("offset", offset, 0.0, 1.0)?;
        let sigma = number("sigma", sigma, 0.1, 100.0)?;
        let (peak, width) = (offset * (period.as_f64() - 1.0), period.as_f64() / sigma);
        let weight = |place: u32| {
            let distance = (f64::from(place) - peak) / width;
            libm::exp(-distance * distance / 2.0)
        };
        let mut weights: Vec<f64> = (0..period.count()).map(weight).collect();
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }

        Ok(Self {
            values: Ring::new(period.as_usize()),
            weights,
            average: None,
        })
    }
}

impl Indicator for Alma {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.values.push(value);
        if self.values.is_full() {
            let products = self
                .values
                .items()
                .zip(&self.weights)
                .map(|(value, weight)| value * weight);
            self.average = Some(products.sum());
        }
    }

    fn reset(&mut self) {
        self.values.reset();
        self.average = None;
    }

    fn value(&self) -> Option<f64> {
        self.average
    }

    fn warm_up(&self) -> usize {
        self.values.size()
    }
}
