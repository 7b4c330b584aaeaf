//! The last `n` values in order of size. A push moves values within one buffer: its cost grows with `n`.

use serde::{Deserialize, Serialize};

use crate::ring::Ring;

/// It is saved as the values alone; restoring sorts them again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Ring<f64>", into = "Ring<f64>")]
pub(crate) struct Sorted {
    recent: Ring<f64>,
    ordered: Vec<f64>,
}

impl Sorted {
    pub(crate) fn new(size: usize) -> Self {
        Ring::new(size).into()
    }

    pub(crate) fn push(&mut self, value: f64) {
        if let Some(oldest) = self.recent.push(value) {
            self.ordered.remove(place(&self.ordered, oldest));
        }
        self.ordered.insert(place(&self.ordered, value), value);
    }

    pub(crate) fn reset(&mut self) {
        self.recent.reset();
        self.ordered.clear();
    }

    /// The values in rising order, once there are `n`.
    pub(crate) fn values(&self) -> Option<&[f64]> {
        self.recent.is_full().then_some(&self.ordered)
    }

    pub(crate) fn size(&self) -> usize {
        self.recent.size()
    }

    /// The share of the values that are below `value`, in percent, once there are `n`.
    pub(crate) fn percent_below(&self, value: f64) -> Option<f64> {
        let values = self.values()?;
        let below = values.partition_point(|&other| other < value);
        Some(count(below) / count(values.len()) * 100.0)
    }
}

impl From<Ring<f64>> for Sorted {
    fn from(recent: Ring<f64>) -> Self {
        let mut ordered = Vec::with_capacity(recent.size());
        ordered.extend(recent.items());
        ordered.sort_by(f64::total_cmp);
        Self { recent, ordered }
    }
}

impl From<Sorted> for Ring<f64> {
    fn from(sorted: Sorted) -> Self {
        sorted.recent
    }
}

/// Where `value` is, or belongs.
fn place(ordered: &[f64], value: f64) -> usize {
    ordered.partition_point(|other| other.total_cmp(&value).is_lt())
}

/// A number of values as a float; it is at most [`MAX_PERIOD`](crate::MAX_PERIOD).
fn count(values: usize) -> f64 {
    u32::try_from(values).map_or(0.0, f64::from)
}
