//! The last `n` values in order of size. A push moves values within one buffer: its cost grows with `n`.

use serde::{Deserialize, Serialize};

use crate::ring::Ring;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sorted {
    recent: Ring<f64>,
    ordered: Vec<f64>,
}

impl Sorted {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            recent: Ring::new(size),
            ordered: Vec::with_capacity(size + 1),
        }
    }

    pub(crate) fn push(&mut self, value: f64) {
        if let Some(oldest) = self.recent.push(value) {
            // A saved order that lacks the value has none to remove: no panic, and sizes stay bounded.
            let place = self
                .ordered
                .partition_point(|other| other.total_cmp(&oldest).is_lt());
            if place < self.ordered.len() {
                self.ordered.remove(place);
            }
        }
        let place = self
            .ordered
            .partition_point(|other| other.total_cmp(&value).is_lt());
        self.ordered.insert(place, value);
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

/// A number of values as a float; it is at most [`MAX_PERIOD`](crate::MAX_PERIOD).
fn count(values: usize) -> f64 {
    u32::try_from(values).map_or(0.0, f64::from)
}
