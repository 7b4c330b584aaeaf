//! What a [`Window`](crate::window::Window) can keep of its items: sums, extremes, moments, a line.

use serde::{Deserialize, Serialize};

use crate::window::Merge;

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sum(pub(crate) f64);

impl Merge for Sum {
    fn merge(self, newer: Self) -> Self {
        Self(self.0 + newer.0)
    }
}

/// Sums of several columns at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "[f64; N]: Serialize",
    deserialize = "[f64; N]: Deserialize<'de>"
))]
pub(crate) struct Sums<const N: usize>(pub(crate) [f64; N]);

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        Self([0.0; N])
    }
}

impl<const N: usize> Merge for Sums<N> {
    fn merge(mut self, newer: Self) -> Self {
        for (sum, other) in self.0.iter_mut().zip(newer.0) {
            *sum += other;
        }
        self
    }
}

// `f64::max` may answer either zero for 0.0 and -0.0; these comparisons always answer the newer, so
// the bits do not depend on the build.

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Maximum(pub(crate) f64);

impl Merge for Maximum {
    fn merge(self, newer: Self) -> Self {
        if newer.0 >= self.0 { newer } else { self }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Minimum(pub(crate) f64);

impl Merge for Minimum {
    fn merge(self, newer: Self) -> Self {
        if newer.0 <= self.0 { newer } else { self }
    }
}

/// An extreme and how many items ago it was; of equal ones the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recent<const HIGHEST: bool> {
    value: f64,
    pub(crate) age: u32,
    count: u32,
}

impl<const HIGHEST: bool> Recent<HIGHEST> {
    pub(crate) fn of(value: f64) -> Self {
        Self {
            value,
            age: 0,
            count: 1,
        }
    }
}

impl<const HIGHEST: bool> Merge for Recent<HIGHEST> {
    fn merge(self, newer: Self) -> Self {
        let beats = if HIGHEST {
            newer.value >= self.value
        } else {
            newer.value <= self.value
        };
        let (value, age) = if beats {
            (newer.value, newer.age)
        } else {
            (self.value, self.age + newer.count)
        };
        Self {
            value,
            age,
            count: self.count + newer.count,
        }
    }
}

/// Count, sum, and sum of the items times their place, the oldest having place 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weighted {
    count: f64,
    pub(crate) sum: f64,
    pub(crate) weighted: f64,
}

impl Weighted {
    pub(crate) fn of(value: f64) -> Self {
        Self {
            count: 1.0,
            sum: value,
            weighted: value,
        }
    }

    /// The mean in which an item weighs as much as its place.
    pub(crate) fn mean(self) -> f64 {
        self.weighted / (self.count * (self.count + 1.0) / 2.0)
    }
}

impl Merge for Weighted {
    fn merge(self, newer: Self) -> Self {
        Self {
            count: self.count + newer.count,
            sum: self.sum + newer.sum,
            weighted: self.weighted + newer.weighted + self.count * newer.sum,
        }
    }
}

/// Count, mean and sum of squared distances from the mean of some values.
///
/// Merging these is the method of Chan, Golub and LeVeque ("Updating Formulae and a Pairwise Algorithm
/// for Computing Sample Variances", 1979). Unlike the difference of two large sums of squares it keeps
/// its digits when the price is large and its movement small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    count: f64,
    mean: f64,
    pub(crate) squares: f64,
}

impl Moments {
    pub(crate) fn of(value: f64) -> Self {
        Self {
            count: 1.0,
            mean: value,
            squares: 0.0,
        }
    }

    pub(crate) fn mean(self) -> f64 {
        self.mean
    }

    pub(crate) fn variance(self) -> f64 {
        self.squares / self.count
    }

    pub(crate) fn deviation(self) -> f64 {
        (self.squares / self.count).sqrt()
    }
}

impl Merge for Moments {
    fn merge(self, newer: Self) -> Self {
        let count = self.count + newer.count;
        let distance = newer.mean - self.mean;
        let share = newer.count / count;
        Self {
            count,
            mean: self.mean + distance * share,
            squares: self.squares + newer.squares + distance * distance * self.count * share,
        }
    }
}

/// Moments of two series and of their product, by the same method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CoMoments {
    pub(crate) x: Moments,
    pub(crate) y: Moments,
    pub(crate) products: f64,
}

impl CoMoments {
    pub(crate) fn of(x: f64, y: f64) -> Self {
        Self {
            x: Moments::of(x),
            y: Moments::of(y),
            products: 0.0,
        }
    }
}

impl Merge for CoMoments {
    fn merge(self, newer: Self) -> Self {
        let share = newer.x.count / (self.x.count + newer.x.count);
        let (dx, dy) = (newer.x.mean - self.x.mean, newer.y.mean - self.y.mean);
        Self {
            x: self.x.merge(newer.x),
            y: self.y.merge(newer.y),
            products: self.products + newer.products + dx * dy * self.x.count * share,
        }
    }
}
